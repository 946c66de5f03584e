"""Everything there is, page by page."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from deployments.listings import all_deployments, all_plugins, deployment_rows, plugin_rows
from deployments.rights import may_deploy
from hotswap.lib.pages.access import staff_page
from plugins.models import Environment

PAGE = 25
SEARCH_CHARACTERS = 100


@staff_page
def plugins(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("search", "")[:SEARCH_CHARACTERS].replace("\0", "").strip()
    page = Paginator(all_plugins(search), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": plugin_rows(page),
        "search": search,
        "query": urlencode({"search": search}) if search else "",
        "may_register": may_deploy(request.user),
    }
    return render(request, "deployments/plugins.html", context)


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
