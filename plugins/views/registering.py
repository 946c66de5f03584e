"""Registering a plugin: a thin caller of the service."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hotswap.lib.errors import HotSwapError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import show_refusal
from hotswap.lib.roles import Role, has_role
from plugins.forms import PluginForm
from plugins.services import register_plugin


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
    status = 400 if form.errors else 200
    return render(request, "plugins/register.html", {"form": form}, status=status)
