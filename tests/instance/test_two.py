"""More than one instance: passing on, swapping and stopping without a call that fails."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bench.load import Caller, Load, Plan
from deployments.models import Instance, Placement
from tests.instance.places import call, descendants
from tests.waiting import wait_until

NO_ROOM = {"HOTSWAP_INSTANCE_MAX_PROCESSES": "0"}


def load(place, instances, *, rate=80):
    body = json.dumps({"method": "echo", "parameters": {"text": "call {call}"}})
    callers = tuple(Caller(slug, "echo", key, body) for slug, key in place.keys.items())
    targets = tuple(instance.url for instance in instances)
    return Load(Plan(targets, callers, clients=4, rate=rate, seconds=90))


def executed(instance):
    lines = instance.get("/metrics").text.splitlines()
    return sum(int(line.split()[-1]) for line in lines if line.startswith("hotswap_invocations"))


def test_a_call_goes_on_to_the_instance_that_has_the_version(place):
    _, (first,) = place.serve()
    second = place.start("i-2", **NO_ROOM)
    wait_until(
        lambda: call(second, "acme", place.keys["acme"]).status_code == 200,
        what="the second passes a call on",
    )
    before = executed(first)
    answer = call(second, "acme", place.keys["acme"], text="far")
    assert answer.json()["result"]["text"] == "far"
    assert answer.headers["x-hotswap-version"] == "1.0.0"
    assert executed(first) == before + 1
    assert executed(second) == 0


def test_without_a_peer_that_has_it_a_call_is_told_to_come_back(place):
    place.route(stable=place.publish("1.0.0"))
    instance = place.start("i-1", **NO_ROOM)
    answer = call(instance, "acme", place.keys["acme"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "1"
    assert Placement.objects.get().state == "failed"
    assert "in use" in Placement.objects.get().detail


def test_a_swap_fails_no_call(place):
    old, instances = place.serve("1.0.0", "i-1", "i-2")
    new = place.publish("1.1.0")
    with load(place, instances) as running:
        wait_until(lambda: len(running.records()) > 20, what="calls flow")
        for _ in range(2):
            _swap(place, instances, old, new)
            old, new = new, old
        wait_until(lambda: _last_version(running) == "1.0.0", what="calls are back on 1.0.0")
        records = running.stop()
    assert [record for record in records if not record.ok] == []
    assert {record.version for record in records} == {"1.0.0", "1.1.0"}


def _swap(place, instances, old, new):
    """As a deployment does it, in the rows that instances read."""
    place.route(warm=new, warm_until="2100-01-01T00:00:00Z")
    names = [f"i-{number + 1}" for number in range(len(instances))]
    for name in names:
        place.wait_placed(new, name)
    number = place.route(stable=new, warm=old, warm_until="2100-01-01T00:00:00Z")
    for name in names:
        place.wait_acked(number, name)
    number = place.route(warm=None, warm_until=None)
    for name in names:
        gone = Placement.objects.filter(instance__name=name, version=old)
        wait_until(lambda gone=gone: not gone.exists(), what=f"{old} is unloaded")


def _last_version(running):
    records = running.records()
    return records[-1].version if records else ""


@pytest.fixture
def stopping(place):
    _, (instance,) = place.serve()
    place.instance = instance
    return place


def test_a_stopping_instance_finishes_its_calls_and_leaves_nothing(stopping):
    instance, key = stopping.instance, stopping.keys["acme"]
    children = descendants(instance.pid)
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(call, instance, "acme", key, "once", seconds=1.0)
        wait_until(lambda: _busy(instance), what="the slow call runs")
        instance.stop()
        assert slow.result().json()["outcome"] == "ok"
    assert instance.popen.returncode == 0
    row = Instance.objects.get(name="i-1")
    assert row.stopped_at is not None
    assert not row.is_ready
    assert [pid for pid in children if _is_alive(pid)] == []
    with pytest.raises(httpx.ConnectError):
        call(instance, "acme", key)


def _busy(instance):
    rows = Placement.objects.filter(instance__name="i-1", processes__gte=1)
    return rows.exists()


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
