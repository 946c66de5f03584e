"""Files that run by themselves or hide others (P12), entry points elsewhere (P13), and code that
is not plain Python (P14).
"""

import io
import tarfile

import pytest

from tests.artifacts import Member, plugin_zip, wheel_bytes, with_member, zip_bytes
from tests.attack.registry.hostile import Attack, table

pytestmark = pytest.mark.django_db
EVIL = "import os; os.system('touch /tmp/evil')\n"


def hook(name):
    return Attack(
        plugin_zip({name: EVIL}),
        "startup_hook",
        (name, "would run when Python starts", "put what it does into the plugin's module"),
    )


def shadow(name, module):
    return Attack(
        plugin_zip({name: EVIL}), "shadowed_module", (name, f"the module '{module}'", "rename it")
    )


def bytecode(name):
    return Attack(plugin_zip({name: b"\xa7\r\r\n"}), "bytecode", (name, "pack sources only"))


SELF_STARTING = {
    "a .pth file": hook("evil.pth"),
    "a .pth file in capitals": hook("EVIL.PTH"),
    "a .pth file below": hook("lib/python3.11/site-packages/evil.pth"),
    "a .pth file of setuptools": hook("distutils-precedence.pth"),
    "sitecustomize": hook("sitecustomize.py"),
    "sitecustomize in capitals": hook("SiteCustomize.py"),
    "sitecustomize as a package": hook("sitecustomize/__init__.py"),
    "sitecustomize as machine code": hook("sitecustomize.cpython-311-x86_64-linux-gnu.so"),
    "usercustomize": hook("usercustomize.py"),
    "an empty directory that is named sitecustomize": Attack(
        with_member(Member(b"sitecustomize/", mode=0o040755)),
        "startup_hook",
        ("sitecustomize", "would run"),
    ),
    "json": shadow("json.py", "json"),
    "json in capitals": shadow("JSON.py", "json"),
    "json with a long s": Attack(
        plugin_zip({"j\u017fon.py": EVIL}), "shadowed_module", (r"j\u017fon.py", "rename it")
    ),
    "socket": shadow("socket.py", "socket"),
    "asyncio as a package": shadow("asyncio/__init__.py", "asyncio"),
    "a part of asyncio without the package": shadow("asyncio/evil.py", "asyncio"),
    "data in place of a module of Python": shadow("encodings/words.txt", "encodings"),
    "an accelerator of Python": shadow("_json.cpython-311-x86_64-linux-gnu.so", "_json"),
    "a builtin module": shadow("sys.py", "sys"),
    "a stable-ABI module of Python": shadow("select.abi3.so", "select"),
    "HotSwap": shadow("hotswap.py", "hotswap"),
    "a part of HotSwap": shadow("hotswap/evil.py", "hotswap"),
    "the kit that plugins import": shadow("hotswap_plugin/__init__.py", "hotswap_plugin"),
    "a part of that kit": shadow("hotswap_plugin/evil.py", "hotswap_plugin"),
    "the program that runs plugins": shadow("hotswap_runtime/calls.py", "hotswap_runtime"),
    "bytecode in place of a source": bytecode("echo.pyc"),
    "bytecode beside its source": bytecode("__pycache__/echo.cpython-311.pyc"),
    "optimised bytecode": bytecode("lib/__pycache__/x.cpython-311.opt-2.pyc"),
    "bytecode of old": bytecode("lib/x.pyo"),
    "bytecode in capitals": bytecode("Echo.PYC"),
    "bytecode of a module of Python": bytecode("json.pyc"),
    "something else in a directory of bytecode": bytecode("lib/__PyCache__/notes.txt"),
    "an empty directory of bytecode": Attack(
        with_member(Member(b"__pycache__/", mode=0o040755)), "bytecode", ("pack sources only",)
    ),
}


@pytest.mark.parametrize(**table(SELF_STARTING))
def test_an_artifact_is_refused_with(refused, attack):
    """P12"""
    refused(attack)


@pytest.mark.parametrize(
    "name", ["lib/json.py", "lib/sitecustomize.py", "jsonish.py", "__init__.py"]
)
def test_a_name_that_hides_nothing_is_taken(echo, upload, name):
    """P12: only the root is searched for modules."""
    assert upload(plugin_zip({name: ""})).status_code == 201


def entry(point, code="invalid_manifest", says=("entry_point",), files=None):
    return Attack(plugin_zip(files, entry_point=point), code, says)


