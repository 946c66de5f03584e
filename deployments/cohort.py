"""Which tenants come first. The order follows from the plugin's version and the tenant alone.

A retry of the same version meets the same tenants first; the next version meets other ones.
"""

from collections.abc import Iterable
from hashlib import sha256
from math import ceil

BUCKETS = 10_000


def salt_of(plugin: str, version: str) -> str:
    return f"{plugin}@{version}"


def bucket(salt: str, tenant: str) -> int:
    """A tenant's place from 0 to 9999, in hundredths of a percent."""
    digest = sha256(f"{salt}:{tenant}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def rank(salt: str, tenants: Iterable[str]) -> list[str]:
    """The tenants from first to last; two in one bucket are ordered by their ids."""
    return sorted(tenants, key=lambda tenant: (bucket(salt, tenant), tenant))


def cohort_size(percent: int, eligible: int) -> int:
    """How many tenants a share is: rounded up, so that a small share is never nobody."""
    return min(eligible, ceil(percent * eligible / 100))
