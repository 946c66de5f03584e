"""Deciding about a version, having its packages resolved again, and its bill of materials."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from hotswap.lib.errors import InvalidInputError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import refusal_as_message
from plugins.decision_offers import OFFERS, DecisionOffer
from plugins.models import PluginVersion
from plugins.resolutions import request_again
from plugins.trust.sbom import CONTENT_TYPE

COMMENT_CHARACTERS = 500


@require_POST
@staff_page
def decide(request: HttpRequest, name: str, version: str, decision: str) -> HttpResponse:
    row = _find(name, version)
    offer = OFFERS[decision]
    with refusal_as_message(request):
        reason = _read_reason(request, row, offer)
        offer.service(version=row, by=request.user, comment=reason)
        messages.success(request, f"{row} is {offer.becomes}.")
    return redirect("version", name=name, version=version)


@require_POST
@staff_page
def resolve_again(request: HttpRequest, name: str, version: str) -> HttpResponse:
    row = _find(name, version)
    with refusal_as_message(request):
        request_again(version=row, by=request.user)
        messages.success(request, "Resolving once more.")
    return redirect("version", name=name, version=version)


@require_GET
@staff_page
def materials(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The version's bill of materials as a file, in CycloneDX's JSON."""
    row = _find(name, version)
    if not row.sbom:
        raise Http404
    answer = JsonResponse(row.sbom, json_dumps_params={"indent": 2}, content_type=CONTENT_TYPE)
    filename = f"{row.plugin.name}-{row.version}.cdx.json"
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def _find(name: str, version: str) -> PluginVersion:
    rows = PluginVersion.objects.select_related("plugin__owner", "uploaded_by")
    row: PluginVersion = get_object_or_404(rows, plugin__name=name, version=version)
    return row


def _read_reason(request: HttpRequest, row: PluginVersion, offer: DecisionOffer) -> str:
    reason = request.POST.get("comment", "").replace("\0", "").strip()[:COMMENT_CHARACTERS]
    if offer.needs_reason and not reason:
        raise InvalidInputError(
            f"Nothing was changed: say why {row} should be {offer.becomes}, users will ask."
        )
    return reason
