"""Publishers' keys: whose signatures count, and for how long."""

from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hotswap.lib.errors import HotSwapError, InvalidInputError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import refusal_as_message, show_refusal
from hotswap.lib.roles import Role, has_role, is_admin
from plugins.forms import PublisherKeyForm
from plugins.trust.publisher_keys import (
    register_publisher_key,
    revoke_publisher_key,
    visible_keys,
)

PAGE = 25
REASON_CHARACTERS = 200


@require_http_methods(["GET", "POST"])
@staff_page
def publisher_keys(request: HttpRequest) -> HttpResponse:
    if not has_role(request.user, Role.DEVELOPER):
        raise PermissionDenied
    form = PublisherKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            key = register_publisher_key(by=request.user, **_values(form))
        except HotSwapError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"The key {key.name} is registered: sign with it.")
            return redirect("publisher-keys")
    keys = visible_keys(request.user).order_by("revoked_at", "-created_at")
    context = {
        "form": form,
        "page": Paginator(keys, PAGE).get_page(request.GET.get("page")),
        "now": timezone.now(),
        "sees_all": is_admin(request.user),
    }
    status = 400 if form.errors else 200
    return render(request, "plugins/publisher_keys.html", context, status=status)


@require_POST
@staff_page
def revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    key = get_object_or_404(visible_keys(request.user), key_id=key_id)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:REASON_CHARACTERS]
    with refusal_as_message(request):
        if not reason:
            raise InvalidInputError(f"Nothing was changed: say why {key.name} is revoked.")
        revoke_publisher_key(key=key, by=request.user, reason=reason)
        messages.success(request, f"The key {key.name} is revoked.")
    return redirect("publisher-keys")


def _values(form: PublisherKeyForm) -> dict[str, Any]:
    """A key that is valid to a day is valid to the end of it."""
    values = dict(form.cleaned_data)
    last_day = values.pop("last_day")
    if last_day:
        values["not_after"] = datetime.combine(last_day, time.max, UTC)
    return values
