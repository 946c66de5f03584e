"""Landlock by its three system calls: the last lock on the door, before any plugin code is there.

The answer is the ABI in force, 0 where the kernel has none; the host decides whether that will do.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Syscall = Callable[..., int]

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REMOVE_DIR, REMOVE_FILE, MAKE_DIR = 16, 32, 128
MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_SYM = 256, 512, 1024, 4096
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READ = READ_FILE | READ_DIR
MAKE = MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM
SCRATCH = READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE | REFER
RULES = (
    ("/", READ),
    ("/python", READ | EXECUTE),
    ("/usr", READ | EXECUTE),
    ("/lib", READ | EXECUTE),
    ("/lib64", READ | EXECUTE),
    ("/dev", READ | WRITE_FILE),
)


class RulesetAttr(ctypes.Structure):
    """struct landlock_ruleset_attr of linux/landlock.h."""

    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class PathBeneath(ctypes.Structure):
    """struct landlock_path_beneath_attr of linux/landlock.h."""

    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def handled_rights(abi: int) -> tuple[RulesetAttr, int]:
    """The rights that a kernel of this ABI can take away, and the size of structure it reads."""
    files = (1 << 13) - 1
    for least, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if abi >= least:
            files |= right
    net = 3 if abi >= 4 else 0  # binding and connecting TCP
    scoped = 3 if abi >= 6 else 0  # abstract sockets and signals out of the jail
    return RulesetAttr(files, net, scoped), 8 + 8 * (abi >= 4) + 8 * (abi >= 6)


def restrict(writable: tuple[str, ...]) -> int:
    """Restrict this process and all its children for good; the ABI in force, or 0."""
    syscall: Syscall = ctypes.CDLL(None, use_errno=True).syscall
    abi = syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))
    if abi < 1:
        return 0
    attr, size = handled_rights(abi)
    none = ctypes.c_uint32(0)
    ruleset = syscall(CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(size), none)
    if ruleset < 0:
        return 0
    for path, rights in (*RULES, *((path, SCRATCH) for path in writable)):
        allow(syscall, ruleset, path, rights & attr.fs)
    done = syscall(RESTRICT_SELF, ctypes.c_int(ruleset), none)
    os.close(ruleset)
    return abi if done == 0 else 0


def allow(syscall: Syscall, ruleset: int, path: str, rights: int) -> None:
    """Give ``rights`` back for what lies beneath ``path``; a missing path needs none."""
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = ctypes.byref(PathBeneath(rights, parent))
    kind, none = ctypes.c_int(PATH_BENEATH), ctypes.c_uint32(0)
    syscall(ADD_RULE, ctypes.c_int(ruleset), kind, rule, none)
    os.close(parent)
