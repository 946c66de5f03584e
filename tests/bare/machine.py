"""A minimal Debian 12 made by debootstrap, with only the package settings of this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "bare"
ENTER = Path(__file__).with_name("enter.sh")
CERTIFICATES = "/etc/ssl/machine-ca.crt"
LONGEST_SECONDS = 1500
# Where packages come from, and through what, is the machine's business: it is handed on as it is.
_HANDED_ON = re.compile(
    r"(?i)(https?|no|all)_proxy|PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|PIP_TRUSTED_HOST"
)
_SILENCED_SERVICES = "#!/bin/sh\nexit 101\n"


class CannotBeMadeError(Exception):
    """Why there can be no such machine here."""


class Machine:
    """One tree; every command in it has its own processes, which end with the command."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree

    @classmethod
    def make(cls, directory: Path) -> "Machine":
        """A fresh copy in ``directory``; raises CannotBeMadeError."""
        base = _base()
        _run(["tar", "--numeric-owner", "-xpf", base, "-C", directory])
        return cls(directory)

    def run(self, *command: str, directory: str = "/root") -> subprocess.CompletedProcess[str]:
        """Run ``command`` as root; output and errors are in ``stdout``."""
        within = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", directory, *command]
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
             "--propagation", "private", "sh", str(ENTER), str(self.tree), *within],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )  # fmt: skip


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if _HANDED_ON.fullmatch(name)}
    authorities = dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"), CERTIFICATES)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**own, **authorities, "PATH": path, "HOME": "/root", "LANG": "C.UTF-8"}


def _base() -> Path:
    """The archive that every machine is unpacked from, made once."""
    base = CACHE / "bookworm.tar"
    if base.exists():
        return base
    if os.geteuid() != 0:
        raise CannotBeMadeError("only root can make another machine")
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = CACHE / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    _run([_debootstrap(), "--variant=minbase", "bookworm", fresh, *_mirror()])
    _hand_on_package_settings(fresh)
    _run(["tar", "--numeric-owner", "-cpf", base.with_suffix(".new"), "-C", fresh, "."])
    base.with_suffix(".new").rename(base)
    shutil.rmtree(fresh)
    return base


def _debootstrap() -> str:
    if shutil.which("debootstrap") is None and shutil.which("apt-get"):
        _run(["apt-get", "update"])
        _run(["apt-get", "install", "-y", "--no-install-recommends", "debootstrap"])
    found = shutil.which("debootstrap")
    if found is None:
        raise CannotBeMadeError("debootstrap cannot be had here")
    return found


def _mirror() -> Iterator[str]:
    """The mirror that this machine uses, if it says so in the present or the older form."""
    for file in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        text = file.read_text() if file.exists() else ""
        found = re.search(r"^(?:URIs: *|deb +)(\S+)", text, re.MULTILINE)
        if found:
            yield found.group(1)
            return


def _hand_on_package_settings(tree: Path) -> None:
    apt = tree / "etc" / "apt"
    shutil.rmtree(apt / "sources.list.d", ignore_errors=True)
    (apt / "sources.list").unlink(missing_ok=True)
    shutil.copytree(
        "/etc/apt/sources.list.d",
        apt / "sources.list.d",
        ignore=shutil.ignore_patterns("*disabled*"),
    )
    if Path("/etc/apt/sources.list").exists():
        shutil.copy("/etc/apt/sources.list", apt)
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        if "Proxy" in file.read_text(errors="replace"):
            shutil.copy(file, apt / "apt.conf.d")
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{name}", tree / "etc" / name)
    authorities = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    (tree / "etc" / "ssl").mkdir(exist_ok=True)
    shutil.copyfile(authorities, tree / CERTIFICATES.lstrip("/"))
    policy = tree / "usr" / "sbin" / "policy-rc.d"
    policy.write_text(_SILENCED_SERVICES)
    policy.chmod(0o755)


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # The addresses in the output are this machine's own business.
        raise CannotBeMadeError(f"{Path(command[0]).name} failed ({done.returncode})")
