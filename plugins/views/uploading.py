"""Uploading a version: as a plain form, or from the page's script, which shows how far it is."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from hotswap.lib.errors import HotSwapError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import show_refusal
from plugins.forms import UploadForm
from plugins.incoming import Beside
from plugins.models import Plugin, PluginVersion
from plugins.rules import may_edit
from plugins.services import upload_version


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest, name: str) -> HttpResponse:
    plugin = get_object_or_404(Plugin.objects.select_related("owner"), name=name)
    if not may_edit(request.user, plugin):
        raise PermissionDenied
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(plugin, *sent)
    version = _upload(request, plugin, form) if form.is_valid() else None
    if version is None:
        return _show_form(request, plugin, form)
    messages.success(request, f"{version} is uploaded.")
    answer = redirect("version", name=plugin.name, version=version.version)
    return JsonResponse({"address": answer.url}, status=201) if _is_script(request) else answer


def _upload(request: HttpRequest, plugin: Plugin, form: UploadForm) -> PluginVersion | None:
    try:
        return upload_version(
            plugin=plugin,
            file=form.cleaned_data["artifact"],
            by=request.user,
            beside=Beside(signature=form.signature),
        )
    except HotSwapError as error:
        show_refusal(form, error)
        return None


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _show_form(request: HttpRequest, plugin: Plugin, form: UploadForm) -> HttpResponse:
    if _is_script(request):
        return JsonResponse({"errors": _errors(form)}, status=400)
    context = {"form": form, "plugin": plugin, "limit": settings.UPLOAD_LIMIT_BYTES}
    return render(request, "plugins/upload.html", context, status=400 if form.errors else 200)


def _errors(form: forms.Form) -> dict[str, Any]:
    """By field; what is about the whole form stands beside the file, which is the form."""
    whole = {"artifact": list(form.non_field_errors())}
    fields = {name: list(found) for name, found in form.errors.items() if name in form.fields}
    return {name: [*whole.get(name, []), *fields.get(name, [])] for name in {**whole, **fields}}
