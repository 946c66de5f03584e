"""Unpacked artifacts on this machine: one read-only tree per digest, verified before it is used.

root/<digest>/tree/          what jails mount, owned by us, read-only
root/<digest>/layer.json     the tree's digest, taken right after unpacking
root/.locks/<digest>         held while the layer is made or removed
root/.incoming/<digest>/     half-made; belongs to the holder of the lock
root/.quarantine/            trees that were found altered, for whoever investigates
"""

import fcntl
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from hotswap.lib.errors import InvalidInputError, UnavailableError
from plugins.treedigest import TreeRefusedError, own_tree, tree_digest

Fetch = Callable[[Path], None]
Unpack = Callable[[Path, Path], None]
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LayerTamperedError(UnavailableError):
    """What lies on this disk is not what was unpacked or uploaded; it is quarantined."""

    code = "layer_tampered"


class LayerCache:
    """Makes layers once per digest, whichever process asks first, and survives a kill at any point.

    ``unpack(artifact, directory)`` must leave its files in the directory and raise if it cannot; in
    production it does so in a jail, because archives come from strangers.
    """

    def __init__(self, root: Path, unpack: Unpack) -> None:
        self.root = root
        self._unpack = unpack

    def ensure(self, digest: str, fetch: Fetch) -> Path:
        """The tree of that artifact; ``fetch(path)`` must write the artifact when it is missing.

        A tree that is there is verified first: altered, it is moved aside and this raises; the next
        call makes it anew.
        """
        with self._locked(digest):
            if not self._home(digest).exists():
                self._make(digest, fetch)
            return self._verified(digest)

    def verify(self, digest: str) -> Path:
        """The tree, after its digest was computed again; raises ``LayerTamperedError``."""
        with self._locked(digest):
            return self._verified(digest)

    def remove(self, digest: str) -> None:
        """Forget the layer; nothing happens when there is none."""
        with self._locked(digest):
            remove_tree(self._home(digest))
            remove_tree(self._incoming(digest))

    def digests(self) -> list[str]:
        """The layers that are here, finished ones only."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if _DIGEST.fullmatch(path.name))

    def _home(self, digest: str) -> Path:
        return self.root / digest

    def _incoming(self, digest: str) -> Path:
        return self.root / ".incoming" / digest

    @contextmanager
    def _locked(self, digest: str) -> Iterator[None]:
        """One process at a time per digest; the kernel lets go when the holder dies."""
        if not _DIGEST.fullmatch(digest):
            raise InvalidInputError(f"{digest[:80]!r} is not a sha256 digest in lower-case hex.")
        locks = self.root / ".locks"
        self._prepare(locks)
        descriptor = os.open(locks / digest, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _prepare(self, locks: Path) -> None:
        """Jails of any uid must be able to walk to the trees, and see nothing else on the way."""
        try:
            _make_directory(self.root, 0o711)
            _make_directory(locks, 0o700)
        except OSError as error:
            raise UnavailableError(f"Layers cannot be kept in {self.root}: {error}.") from error

    def _make(self, digest: str, fetch: Fetch) -> None:
        incoming = self._incoming(digest)
        remove_tree(incoming)  # what a killed process left
        _make_directory(incoming.parent, 0o711)
        _make_directory(incoming, 0o755)
        try:
            self._fill(incoming, digest, fetch)
            incoming.rename(self._home(digest))
        except BaseException:
            remove_tree(incoming)
            raise

    def _fill(self, incoming: Path, digest: str, fetch: Fetch) -> None:
        artifact, tree = incoming / "artifact", incoming / "tree"
        fetch(artifact)
        _check_artifact(artifact, digest)
        artifact.chmod(0o444)
        _make_directory(tree, 0o755)
        self._unpack(artifact, tree)
        artifact.unlink()
        try:
            own_tree(tree)
            record = {"artifact": digest, "tree": tree_digest(tree)}
        except TreeRefusedError as error:
            raise LayerTamperedError(f"Unpacking {digest[:12]} left {error}.") from error
        (incoming / "layer.json").write_text(json.dumps(record))
        (incoming / "layer.json").chmod(0o444)

    def _verified(self, digest: str) -> Path:
        home = self._home(digest)
        if not home.exists():
            raise UnavailableError(f"Layer {digest[:12]} is not on this machine: fetch it first.")
        try:
            recorded = json.loads((home / "layer.json").read_bytes())["tree"]
            is_intact = recorded == tree_digest(home / "tree")
        except (OSError, ValueError, KeyError, TypeError, TreeRefusedError):
            is_intact = False
        if is_intact:
            return home / "tree"
        aside = self._quarantine(home)
        raise LayerTamperedError(
            f"Layer {digest[:12]} on this machine was altered after it was unpacked. It lies in "
            f"{aside} now; the next load fetches it again. Find out who can write to {self.root}."
        )

    def _quarantine(self, home: Path) -> Path:
        quarantine = self.root / ".quarantine"
        _make_directory(quarantine, 0o700)
        aside = quarantine / f"{home.name}-{time.time_ns()}"
        home.rename(aside)
        return aside


def remove_tree(path: Path) -> None:
    """Delete a tree of read-only directories; a missing one is fine."""
    if not path.exists():
        return
    for directory, _, _ in os.walk(path):
        if not stat.S_ISLNK(os.lstat(directory).st_mode):
            Path(directory).chmod(0o700)
    shutil.rmtree(path)


def _make_directory(path: Path, mode: int) -> None:
    """With exactly this mode, whatever the umask; one that exists stays as it is."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return
    path.chmod(mode)


def _check_artifact(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise LayerTamperedError(
            f"Artifact {digest[:12]} arrived with the digest {found[:12]}: the artifact storage "
            "holds something else under that name. Upload the version again.",
            code="artifact_tampered",
        )
