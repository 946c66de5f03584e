"""Which version serves a tenant, and which versions must be loaded for that."""

from hypothesis import given
from hypothesis import strategies as st

from deployments.instance.facts import AdmissionFact, HoldFact
from deployments.routing import Rule, choose_version
from tests.instance.facts import installation, route, shard, version

NOW = 1000.0
VERSIONS = ("v1", "v2", "v3", "v4")
ids = st.one_of(st.none(), st.sampled_from(VERSIONS))
times = st.one_of(st.none(), st.floats(0, 2000))


def decide(plugin, install, tenant="acme"):
    return choose_version(plugin, tenant, install, NOW)


def with_rules(**changes):
    """A shard in which every rule names a version of its own for acme."""
    admission = AdmissionFact("a", "d", "acme", "p", True)
    hold = HoldFact("h", "acme", "p", "v3", True)
    fields = {
        "route": route(candidate_id="v2", deployment_id="d"),
        "admissions": {"a": admission},
        "open_holds": {"h": hold},
        "versions": {name: version(name) for name in VERSIONS},
    }
    return shard(**fields | changes)


def test_the_rules_apply_in_their_order():
    pinned = installation(pinned_version_id="v4")
    assert decide(with_rules(route=route(is_killed=True)), pinned).rule is Rule.KILLED
    assert decide(with_rules(route=route(is_active=False)), pinned).rule is Rule.KILLED
    assert decide(with_rules(), installation(is_enabled=False)).rule is Rule.DISABLED
    assert decide(with_rules(), None).rule is Rule.DISABLED
    assert decide(with_rules(), pinned) == decide(with_rules(open_holds={}), pinned)
    assert decide(with_rules(), pinned).version_id == "v4"
    assert decide(with_rules(), installation()).version_id == "v3"
    assert decide(with_rules(open_holds={}), installation()).version_id == "v2"
    assert decide(with_rules(open_holds={}, admissions={}), installation()).version_id == "v1"
    assert decide(shard(route=route(stable_id=None)), installation()).rule is Rule.UNDEPLOYED


def test_an_expired_pin_counts_for_nothing():
    until = installation(pinned_version_id="v4", pin_expires_at=NOW)
    assert decide(shard(), until).rule is Rule.STABLE
    later = installation(pinned_version_id="v4", pin_expires_at=NOW + 1)
    assert decide(shard(), later).rule is Rule.PIN


def test_an_admission_of_another_deployment_counts_for_nothing():
    old = {"a": AdmissionFact("a", "before", "acme", "p", True)}
    plugin = with_rules(open_holds={}, admissions=old)
    assert decide(plugin, installation()).rule is Rule.STABLE


@st.composite
def shards(draw):
    deployment = draw(st.sampled_from((None, "d")))
    fields = {
        "stable_id": draw(ids),
        "candidate_id": draw(ids) if deployment else None,
        "deployment_id": deployment,
        "warm_id": draw(ids),
        "warm_until": draw(times),
        "candidate_spares": draw(st.integers(0, 5)),
        "is_killed": draw(st.booleans()),
        "is_active": draw(st.booleans()),
    }
    tenants = ("acme", "globex")
    installs = {
        tenant: installation(
            tenant,
            is_enabled=draw(st.booleans()),
            pinned_version_id=draw(ids),
            pin_expires_at=draw(times),
        )
        for tenant in tenants
    }
    admitted = draw(st.sets(st.sampled_from(tenants)))
    held = draw(st.dictionaries(st.sampled_from(tenants), st.sampled_from(VERSIONS)))
    return shard(
        route=route(**fields),
        installations=installs,
        admissions={t: AdmissionFact(t, "d", t, "p", True) for t in admitted},
        open_holds={t: HoldFact(t, t, "p", v, True) for t, v in held.items()},
        versions={name: version(name) for name in VERSIONS},
    )


@given(shards())
def test_whatever_a_tenant_is_routed_to_must_be_loaded(plugin):
    desired = plugin.desired(NOW)
    for tenant, install in plugin.installations.items():
        decision = decide(plugin, install, tenant)
        assert decision.version_id is None or decision.version_id in desired


@given(shards())
def test_nothing_is_loaded_that_no_row_names(plugin):
    assert set(plugin.desired(NOW)) <= plugin.referenced_versions()
    assert plugin.desired(NOW) == {} or plugin.is_active


@given(shards())
def test_nothing_changes_before_the_next_change(plugin):
    after = plugin.next_change(NOW)
    moments = [NOW, (NOW + min(after, NOW + 5000)) / 2]
    assert len({tuple(sorted(plugin.desired(at))) for at in moments}) == 1


def test_a_revoked_version_is_not_loaded_whoever_names_it():
    plugin = shard(versions={"v1": version(status="revoked")})
    assert plugin.desired(NOW) == {}


def test_the_candidate_gets_the_spares_that_its_route_asks_for():
    plugin = with_rules(route=route(candidate_id="v2", deployment_id="d", candidate_spares=4))
    assert plugin.desired(NOW)["v2"].extra_spares == 4
    assert plugin.desired(NOW)["v1"].extra_spares == 0
