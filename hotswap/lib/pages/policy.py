"""Which content-security policy a page gets: strict everywhere but in the admin."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ADMIN_PREFIX = "/admin/"


class PolicyMiddleware(CSPMiddleware):
    """The admin's components evaluate expressions and set styles; nothing else here may."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN_PREFIX) and not report_only:
            changes: dict[str, Any] = settings.CONTENT_SECURITY_POLICY_ADMIN
            parts.replace = {**changes, **(parts.replace or {})}
        return parts
