"""How many calls each version of a deployment answered, and how many went wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Sum

from deployments.models import Deployment
from observability.models import CallWindow

LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CallCount:
    calls: int = 0
    failures: int = 0

    @property
    def failure_percent(self) -> float:
        return 100 * self.failures / self.calls if self.calls else 0.0


def count_calls(deployment: Deployment, now: datetime) -> dict[UUID, CallCount]:
    """By version, over the deployment's running time, or its last hour if it ran longer."""
    until = deployment.finished_at or now
    since = max(deployment.started_at or deployment.created_at, until - LONGEST)
    versions = [deployment.candidate_id, deployment.incumbent_id]
    rows = (
        CallWindow.objects.filter(
            version_id__in=[version for version in versions if version],
            environment=deployment.environment.name,
            second__gte=since - timedelta(seconds=1),
            second__lte=until,
        )
        .values("version_id")
        .annotate(all=Sum("calls"), bad=Sum("failures"))
    )
    return {row["version_id"]: CallCount(row["all"], row["bad"]) for row in rows}
