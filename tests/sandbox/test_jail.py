"""What a plugin sees of the host and of its neighbours: nothing."""

import dataclasses
import os
import socket
import tempfile
from pathlib import Path

import pytest

from sandbox.engine.attestation import Tier
from sandbox.engine.jail import JailSettings
from sandbox.engine.result import JailUnavailable
from sandbox.engine.uids import UidPool
from tests.sandbox.toolbox import ACME, GLOBEX, Pools, call

EPERM, EACCES, ENOSYS, EROFS = 1, 13, 38, 30
SYSCALL = """
import ctypes
def syscall(*numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(*(ctypes.c_long(number) for number in numbers))
    return ctypes.get_errno() if done < 0 else 0
"""


async def test_every_jail_has_the_mechanisms_of_the_highest_tier_here(pools: Pools):
    pool = pools.prepare(pools.spec())
    attestation = await pool.start()
    assert attestation.missing_for(Tier.CONFINED) == []
    if os.geteuid() == 0:
        assert attestation.own_uid
        assert attestation.host_uid >= 1_910_000_000


async def test_two_jails_have_two_host_uids(pools: Pools):
    if os.geteuid() != 0:
        pytest.skip("an ordinary user has one uid")
    pool = await pools.open()
    for tenant in (ACME, GLOBEX):
        assert (await pool.call(tenant, call("echo"))).ok
    processes = pool.pool._processes()
    uids = {Path(f"/proc/{each.jailed.first}").stat().st_uid for each in processes}
    assert len(uids) == 2
    assert 0 not in uids


async def test_the_environment_is_empty(pools: Pools, monkeypatch):
    monkeypatch.setenv("HOTSWAP_SECRET_KEY", "canary")
    pool = await pools.open()
    assert await pool.value("import os; result = dict(os.environ)") == {}


async def test_the_hosts_environment_is_not_in_the_kernel_either(pools, monkeypatch):
    monkeypatch.setenv("HOTSWAP_SECRET_KEY", "canary-of-the-host")
    pool = await pools.open()
    assert (await pool.call(ACME, call("echo"))).ok
    first = pool.pool._processes()[0].jailed.first
    assert b"canary" not in Path(f"/proc/{first}/environ").read_bytes()
    assert await pool.value("import os; result = os.path.exists('/proc')") is False


