"""Numbers every routable change, so that commit order is number order.

The number is taken under a lock on the environment's row that is held until commit: no change with
a lower number can become visible after one with a higher number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Model, QuerySet

from plugins.models import CredentialGeneration, Environment

logger = structlog.get_logger(__name__)

CREDENTIALS = "credentials"


@dataclass
class Change:
    """The rows that one transaction changed; each carries the transaction's number in the end."""

    touched: list[QuerySet[Model]] = field(default_factory=list)
    number: int | None = None

    def touch(self, *changed: QuerySet[Model] | Model) -> None:
        """Stamp these rows. A queryset is evaluated at the end, so it must still match by then."""
        for rows in changed:
            if isinstance(rows, Model):
                rows = type(rows)._default_manager.filter(pk=rows.pk)  # noqa: PLW2901
            self.touched.append(rows)

    def stamp(self, number: int) -> None:
        for rows in self.touched:
            rows.update(generation=number)
        self.number = number


@contextmanager
def routable_change(environment: Environment) -> Iterator[Change]:
    """One transaction that changes what instances of ``environment`` serve."""
    change = Change()
    with transaction.atomic():
        yield change
        change.stamp(_next_generation(environment))
        transaction.on_commit(lambda: hurry(environment.name))


@contextmanager
def credential_change() -> Iterator[Change]:
    """One transaction that changes who may call: keys, memberships, users, tenants."""
    change = Change()
    with transaction.atomic():
        yield change
        row = CredentialGeneration.objects.select_for_update().get(pk=1)
        change.stamp(row.number + 1)
        CredentialGeneration.objects.filter(pk=1).update(number=row.number + 1)
        transaction.on_commit(lambda: hurry(CREDENTIALS))


def _next_generation(environment: Environment) -> int:
    Environment.objects.filter(pk=environment.pk).update(generation=F("generation") + 1)
    return Environment.objects.values_list("generation", flat=True).get(pk=environment.pk)


def hurry(topic: str) -> None:
    """Tell instances to look now. They poll anyway, so a lost message costs at most one poll."""
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5)
        client.publish(f"hotswap:generation:{topic}", "")
        client.close()
    except redis.RedisError as error:
        logger.warning("generation_hint_lost", topic=topic, error=str(error))
