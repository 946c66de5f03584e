"""Registering a plugin, uploading a version, deciding about one: thin callers of the services."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hotswap.lib.errors import HotSwapError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import refusal_as_message, show_refusal
from hotswap.lib.roles import Role, has_role
from plugins.forms import PluginForm, UploadForm
from plugins.models import Plugin, PluginVersion
from plugins.rules import may_edit
from plugins.services import approve_version, register_plugin, reject_version, upload_version

COMMENT_CHARACTERS = 500


@require_http_methods(["GET", "POST"])
@staff_page
def register(request: HttpRequest) -> HttpResponse:
    if not has_role(request.user, Role.DEVELOPER):
        raise PermissionDenied
    form = PluginForm(request.POST or None)
    if form.is_valid():
        try:
            plugin = register_plugin(by=request.user, **form.cleaned_data)
        except HotSwapError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{plugin.name} is registered. Upload its first version.")
            return redirect("upload-version", name=plugin.name)
    return _render_form(request, "plugins/register.html", form)


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest, name: str) -> HttpResponse:
    plugin = get_object_or_404(Plugin.objects.select_related("owner"), name=name)
    if not may_edit(request.user, plugin):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            file = form.cleaned_data["artifact"]
            version = upload_version(plugin=plugin, file=file, by=request.user)
        except HotSwapError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{version} is uploaded and waits for an approver.")
            return redirect("plugin", name=plugin.name)
    limit = settings.UPLOAD_LIMIT_BYTES
    return _render_form(request, "plugins/upload.html", form, plugin=plugin, limit=limit)


@require_POST
@staff_page
def approve(request: HttpRequest, name: str, version: str) -> HttpResponse:
    return _decide(request, name, version, approve_version, "approved")


@require_POST
@staff_page
def reject(request: HttpRequest, name: str, version: str) -> HttpResponse:
    return _decide(request, name, version, reject_version, "rejected")


def _decide(
    request: HttpRequest, name: str, version: str, decide: Callable[..., Any], what: str
) -> HttpResponse:
    rows = PluginVersion.objects.select_related("plugin", "uploaded_by")
    row = get_object_or_404(rows, plugin__name=name, version=version)
    comment = request.POST.get("comment", "").replace("\0", "").strip()[:COMMENT_CHARACTERS]
    with refusal_as_message(request):
        decide(version=row, by=request.user, comment=comment)
        messages.success(request, f"{row} is {what}.")
    return redirect("plugin", name=name)


def _render_form(request: HttpRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    status = 400 if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
