"""What a jailed process gives up by itself, before it sees any code that is not ours."""

from __future__ import annotations

import os
import resource

from . import landlock


def confine(rlimits: str, writable: tuple[str, ...] = ()) -> int:
    """Set the limits (``number=value,...``) and Landlock, clear the environment.

    The Landlock ABI.
    """
    os.environ.clear()
    os.umask(0o077)
    for pair in rlimits.split(","):
        name, value = map(int, pair.split("="))
        hard = resource.getrlimit(name)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (bound, bound))
    return landlock.restrict(("/tmp", *writable))  # noqa: S108 - the jail's own sized tmpfs
