"""Every request starts without any tenant's rows and gets exactly its user's."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from hotswap.lib.database import scope
from tenants.isolation import enter_scope, scope_of

# They say themselves whether the database is there.
_NO_DATABASE = ("/healthz", "/readyz", "/metrics", "/static/")


class TenantScopeMiddleware:
    """Sets the scope of a signed-in session; API credentials enter theirs when authenticated."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_NO_DATABASE):
            return self.get_response(request)
        with scope(""):
            if request.user.is_authenticated:
                enter_scope(scope_of(request.user))
            return self.get_response(request)
