"""What this machine's jails can be, and how it is said when they cannot."""

import dataclasses
import os
import resource
from pathlib import Path

import pytest

from sandbox.engine.attestation import NAMESPACES, Attestation, Tier
from sandbox.engine.cgroup import CgroupAbsent, find_parent
from sandbox.engine.jail import JailSettings
from sandbox.engine.limits import hard_limits, jail_rlimits
from sandbox.engine.machine import describe_machine
from sandbox.engine.spec import Limits

BEST = Attestation(
    host_uid=5000,
    own_uid=True,
    namespaces=NAMESPACES,
    seccomp=True,
    no_new_privs=True,
    rlimits=True,
    landlock_abi=3,
    cgroup="v2",
)


def test_a_machine_that_can_make_jails_has_no_problems(jail: JailSettings):
    report = describe_machine(jail)
    assert report.problems == ()
    assert report.tier in ("namespaced", "confined", "bounded")


def test_a_missing_bubblewrap_is_named_with_its_fix(jail: JailSettings):
    report = describe_machine(dataclasses.replace(jail, bwrap="no-such-bwrap"))
    assert report.tier == "none"
    assert report.fixes == ("apt install bubblewrap",)


def test_a_bubblewrap_that_fails_is_quoted(jail: JailSettings):
    report = describe_machine(dataclasses.replace(jail, bwrap="/bin/false"))
    assert "bubblewrap could not make the jail" in report.problems[0]
    assert report.fixes


@pytest.mark.parametrize(
    ("change", "tier"),
    [
        ({}, Tier.BOUNDED),
        ({"cgroup": ""}, Tier.CONFINED),
        ({"own_uid": False}, Tier.CONFINED),
        ({"landlock_abi": 0}, Tier.NAMESPACED),
        ({"seccomp": False}, Tier.NONE),
        ({"no_new_privs": False}, Tier.NONE),
        ({"rlimits": False}, Tier.NONE),
        ({"host_uid": 0}, Tier.NONE),
        ({"namespaces": NAMESPACES - {"net"}}, Tier.NONE),
    ],
)
def test_a_tier_needs_all_of_its_mechanisms(change, tier: Tier):
    assert dataclasses.replace(BEST, **change).tier is tier


@pytest.fixture
def cgroup2(tmp_path: Path):
    """The files of a delegated v2 group, as plain files."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / str(os.getpid())).mkdir()
    (proc / "self/cgroup").write_text("0::/service\n")
    group = tmp_path / "cgroup" / "service"
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text("cpu memory pids\n")
    (group / "cgroup.subtree_control").write_text("")
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    return tmp_path


def test_v2_moves_the_host_to_a_leaf_and_hands_the_controllers_down(cgroup2: Path):
    find_parent(cgroup2 / "cgroup", cgroup2 / "proc")
    group = cgroup2 / "cgroup/service"
    assert (group / "hotswap-host/cgroup.procs").read_text() == str(os.getpid())
    assert (group / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_v2_bounds_memory_without_swap_and_processes(cgroup2: Path):
    parent = find_parent(cgroup2 / "cgroup", cgroup2 / "proc")
    jail = parent.create(Limits(memory_mb=64, pids=8))
    assert (jail.memory / "memory.max").read_text() == str(64 << 20)
    assert (jail.pids / "pids.max").read_text() == "9"
    jail.add(1234)
    assert (jail.memory / "cgroup.procs").read_text() == "1234"


def test_v2_counts_kills_for_want_of_memory(cgroup2: Path):
    jail = find_parent(cgroup2 / "cgroup", cgroup2 / "proc").create(Limits())
    (jail.memory / "memory.events").write_text(
        "low 0\nmax 4\noom 2\noom_kill 1\noom_group_kill 1\n"
    )
    assert jail.oom_kills() == 1


def test_groups_of_dead_hosts_are_removed(cgroup2: Path):
    group = cgroup2 / "cgroup/service"
    (group / "hotswap-999999999-ab/jail-1").mkdir(parents=True)
    (group / f"hotswap-{os.getpid()}-cd").mkdir()
    find_parent(cgroup2 / "cgroup", cgroup2 / "proc")
    assert not (group / "hotswap-999999999-ab").exists()
    assert (group / f"hotswap-{os.getpid()}-cd").exists()


def test_a_machine_without_controllers_says_so(tmp_path: Path):
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text("0::/\n")
    with pytest.raises(CgroupAbsent, match="neither cgroup v2 nor"):
        find_parent(tmp_path, tmp_path)


def test_address_space_bounds_memory_only_where_no_cgroup_does():
    with_cgroup = jail_rlimits(Limits(memory_mb=100), memory_is_bounded=True)
    without = jail_rlimits(Limits(memory_mb=100), memory_is_bounded=False)
    assert without[resource.RLIMIT_AS] == 228 << 20
    assert with_cgroup[resource.RLIMIT_AS] > 1 << 30


def test_the_limits_of_a_process_are_read_from_outside():
    limits = hard_limits(os.getpid())
    assert limits[resource.RLIMIT_NOFILE] == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
