"""Everything there is, page by page."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deployments.listings import all_deployments, all_plugins, deployment_rows, plugin_rows
from deployments.plugin_search import PluginSearch, PluginSearchForm
from deployments.rights import may_deploy
from hotswap.lib.pages.access import staff_page
from plugins.models import Environment, Plugin

PAGE = 25


@require_GET
@staff_page
def plugins(request: HttpRequest) -> HttpResponse:
    search = PluginSearch.read(request.GET.dict())
    page = Paginator(search.apply(all_plugins()), PAGE).get_page(request.GET.get("page"))
    found = page.paginator.count
    context = {
        "page": page,
        "rows": plugin_rows(page),
        "form": PluginSearchForm(search),
        "chosen": search.chosen,
        "found": found,
        "total": Plugin.objects.count() if search.chosen else found,
        "query": search.query,
        "may_register": may_deploy(request.user),
    }
    return render(request, "deployments/plugins.html", context)


@require_GET
@staff_page
def deployments(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("environment", "")
    environments = list(Environment.objects.all())
    rows = all_deployments()
    if chosen in {each.name for each in environments}:
        rows = rows.filter(environment__name=chosen)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": deployment_rows(page, timezone.now()),
        "environments": environments,
        "chosen": chosen,
        "query": urlencode({"environment": chosen}) if chosen else "",
        "may_deploy": may_deploy(request.user),
    }
    return render(request, "deployments/deployments.html", context)
