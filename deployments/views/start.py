"""Starting a deployment: choose the plugin, fill in, look at the plan, start."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from deployments.forms import DEPLOYABLE, DeploymentForm
from deployments.models import Deployment
from deployments.preview import Preview
from deployments.rights import may_deploy
from deployments.services import plan_deployment, start_deployment
from deployments.strategies import STRATEGIES, Strategy
from hotswap.lib.errors import HotSwapError
from hotswap.lib.pages.access import staff_page
from hotswap.lib.pages.problems import show_refusal
from plugins.models import Plugin, PluginVersion

DEFAULT_STRATEGY = "direct"


@require_http_methods(["GET", "POST"])
@staff_page
def show(request: HttpRequest) -> HttpResponse:
    if not may_deploy(request.user):
        raise PermissionDenied
    name = request.GET.get("plugin", "").replace("\0", "")
    if not name:
        return _choose_plugin(request)
    plugin = get_object_or_404(Plugin, name=name)
    strategy = (request.POST or request.GET).get("strategy", "")
    strategy = strategy if strategy in STRATEGIES else DEFAULT_STRATEGY
    if request.method == "GET":
        form = DeploymentForm(plugin, strategy, initial=_initial(request))
        return _render(request, plugin, form)
    return _answer(request, plugin, DeploymentForm(plugin, strategy, request.POST))


def _choose_plugin(request: HttpRequest) -> HttpResponse:
    versions = PluginVersion.objects.filter(plugin=OuterRef("pk"), status__in=DEPLOYABLE)
    plugins = Plugin.objects.filter(Exists(versions), is_active=True).only("name", "summary")
    return render(request, "deployments/start_choose.html", {"plugins": plugins})


def _answer(request: HttpRequest, plugin: Plugin, form: DeploymentForm) -> HttpResponse:
    """A look at the plan changes nothing; only the second button starts it."""
    if not form.is_valid():
        return _render(request, plugin, form)
    try:
        if "start" not in request.POST:
            return _render(request, plugin, form, plan_deployment(**_wanted(plugin, form)))
        deployment = _start(request, plugin, form)
    except HotSwapError as error:
        show_refusal(form, error)
        return _render(request, plugin, form)
    messages.success(request, "The deployment has been requested.")
    return redirect("deployment", pk=deployment.pk)


def _start(request: HttpRequest, plugin: Plugin, form: DeploymentForm) -> Deployment:
    return start_deployment(
        **_wanted(plugin, form),
        by=request.user,  # type: ignore[arg-type]  # staff_page lets nobody else through
        if_active=form.cleaned_data["if_active"],
    )


def _wanted(plugin: Plugin, form: DeploymentForm) -> dict[str, Any]:
    return {
        "plugin": plugin,
        "environment": form.cleaned_data["environment"],
        "candidate": form.cleaned_data["version"],
        "strategy": form.strategy.name,
        "options": form.options(),
    }


def _initial(request: HttpRequest) -> dict[str, str]:
    names = ("version", "environment")
    return {name: request.GET[name] for name in names if request.GET.get(name)}


def _render(
    request: HttpRequest, plugin: Plugin, form: DeploymentForm, preview: Preview | None = None
) -> HttpResponse:
    context = {
        "plugin": plugin,
        "form": form,
        "preview": preview,
        "strategies": [(name, each.label, _summary(each)) for name, each in STRATEGIES.items()],
        "strategy": form.strategy.name,
    }
    return render(request, "deployments/start.html", context, status=400 if form.errors else 200)


def _summary(strategy: type[Strategy]) -> str:
    return (strategy.__doc__ or "").strip().partition("\n")[0]
