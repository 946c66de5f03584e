"""How much a tenant may call: an installation's own limits, else the platform's defaults."""

from dataclasses import dataclass

from django.conf import settings

from hotswap.lib.errors import InvalidInputError
from tenants.models import TenantPluginConfig

MAX_REQUESTS_PER_MINUTE = 1_000_000
MAX_CONCURRENCY = 10_000


@dataclass(frozen=True, slots=True)
class Quotas:
    """What is enforced. 0 is the kill switch of one installation."""

    requests_per_minute: int
    concurrency: int


def quotas_of(installation: TenantPluginConfig) -> Quotas:
    """The limits that hold for the installation now."""
    return Quotas(
        _or_default(installation.requests_per_minute, settings.DEFAULT_REQUESTS_PER_MINUTE),
        _or_default(installation.concurrency, settings.DEFAULT_CONCURRENCY),
    )


def check_quotas(requests_per_minute: int | None, concurrency: int | None) -> None:
    """Raise ``InvalidInputError`` naming each limit that is out of its range; None: the default."""
    given = {
        "requests_per_minute": (requests_per_minute, MAX_REQUESTS_PER_MINUTE),
        "concurrency": (concurrency, MAX_CONCURRENCY),
    }
    problems = {
        name: [f"must be from 0 to {highest}"]
        for name, (value, highest) in given.items()
        if value is not None and not 0 <= value <= highest
    }
    if problems:
        raise InvalidInputError(
            f"These limits are out of range: {', '.join(problems)}.", fields=problems
        )


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value
