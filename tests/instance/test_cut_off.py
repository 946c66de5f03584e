"""An instance without its database, and what it leaves on its disk."""

from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from deployments.models import Instance
from hotswap.lib.issuing import issue_access_token
from tenants.services import set_secret
from tests.instance.places import call
from tests.servers import database_url
from tests.waiting import wait_until

SECRET = "planted-secret-f00dface"
NO_REDIS = "unix:///nonexistent/valkey.sock"


class Switch:
    """Takes the database away from everybody who is not connected yet, and from instances."""

    def __init__(self, name):
        self.name = name

    def away(self):
        self._execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE usename = 'hotswap_instance' AND datname = '{self.name}'"
        )

    def back(self):
        self._execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def _execute(self, statement):
        with psycopg.connect(database_url("postgres", "postgres"), autocommit=True) as superuser:
            superuser.execute(statement)


@pytest.fixture
def database(database_name):
    switch = Switch(database_name)
    yield switch
    switch.back()


def kept_files(name="i-1") -> list[Path]:
    home = Path(settings.HOTSWAP_HOME) / "instances" / name
    return [path for path in home.rglob("*") if path.is_file()]


def wait_kept():
    """Until what the instance acknowledged is on its disk too."""
    wait_until(lambda: [p for p in kept_files() if p.name == "floor"], what="a snapshot is kept")


def test_a_restarted_instance_serves_without_the_database(place, database):
    _, (instance,) = place.serve()
    token = issue_access_token(place.ada)
    wait_kept()
    database.away()
    instance.stop()
    again = place.start(HOTSWAP_REDIS_URL=NO_REDIS)
    for credential in (place.keys["acme"], token):
        assert call(again, "acme", credential).status_code == 200
    assert call(again, "globex", place.keys["acme"]).status_code == 404
    wait_until(
        lambda: "x-hotswap-stale" in call(again, "acme", token).headers, what="answers say stale"
    )
    database.back()
    boot_before = Instance.objects.get(name="i-1").boot
    wait_until(
        lambda: Instance.objects.get(name="i-1").boot != boot_before, what="it reports again"
    )
    assert "x-hotswap-stale" not in call(again, "acme", token).headers


def test_after_the_limit_nothing_is_answered_by_an_old_snapshot(place, database):
    row = place.publish("1.0.0")
    place.route(stable=row)
    instance = place.start(HOTSWAP_STALE_LIMIT_SECONDS="2")
    assert call(instance, "acme", place.keys["acme"]).status_code == 200
    database.away()

    def expired():
        answer = call(instance, "acme", place.keys["acme"])
        return answer.status_code == 503 and answer.json()["error"]["code"] == "snapshot_expired"

    wait_until(expired, what="the snapshot expires")


def test_the_disk_holds_neither_secret_nor_key(place):
    row = place.publish("1.0.0", secrets={"token": {"mode": "value"}})
    place.route(stable=row)
    instance = place.start()
    set_secret(installation=place.installations["acme"], key="token", value=SECRET, by=place.ada)

    def revealed():
        answer = call(instance, "acme", place.keys["acme"], "reveal")
        return answer.status_code == 200 and answer.json()["result"]["secrets"]

    assert wait_until(revealed, what="the plugin gets its secret") == {"token": SECRET}
    place.wait_acked(Instance.objects.get(name="i-1").acked_generation)
    instance.stop()
    contents = {path: path.read_bytes() for path in kept_files()}
    assert any(path.parent.name == "snapshot" for path in contents)
    for path, content in contents.items():
        assert SECRET.encode() not in content, path
        assert place.keys["acme"].encode() not in content, path
        assert path.stat().st_mode & 0o077 == 0, path
