"""How lists of plugins and versions are narrowed and ordered."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from plugins.models import Plugin, PluginVersion, VersionStatus

ACTIVE, DISABLED, DEPRECATED = "active", "disabled", "deprecated"
_STATUS = {
    ACTIVE: Q(is_active=True, is_deprecated=False),
    DISABLED: Q(is_active=False),
    DEPRECATED: Q(is_deprecated=True),
}


class PluginFilter(django_filters.FilterSet):
    type = django_filters.CharFilter()
    status = django_filters.ChoiceFilter(
        choices=[(name, name) for name in _STATUS], method="with_status"
    )
    tag = django_filters.CharFilter(method="with_tag")
    owner = django_filters.CharFilter(field_name="owner__username")
    search = django_filters.CharFilter(method="matching", help_text="Part of name or summary.")
    ordering = django_filters.OrderingFilter(fields=("name", "created_at", "updated_at"))

    class Meta:
        model = Plugin
        fields: list[str] = []

    def with_status(self, rows: QuerySet[Plugin], name: str, value: str) -> QuerySet[Plugin]:
        return rows.filter(_STATUS[value])

    def with_tag(self, rows: QuerySet[Plugin], name: str, value: str) -> QuerySet[Plugin]:
        return rows.filter(tags__contains=[value])

    def matching(self, rows: QuerySet[Plugin], name: str, value: str) -> QuerySet[Plugin]:
        return rows.filter(Q(name__icontains=value) | Q(summary__icontains=value))


class VersionFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=VersionStatus.choices)
    ordering = django_filters.OrderingFilter(
        fields=(("sort_key", "version"), ("created_at", "created_at"))
    )

    class Meta:
        model = PluginVersion
        fields: list[Any] = []