OWN = ("entry_point", "is Python's or HotSwap's own")
FORM = ("entry_point", "write module:object")
ABSENT = ("is not in the artifact", "correct entry_point")
ENTRY_POINTS = {
    "a function of Python": entry("os:system", says=OWN),
    "a function of a package of Python": entry("importlib.machinery:PathFinder", says=OWN),
    "a builtin": entry("builtins:eval", says=OWN),
    "HotSwap itself": entry("hotswap.settings:SECRET_KEY", says=OWN),
    "the kit": entry("hotswap_plugin:Plugin", says=OWN),
    "the program that runs plugins": entry("hotswap_runtime:main", says=OWN),
    "a package that is elsewhere": entry("django:VERSION", code="no_entry_point", says=ABSENT),
    "a module of the artifact that is not there": entry(
        "echo.os:system", code="no_entry_point", says=ABSENT
    ),
    "a module below a file": entry("echo.echo:Echo", code="no_entry_point", says=ABSENT),
    "a directory of data": entry(
        "data:Echo", code="no_entry_point", says=ABSENT, files={"data/words.txt": ""}
    ),
    "a module in another case": entry("Echo:Echo", code="no_entry_point", says=ABSENT),
    "machine code": entry(
        "fast:Echo",
        code="native_code",
        says=("fast.so", "permissions.native"),
        files={"fast.so": b"\x7fELF"},
    ),
    "an attribute of an attribute": entry("echo:os.system", says=FORM),
    "a call": entry("echo:Echo()", says=FORM),
    "two colons": entry("echo:Echo:evil", says=FORM),
    "no object": entry("echo:", says=FORM),
    "no module": entry(":Echo", says=FORM),
    "a relative module": entry(".echo:Echo", says=FORM),
    "a module above": entry("..echo:Echo", says=FORM),
    "a path": entry("/tmp/echo:Echo", says=FORM),
    "an option of the interpreter": entry("-c:Echo", says=FORM),
    "a reserved word": entry("import:Echo", says=FORM),
    "letters that normalise to a module of Python": entry("\uff4fs:system", says=FORM),
    "a line feed": entry("echo:Echo\n", says=("entry_point", "one line")),
    "extras": entry("echo:Echo [evil]", says=FORM),
}


@pytest.mark.parametrize(**table(ENTRY_POINTS))
def test_an_entry_point_is_refused_that_is(refused, attack):
    """P13"""
    refused(attack)


def native(name, content):
    return Attack(
        plugin_zip({name: content}),
        "native_code",
        (name, "is machine code", "permissions.native = true", "an approver must agree"),
    )


def source(name):
    return Attack(plugin_zip({name: EVIL}), "sdist", (name, "source distribution", "build a wheel"))


def tarball(mode):
    """What ``python -m build --sdist`` makes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        info = tarfile.TarInfo("echo-1.0.0/setup.py")
        info.size = len(EVIL)
        archive.addfile(info, io.BytesIO(EVIL.encode()))
    return buffer.getvalue()


def no_zip(content, name):
    return Attack(content, "not_a_zip", ("not a zip or wheel", "build a wheel"), name=name)


FOREIGN = {
    "a shared object": native("fast.so", b"x"),
    "a shared object of one Python": native("fast.cpython-311-x86_64-linux-gnu.so", b"x"),
    "a shared object in capitals": native("FAST.SO", b"x"),
    "a shared object with a version": native("lib/libevil.so.1.2", b"x"),
    "a library of Windows": native("fast.pyd", b"x"),
    "a library of macOS": native("lib/libevil.dylib", b"x"),
    "a program under another name": native("data/words.txt", b"\x7fELF\2\1\1"),
    "a program of Windows under another name": native("data/words.txt", b"MZ\x90\0"),
    "a program of macOS under another name": native("data/words.txt", b"\xcf\xfa\xed\xfe"),
    "a program for two processors": native("data/words.txt", b"\xca\xfe\xba\xbe"),
    "a program without its permission, said aloud": Attack(
        plugin_zip({"fast.so": b"x"}, permissions={"native": False}),
        "native_code",
        ("fast.so", "permissions.native"),
    ),
    "a shared object in a wheel": Attack(
        wheel_bytes(extra={"fast.so": b"\x7fELF"}),
        "native_code",
        ("fast.so", "permissions.native"),
        name="echo-1.0.0-cp311-cp311-linux_x86_64.whl",
    ),
    "setup.py": source("setup.py"),
    "setup.py in its directory": source("echo-1.0.0/setup.py"),
    "setup.py in capitals": source("Setup.PY"),
    "a tarball": no_zip(tarball("w:gz"), "echo-1.0.0.tar.gz"),
    "a tarball under a wheel's name": no_zip(tarball("w"), "echo-1.0.0-py3-none-any.whl"),
    "an egg's metadata alone": Attack(
        zip_bytes({"EGG-INFO/PKG-INFO": "Name: echo\n", "echo.py": ""}),
        "no_manifest",
        ("hotswap.toml", "add it"),
        name="echo-1.0.0-py3.11.egg",
    ),
}


@pytest.mark.parametrize(**table(FOREIGN))
def test_an_artifact_is_refused_that_has(refused, attack):
    """P14"""
    refused(attack)


def test_machine_code_with_its_permission_is_taken(echo, upload):
    """P14: the way out that the refusal names."""
    answer = upload(plugin_zip({"fast.so": b"\x7fELF"}, permissions={"native": True}))

    assert answer.status_code == 201, answer.json()
