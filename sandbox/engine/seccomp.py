"""System calls that no plugin needs.

A deny list that answers with errors, so that libraries can fall back.

pyseccomp only writes the program; bubblewrap loads it (``--seccomp FD``) as its last act before the
interpreter. Sources: bubblewrap's and Docker's default profiles, IOI isolate 2.4 to 2.6,
CVE-2017-5226, CVE-2019-10063, CVE-2021-41133.
"""

import errno
import os
import socket
from functools import cache

import pyseccomp

DENIED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
    "keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "bpf", "perf_event_open", "userfaultfd", "unshare", "setns", "mount", "umount", "umount2",
    "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
    "open_tree", "mount_setattr", "name_to_handle_at", "open_by_handle_at", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon",
    "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "stime", "vhangup", "nfsservctl", "lookup_dcookie", "iopl",
    "ioperm", "modify_ldt", "uselib", "ustat", "sysfs", "get_kernel_syms", "create_module",
    "query_module", "move_pages", "mbind", "migrate_pages", "set_mempolicy", "fanotify_init",
    "mknod", "mknodat",
)  # fmt: skip

NAMESPACE_FLAGS = 0x7E020080  # every CLONE_NEW* of clone(2)
LOW_32_BITS = 0xFFFFFFFF  # the kernel ignores the rest of an int, so a filter must too
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
ALLOWED_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
HIGHEST_FAMILY = 64


@cache
def seccomp_program() -> bytes:
    """The filter as the kernel reads it, for this machine's architecture.

    OSError when libseccomp is missing.
    """
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.ERRNO(errno.ENOSYS))
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        add_rule(rules, refuse, name)
    add_rule(
        rules, pyseccomp.ERRNO(errno.ENOSYS), "clone3"
    )  # its flags lie in memory, out of a filter's sight
    for bit in bits_of(NAMESPACE_FLAGS):
        flags = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, bit, bit)
        add_rule(rules, refuse, "clone", flags)
    for number in TERMINAL_INJECTION:
        add_rule(rules, refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, LOW_32_BITS, number))
    add_rule(rules, refuse, "personality", pyseccomp.Arg(0, pyseccomp.NE, 0))
    for family in range(HIGHEST_FAMILY):
        if family not in ALLOWED_FAMILIES:
            of_family = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, LOW_32_BITS, family)
            add_rule(rules, refuse, "socket", of_family)
    return exported(rules)


def add_rule(rules: pyseccomp.SyscallFilter, action: int, name: str, *args: pyseccomp.Arg) -> None:
    """Add a rule unless this architecture or this libseccomp does not know the call."""
    try:
        rules.add_rule(action, name, *args)
    except (OSError, ValueError):
        return


def bits_of(mask: int) -> list[int]:
    """Each set bit by itself."""
    return [1 << place for place in range(mask.bit_length()) if mask >> place & 1]


def exported(rules: pyseccomp.SyscallFilter) -> bytes:
    """The bytes that libseccomp writes to a file."""
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "w+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def open_program() -> int:
    """A descriptor with the program, at its start; the caller closes it."""
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    os.write(descriptor, seccomp_program())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
