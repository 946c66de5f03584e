"""One digest for a directory tree: names, modes, contents; plain files and directories only."""

import os
import stat
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path

FILE_MODE, DIRECTORY_MODE = 0o444, 0o555
MAX_FILES = 20_000


class TreeRefusedError(ValueError):
    """Something in the tree that no unpacked artifact has: a link, a device, a second name."""


def own_tree(root: Path) -> None:
    """Take every file over: our uid, read-only, no set-id bits. Whoever wrote it may be hostile,
    so nothing is followed and nothing but plain files with one name is accepted.
    """
    for path, status in _walk(root):
        is_directory = stat.S_ISDIR(status.st_mode)
        if os.geteuid() == 0:
            os.chown(path, 0, 0, follow_symlinks=False)
        path.chmod(DIRECTORY_MODE if is_directory else FILE_MODE)


def tree_digest(root: Path) -> str:
    """sha256 over every path below the root with its kind, mode and content, in sorted order."""
    digest = sha256()
    for path, status in _walk(root):
        name = os.fsencode(path.relative_to(root))
        digest.update(f"{status.st_mode:o} {len(name)} ".encode() + name)
        if stat.S_ISREG(status.st_mode):
            digest.update(_content_digest(path))
    return digest.hexdigest()


def _content_digest(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file_digest(file, "sha256").digest()


def _walk(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The root and all below it, sorted, directories before their content, without following."""
    pending, seen = [root], 0
    while pending:
        path = pending.pop()
        status = path.lstat()
        seen += 1
        _check(path, status, seen)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            pending.extend(sorted(path.iterdir(), reverse=True))


def _check(path: Path, status: os.stat_result, seen: int) -> None:
    is_file, is_directory = stat.S_ISREG(status.st_mode), stat.S_ISDIR(status.st_mode)
    if not is_file and not is_directory:
        raise TreeRefusedError(f"{path.name!a}, which is no file and no directory")
    if is_file and status.st_nlink != 1:
        raise TreeRefusedError(f"{path.name!a}, which has a second name")
    if seen > MAX_FILES:
        raise TreeRefusedError(f"more than {MAX_FILES} files")
