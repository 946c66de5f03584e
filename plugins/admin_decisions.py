"""Deciding about versions from the admin: what changes is shown, and confirmed with a reason."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from hotswap.lib.pages.records import do_each
from plugins.decision_offers import DecisionOffer
from plugins.models import PluginVersion
from plugins.reviews import review_of

REASON_CHARACTERS = 500
Action = Callable[[Any, HttpRequest, QuerySet[PluginVersion]], HttpResponse | None]


def decision_action(offer: DecisionOffer) -> Action:
    """An action of the admin that calls the service for each selected version, once confirmed."""

    @admin.action(description=f"{offer.label} the selected versions", permissions=["decide"])
    def decide(
        page: Any, request: HttpRequest, queryset: QuerySet[PluginVersion]
    ) -> HttpResponse | None:
        rows = queryset.select_related("plugin__owner", "uploaded_by")
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:REASON_CHARACTERS]
        is_complete = bool(reason) or not offer.needs_reason
        if "confirmed" not in request.POST or not is_complete:
            return _ask(page, request, rows, offer)
        do_each(request, rows, partial(_decide, offer, request, reason), offer.becomes)
        return None

    decide.__name__ = offer.name
    return decide


def _ask(
    page: Any, request: HttpRequest, rows: QuerySet[PluginVersion], offer: DecisionOffer
) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": f"{offer.label} versions",
        "opts": page.opts,
        "offer": offer,
        "reviews": [review_of(row) for row in rows],
        "checkbox": ACTION_CHECKBOX_NAME,
        "is_reason_missing": "confirmed" in request.POST,
    }
    return TemplateResponse(request, "admin/decide_versions.html", context)


def _decide(
    offer: DecisionOffer, request: HttpRequest, reason: str, version: PluginVersion
) -> None:
    offer.service(version=version, by=request.user, comment=reason)
