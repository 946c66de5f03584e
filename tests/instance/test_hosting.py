"""Placements are made true, with a loader of the test's own and no process."""

import asyncio
from dataclasses import replace

import pytest

from deployments.instance.hosting import Hosting
from deployments.instance.loaded import LoadedVersion, methods_of
from hotswap.lib.errors import UnavailableError
from plugins.manifest import load_manifest
from sandbox.engine.pool import PoolStatistics
from sandbox.engine.result import LoadFailed
from tests.artifacts import manifest_data
from tests.instance.facts import installation, route, shard, snapshot, version

MANIFEST = load_manifest(manifest_data())
FAR = 4e9


class Pool:
    def __init__(self):
        self.spares, self.drained, self.released = 1, False, []

    def statistics(self):
        return PoolStatistics(0, 0, 0, 0, self.spares, 0, 0)

    async def set_spares(self, count):
        self.spares = count

    async def release_tenant(self, tenant_id):
        self.released.append(tenant_id)

    async def examine(self, calls=(), attachment=None):
        raise LoadFailed("no process in this test")

    async def drain(self, seconds):
        self.drained = True


class Loader:
    """Loads at once; ``problems`` are raised first, ``gate`` holds a load back."""

    def __init__(self):
        self.problems, self.loads, self.gate = [], [], None

    async def load(self, fact, *, approved_only, spares, on_state):
        self.loads.append(fact.id)
        on_state("starting")
        if self.gate:
            await self.gate.wait()
        if self.problems:
            raise self.problems.pop()
        loaded = LoadedVersion(fact, MANIFEST, methods_of(MANIFEST), None, Pool())
        loaded.pool.spares = spares
        return loaded


def with_route(**fields):
    versions = {name: version(name) for name in ("v1", "v2")}
    return snapshot(shards={"p": shard(route=route(**fields), versions=versions)})


V1, V1_AND_V2 = with_route(), with_route(warm_id="v2", warm_until=FAR)


def scenario(test):
    """Run an async test with a hosting and its loader."""

    def run():
        async def inner():
            loader = Loader()
            await test(Hosting(loader, lambda: None), loader)

        asyncio.run(inner())

    run.__name__ = test.__name__
    return run


async def settle(condition):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not settle")


async def load_both(hosting):
    hosting.reconcile(V1_AND_V2)
    await settle(lambda: len(hosting.ready) == 2)


@scenario
async def test_what_is_wanted_is_loaded_once(hosting, loader):
    for _ in range(3):
        hosting.reconcile(V1)
        assert not hosting.is_settled(V1)
    await settle(lambda: "v1" in hosting.ready)
    assert hosting.is_settled(V1)
    assert loader.loads == ["v1"]
    assert hosting.rows()["v1"].state == "ready"


@scenario
async def test_what_is_not_wanted_any_more_ends_after_its_calls(hosting, _):
    await load_both(hosting)
    loaded = hosting.ready["v2"]
    loaded.begin()
    hosting.reconcile(V1)
    assert "v2" not in hosting.ready
    for _ in range(20):
        await asyncio.sleep(0)
    assert (hosting.rows()["v2"].state, loaded.pool.drained) == ("draining", False)
    loaded.finish()
    await settle(lambda: "v2" not in hosting.rows())
    assert loaded.pool.drained


@scenario
async def test_a_draining_version_that_is_wanted_again_goes_on(hosting, loader):
    await load_both(hosting)
    loaded = hosting.ready["v2"]
    loaded.begin()
    hosting.reconcile(V1)
    hosting.reconcile(V1_AND_V2)
    assert hosting.ready["v2"] is loaded
    loaded.finish()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not loaded.pool.drained
    assert sorted(loader.loads) == ["v1", "v2"]


@scenario
async def test_a_load_that_is_not_wanted_any_more_is_given_up(hosting, loader):
    loader.gate = asyncio.Event()
    hosting.reconcile(V1_AND_V2)
    await settle(lambda: len(loader.loads) == 2)
    hosting.reconcile(V1)
    assert set(hosting.rows()) == {"v1"}
    loader.gate.set()
    await settle(lambda: "v1" in hosting.ready)
    assert "v2" not in hosting.ready


@pytest.mark.parametrize(
    "problem",
    [LoadFailed("it broke", "Traceback\nValueError: no"), UnavailableError("away"), KeyError("x")],
)
def test_a_failed_load_says_why_and_is_tried_again(problem):
    @scenario
    async def run(hosting, loader):
        loader.problems = [problem]
        hosting.reconcile(V1)
        await settle(lambda: hosting.rows()["v1"].state == "failed")
        assert hosting.rows()["v1"].detail
        assert hosting.is_settled(V1)
        hosting.reconcile(V1)
        assert loader.loads == ["v1"]
        hosting.hosted["v1"].retry_at = 0
        hosting.reconcile(V1)
        await settle(lambda: "v1" in hosting.ready)
        assert hosting.rows()["v1"].detail == ""

    run()


@scenario
async def test_spares_follow_the_route(hosting, _):
    await load_both(hosting)
    hosting.reconcile(with_route(candidate_id="v2", deployment_id="d", candidate_spares=3))
    await settle(lambda: hosting.ready["v2"].pool.spares == 4)
    assert hosting.ready["v1"].pool.spares == 1


@scenario
async def test_a_disabled_installation_leaves_no_process(hosting, _):
    enabled = replace(V1.shards["p"], installations={"acme": installation()})
    before = snapshot(shards={"p": enabled})
    hosting.reconcile(before)
    await settle(lambda: "v1" in hosting.ready)
    loaded = hosting.ready["v1"]
    loaded.config = type("Anything", (), {"validate": staticmethod(lambda _: [])})
    loaded.attach(installation(), None, None)
    off = replace(enabled, installations={"acme": installation(is_enabled=False)})
    after = snapshot(shards={"p": off})
    hosting.release_disabled(before, after)
    await settle(lambda: loaded.pool.released == ["acme"])
    assert loaded.attached == {}


@scenario
async def test_a_stopping_instance_drains_everything_and_loads_nothing(hosting, loader):
    await load_both(hosting)
    pools = [loaded.pool for loaded in hosting.ready.values()]
    await hosting.stop(1)
    assert all(pool.drained for pool in pools)
    hosting.reconcile(V1_AND_V2)
    assert hosting.ready == {}


@scenario
async def test_a_probe_that_cannot_run_is_a_failed_probe(hosting, _):
    hosting.reconcile(V1)
    await settle(lambda: hosting.hosted and hosting.hosted["v1"].probe is not None)
    probe = hosting.rows()["v1"].probe
    assert probe["ok"] is False
    assert probe["failures"][0]["method"] == "echo"
