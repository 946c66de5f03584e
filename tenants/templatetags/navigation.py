"""Where a person can go, by what they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse

from hotswap.lib.roles import Role, has_role, is_admin, is_staff, role_name
from tenants.models import Tenant

register = template.Library()


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    is_current: bool


@register.inclusion_tag("navigation.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, Any]:
    """Links of the signed-in person; none for a stranger or when the request got no further."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return {"user": None}
    links = [Link(label, url, _is_current(request.path, url)) for label, url in _destinations(user)]
    return {"user": user, "role": role_name(user), "links": links, "request": request}


def _is_current(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def _destinations(user: Any) -> Iterator[tuple[str, str]]:
    if is_staff(user):
        yield "Overview", reverse("overview")
        yield "Plugins", reverse("plugins")
        yield "Deployments", reverse("deployments")
    else:
        for tenant in Tenant.objects.for_member(user)[:5]:
            yield tenant.name, reverse("tenant", args=[tenant.slug])
    if has_role(user, Role.DEVELOPER):
        yield "Deploy", reverse("start-deployment")
    if is_admin(user) and user.is_staff:
        yield "Admin", reverse("admin:index")
