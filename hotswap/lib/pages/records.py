"""Admin pages of rows that only the services change."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from hotswap.lib.errors import HotSwapError
from hotswap.lib.pages.problems import as_sentence


class ServiceMadeAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows come and go by services, which keep the audit, the generations and the keys right."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ServiceMadeAdmin):
    """A record of what was or is; nothing of it is written by hand."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def do_each(request: HttpRequest, rows: QuerySet[Any], service: Any, done: str) -> None:
    """Ask ``service(row)`` for each row and tell which were refused, and why."""
    for row in rows:
        try:
            service(row)
        except HotSwapError as error:
            messages.error(request, as_sentence(error.message))
        else:
            messages.success(request, f"{row} is {done}.")