async def test_only_the_streams_and_the_wire_are_open(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import os
        result = []
        for number in range(256):
            try: os.fstat(number); result.append(number)
            except OSError: pass"""
    assert await pool.value(code) == [0, 1, 2, 3]


async def test_nothing_of_the_host_is_visible(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import os
        paths = ['/etc/passwd', '/etc/shadow', '/root', '/home', '/var', '/run', '/sys', '/proc',
                 '/bin', '/usr/bin', '/sbin', '/boot', '/mnt', '/opt', '/work']
        result = [sorted(os.listdir('/')), [path for path in paths if os.path.lexists(path)]]"""
    top, visible = await pool.value(code)
    assert set(top) <= {"dev", "layers", "lib", "lib64", "python", "runtime", "tmp", "usr"}
    assert visible == []


@pytest.mark.parametrize(
    "path",
    ["/x", "/runtime/x", "/layers/0/x", "/python/x", "/usr/x", "/dev/x", "/layers/0/plugin.py"],
)
async def test_only_the_scratch_directory_can_be_written(pools: Pools, path: str):
    pool = await pools.open()
    code = f"""if True:
        try: open({path!r}, 'w'); result = 0
        except OSError as error: result = error.errno"""
    assert await pool.value(code) in (EACCES, EROFS, EPERM)
    assert await pool.value("open('/tmp/x', 'w').write('x'); result = 1") == 1


async def test_a_program_written_to_the_scratch_directory_does_not_start(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import os, shutil
        shutil.copy('/python/bin/' + os.listdir('/python/bin')[0], '/tmp/x')
        os.chmod('/tmp/x', 0o755)
        try: os.execv('/tmp/x', ['x']); result = 0
        except OSError as error: result = error.errno"""
    assert await pool.value(code) == EACCES


@pytest.mark.parametrize("address", ["127.0.0.1", "1.1.1.1", "169.254.169.254", "::1"])
async def test_there_is_no_network(pools: Pools, address: str):
    pool = await pools.open()
    code = f"""if True:
        import socket
        family = socket.AF_INET6 if ':' in {address!r} else socket.AF_INET
        try: socket.socket(family).connect(({address!r}, 80)); result = 'connected'
        except OSError as error: result = 'refused'"""
    assert await pool.value(code) == "refused"


async def test_a_listening_socket_of_the_host_is_out_of_reach(pools: Pools):
    pool = await pools.open()
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        name = f"\0hotswap-test-{os.getpid()}"
        abstract.bind(name)
        abstract.listen()
        code = f"""if True:
            import socket
            result = []
            here = ('127.0.0.1', {tcp.getsockname()[1]})
            for family, address in ((socket.AF_INET, here), (socket.AF_UNIX, {name!r})):
                try: socket.socket(family).connect(address); result.append('connected')
                except OSError: result.append('refused')"""
        assert await pool.value(code) == ["refused", "refused"]


@pytest.mark.parametrize(
    "family", ["AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_BLUETOOTH"]
)
async def test_other_kinds_of_sockets_are_refused(pools: Pools, family: str):
    pool = await pools.open()
    code = f"""if True:
        import socket
        try: socket.socket(socket.{family}, socket.SOCK_DGRAM); result = 0
        except OSError as error: result = error.errno"""
    assert await pool.value(code) == EPERM


@pytest.mark.parametrize(
    ("name", "numbers", "expected"),
    [
        ("ptrace", (101, 0, 0, 0, 0), EPERM),
        ("mount", (165, 0, 0, 0, 0, 0), EPERM),
        ("umount2", (166, 0, 0), EPERM),
        ("chroot", (161, 0), EPERM),
        ("pivot_root", (155, 0, 0), EPERM),
        ("unshare user", (272, 0x10000000), EPERM),
        ("clone user", (56, 0x10000000 | 17, 0, 0, 0, 0), EPERM),
        ("clone3", (435, 0, 0), ENOSYS),
        ("setns", (308, 0, 0), EPERM),
        ("keyctl", (250, 0, 0, 0, 0, 0), EPERM),
        ("io_uring_setup", (425, 1, 0), EPERM),
        ("bpf", (321, 0, 0, 0), EPERM),
        ("perf_event_open", (298, 0, 0, 0, 0, 0), EPERM),
        ("userfaultfd", (323, 0), EPERM),
        ("process_vm_readv", (310, 1, 0, 0, 0, 0, 0), EPERM),
        ("open_by_handle_at", (304, 0, 0, 0), EPERM),
        ("mknod", (133, 0, 0, 0), EPERM),
        ("move_mount", (429, 0, 0, 0, 0, 0), EPERM),
        ("TIOCSTI", (16, 0, 0x5412, 0), EPERM),
        ("TIOCSTI with high bits", (16, 0, 0x5412 + (1 << 32), 0), EPERM),
        ("TIOCLINUX", (16, 0, 0x541C, 0), EPERM),
        ("socket vsock with high bits", (41, 40 + (1 << 32), 1, 0), EPERM),
        ("personality", (135, 0x0040000), EPERM),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_system_call_that_no_plugin_needs_is_refused(pools, name, numbers, expected):
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    pool = await pools.open()
    assert await pool.value(f"{SYSCALL}\nresult = syscall{numbers}") == expected


async def test_limits_cannot_be_raised_and_root_cannot_be_had(pools: Pools):
    pool = await pools.open()
    code = """if True:
        import os, resource
        result = []
        for action in (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)),
                       lambda: os.setuid(0), lambda: os.nice(-5), lambda: os.kill(1, 9)):
            try: action(); result.append('done')
            except (OSError, ValueError): result.append('refused')"""
    refused = await pool.value(code)
    assert refused[:3] == ["refused"] * 3
    assert await pool.value("result = 'alive'") == "alive"


async def test_processes_of_the_host_and_of_neighbours_cannot_be_seen(pools: Pools):
    pool = await pools.open()
    assert (await pool.call(GLOBEX, call("echo"))).ok
    code = """if True:
        import os
        result = []
        for pid in range(1, 4000):
            try: os.kill(pid, 0); result.append(pid)
            except ProcessLookupError: pass
            except PermissionError: result.append(pid)"""
    assert len(await pool.value(code)) <= 2


async def test_less_than_the_minimum_is_refused(pools: Pools, jail: JailSettings):
    pools.jail = dataclasses.replace(jail, minimum=Tier.BOUNDED, cgroups=False)
    with pytest.raises(JailUnavailable, match=r"lacks a .*cgroup.* demands bounded"):
        await pools.prepare(pools.spec()).start()


async def test_a_root_that_jails_cannot_traverse_is_refused_with_the_way_out(pools, jail, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's jails read what the user reads")
    tmp_path.chmod(0o700)
    pools.jail = dataclasses.replace(jail, layers_root=tmp_path / "layers")
    spec = dataclasses.replace(pools.spec.__func__(Pools(jail)), layers=())
    with pytest.raises(JailUnavailable, match="HOTSWAP_LAYERS_DIR"):
        await pools.prepare(spec).start()


def test_uid_zero_is_never_in_the_range():
    with pytest.raises(ValueError, match="never runs as host uid 0"):
        UidPool((0, 100), Path(tempfile.gettempdir()))
