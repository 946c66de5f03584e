"""Jails and their host processes: sudden death, two on one machine, ordinary users."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine.interpreter import Interpreter, ask_interpreter, copied, find_interpreter
from sandbox.engine.jail import JailSettings
from sandbox.engine.result import OutcomeCode
from sandbox.engine.uids import NoUidLeft, UidPool, default_uid_range, is_mapped
from tests.sandbox.toolbox import Pools
from tests.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534


def test_a_host_killed_with_kill_9_leaves_no_process(pools: Pools):
    layer = pools.spec().layers[0]
    command = [
        sys.executable,
        "-m",
        "tests.sandbox.host_to_kill",
        str(pools.jail.layers_root),
        str(layer),
    ]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as host:
        pids = host.stdout.readline().split()
        assert len(pids) >= 3
        os.kill(host.pid, signal.SIGKILL)
    wait_until(lambda: not [pid for pid in pids if is_running(pid)], what="the jails' end")


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def ordinary_home() -> Iterator[Path]:
    """What an ordinary user needs to run the engine: a home, the sources and the dependencies."""
    if os.geteuid() != 0:
        pytest.skip("this is the ordinary user already")
    home = Path(tempfile.mkdtemp(prefix="ordinary-"))
    source = home / "source"
    shutil.copytree(REPOSITORY / "sandbox" / "engine", source / "sandbox" / "engine")
    (source / "sandbox" / "__init__.py").touch()
    packages = Path(sys.modules["orjson"].__file__).parents[1]
    for name in ("orjson", "pyseccomp.py"):
        origin = packages / name
        (shutil.copytree if origin.is_dir() else shutil.copy)(origin, source / name)
    for directory, _, files in os.walk(home):
        for path in (Path(directory), *(Path(directory, file) for file in files)):
            os.chown(path, NOBODY, NOBODY)
    yield home
    shutil.rmtree(home)


def test_an_ordinary_user_has_jails_too(ordinary_home: Path, jail: JailSettings):
    interpreter = ask_interpreter(Path(f"/usr/bin/python3.{sys.version_info.minor}"))
    if interpreter is None:
        pytest.skip("no interpreter here that another user could start")
    code = """if True:
        from pathlib import Path
        from sandbox.engine.jail import JailSettings
        from sandbox.engine.machine import describe_machine
        report = describe_machine(JailSettings(Path.home() / 'layers'))
        print(report.tier, report.problems, report.attestation and report.attestation.host_uid)"""
    done = subprocess.run(
        [interpreter.program, "-c", code],
        env={"HOME": str(ordinary_home), "PYTHONPATH": str(ordinary_home / "source")},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd=ordinary_home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"confined () {NOBODY}\n", done.stderr


def test_two_hosts_on_one_machine_never_hand_out_the_same_uid(tmp_path: Path):
    first, second = (UidPool((5000, 5511), tmp_path) for _ in range(2))
    mine = {first.claim() for _ in range(200)}
    theirs = {second.claim() for _ in range(200)}
    assert not mine & theirs
    first.close()
    second.close()


def test_a_range_that_is_used_up_says_so(tmp_path: Path):
    pool, late = UidPool((5000, 5009), tmp_path), UidPool((5000, 5009), tmp_path)
    assert [pool.claim() for _ in range(10)] == list(range(5000, 5010))
    for full in (pool, late):
        with pytest.raises(NoUidLeft, match="HOTSWAP_JAIL_UIDS"):
            full.claim()
    pool.release(5003)
    assert pool.claim() == 5003
    pool.close()


def test_a_uid_comes_back_as_late_as_possible(tmp_path: Path):
    pool = UidPool((5000, 5003), tmp_path)
    first = pool.claim()
    pool.release(first)
    assert [pool.claim() for _ in range(4)] == [5001, 5002, 5003, first]
    pool.close()


def test_the_range_fits_the_containers_uid_map(tmp_path: Path):
    uid_map = tmp_path / "uid_map"
    uid_map.write_text("         0     100000      65536\n")
    if os.geteuid() == 0:
        assert default_uid_range(uid_map) == (20_000, 52_767)
    assert is_mapped(65_535, uid_map.read_text())
    assert not is_mapped(65_536, uid_map.read_text())


def test_an_interpreter_that_only_root_can_read_is_copied_once(jail: JailSettings, tmp_path: Path):
    own = find_interpreter(None, jail.layers_root / "python")
    small = tmp_path / "lib"
    (small / "site-packages").mkdir(parents=True)
    (small / "os.py").write_text("")
    hidden = Interpreter(own.program, small, None, own.minor, own.version)
    copies = jail.layers_root / "copies"
    first = copied(hidden, copies)
    assert first.is_readable_by_all()
    assert (first.stdlib / "os.py").exists()
    assert not (first.stdlib / "site-packages").exists()
    assert copied(hidden, copies) == first
    assert len(list(copies.iterdir())) == 1


def test_the_loop_of_asyncio_will_do_too(pools: Pools):
    async def story() -> None:
        pool = await pools.open()
        outcome = await pool.run("import time; time.sleep(60)", wall=0.2)
        assert outcome.code is OutcomeCode.TIMEOUT
        assert await pool.value("print('x'); result = 1") == 1
        await pool.pool.drain(1)

    asyncio.run(story())


async def test_a_copied_interpreter_runs_plugins(pools: Pools, jail: JailSettings):
    own = ask_interpreter(Path(sys.executable))
    if own.is_readable_by_all() or os.geteuid() != 0:
        pytest.skip("the interpreter of this machine needs no copy")
    pools.jail = replace(jail, python=Path(sys.executable))
    pool = await pools.open()
    assert await pool.value("import json, ssl, sys; result = sys.version.split()[0]") == own.version
