"""Changed rows make a new snapshot of the parts that they touch, and of no other."""

from dataclasses import replace

from deployments.instance.changes import (
    CredentialRows,
    RoutingRows,
    apply_credentials,
    apply_routing,
)
from deployments.instance.facts import AdmissionFact, HoldFact, MemberFact, SealedFact, TenantFact
from tests.instance.facts import credentials, installation, key, route, shard, version


def apply(rows, shards=None, versions=()):
    known = {each.id: each for each in versions}

    def read_versions(ids):
        return [known[each] for each in ids if each in known]

    return apply_routing(
        {"p": shard()} if shards is None else shards,
        rows,
        read_versions,
        lambda ids: dict.fromkeys(ids, "echo"),
    )


def test_an_untouched_plugin_keeps_its_shard():
    before = {"p": shard(), "q": replace(shard(), id="q", name="other")}
    after = apply(RoutingRows(routes=(route(stable_id="v2"),)), before, [version("v2")])
    assert after["q"] is before["q"]
    assert after["p"].stable_id == "v2"
    assert before["p"].stable_id == "v1"


def test_the_status_of_a_touched_plugins_versions_is_read_again():
    revoked = version("v1", status="revoked")
    assert apply(RoutingRows(routes=(route(),)), None, [revoked])["p"].versions == {"v1": revoked}


def test_an_installation_is_known_before_anything_is_deployed():
    after = apply(RoutingRows(installations=(installation(),)), {})
    assert after["p"].name == "echo"
    assert after["p"].stable_id is None


def test_tombstones_take_rows_away():
    admission = AdmissionFact("a", "d", "acme", "p", True)
    hold = HoldFact("h", "acme", "p", "v1", True)
    opened = apply(RoutingRows(admissions=(admission,), holds=(hold,)), None, [version()])
    assert opened["p"].holds == {"acme": "v1"}
    closed = RoutingRows(
        admissions=(replace(admission, is_open=False),), holds=(replace(hold, is_open=False),)
    )
    after = apply(closed, opened, [version()])
    assert (after["p"].admissions, after["p"].holds) == ({}, {})


def test_what_was_computed_from_old_rows_is_not_kept():
    opened = apply(
        RoutingRows(
            routes=(route(deployment_id="d", candidate_id="v2"),),
            admissions=(AdmissionFact("a", "d", "acme", "p", True),),
        )
    )
    assert opened["p"].admitted == {"acme"}
    after = apply(RoutingRows(admissions=(AdmissionFact("b", "d", "globex", "p", True),)), opened)
    assert after["p"].admitted == {"acme", "globex"}


def test_sealed_secrets_go_to_the_plugin_of_their_installation():
    rows = RoutingRows(installations=(installation(),), sealed=(SealedFact("i-acme", 1, "k", ""),))
    after = apply(rows, {})
    assert after["p"].sealed["i-acme"].epoch == 1


def test_removed_members_and_revoked_keys_are_forgotten():
    before = credentials(keys={"digest": key("digest")})
    rows = CredentialRows(
        number=6,
        tenants=(TenantFact("acme", "acme", False),),
        members=(MemberFact(10, "acme", 1, False),),
        keys=(key("digest", is_revoked=True),),
    )
    after = apply_credentials(before, rows)
    assert (after.number, after.members, after.keys) == (6, {}, {})
    assert not after.tenants["acme"].is_active
    assert after.users is before.users
    assert before.tenants_of_user[1] == {"acme"}
    assert after.tenants_of_user == {}
