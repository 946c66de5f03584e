"""Two uploads that need each other, at the same moment."""

import threading
from types import SimpleNamespace

from django.db import connection, connections, transaction

from hotswap.lib.errors import ConflictError
from plugins.dependencies import add_dependencies
from plugins.models import PluginDependency
from tests.factories import make_plugin, make_version
from tests.waiting import wait_until

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def incoming(*needs):
    return SimpleNamespace(manifest=SimpleNamespace(dependencies=SimpleNamespace(plugins=needs)))


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0]


def test_the_second_waits_for_the_first_and_finds_the_cycle(transactional_db):
    first, second = (make_version(make_plugin(name)) for name in ("a", "b"))
    refusals = []

    def write_second():
        try:
            with transaction.atomic():
                add_dependencies(incoming("a>=1"), second)
        except ConflictError as refusal:
            refusals.append(refusal)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write_second)
    with transaction.atomic():
        add_dependencies(incoming("b>=1"), first)
        thread.start()
        wait_until(somebody_waits, what="the second upload waits")
    thread.join(timeout=30)

    (refusal,) = refusals
    assert (refusal.code, "b → a → b" in refusal.message) == ("dependency_cycle", True)
    assert PluginDependency.objects.get().version == first
