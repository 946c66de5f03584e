"""How the list of deployments is narrowed and ordered."""

import django_filters
from django.db.models import QuerySet

from deployments.models import Deployment, Status
from deployments.models.deployment import ACTIVE

PAUSED, ANY_ACTIVE = "paused", "active"


class DeploymentFilter(django_filters.FilterSet):
    plugin = django_filters.CharFilter("plugin__name")
    environment = django_filters.CharFilter("environment__name")
    strategy = django_filters.CharFilter()
    requested_by = django_filters.CharFilter("requested_by__username")
    status = django_filters.ChoiceFilter(
        choices=[*Status.choices, (PAUSED, PAUSED), (ANY_ACTIVE, ANY_ACTIVE)], method="with_status"
    )
    ordering = django_filters.OrderingFilter(fields=("created_at", "finished_at"))

    class Meta:
        model = Deployment
        fields: list[str] = []

    def with_status(
        self, rows: "QuerySet[Deployment]", name: str, value: str
    ) -> "QuerySet[Deployment]":
        """As people see it: what is paused is not in progress."""
        if value == ANY_ACTIVE:
            return rows.filter(status__in=ACTIVE)
        if value == PAUSED:
            return rows.filter(status__in=ACTIVE).exclude(pause_reasons=[])
        rows = rows.filter(status=value)
        return rows.filter(pause_reasons=[]) if value in ACTIVE else rows
