"""What one tenant has installed, for its owner and for administrators."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from deployments.installed import installed_plugins
from hotswap.lib.roles import is_admin
from tenants.models import Tenant, TenantMember


@require_GET
@login_required
def show(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = get_object_or_404(Tenant.objects.select_related("home_environment"), slug=slug)
    members = TenantMember.objects.for_tenant(tenant).filter(removed_at__isnull=True)
    people = list(members.select_related("user").order_by("role", "user__username"))
    is_member = any(member.user_id == request.user.pk for member in people)
    if not (is_member or is_admin(request.user)):
        # Not even that it exists is anybody else's business.
        raise Http404
    context = {
        "tenant": tenant,
        "members": people,
        "rows": installed_plugins(tenant),
    }
    return render(request, "deployments/tenant.html", context)
