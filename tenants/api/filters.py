import django_filters

from tenants.models import Tenant, TenantStatus


class TenantFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=TenantStatus.choices)
    search = django_filters.CharFilter("slug", lookup_expr="icontains", max_length=60)
    ordering = django_filters.OrderingFilter(
        fields=(("slug", "slug"), ("created_at", "created_at"))
    )

    class Meta:
        model = Tenant
        fields = ("status", "search")
