"""Lists: ``limit`` (1 to 100, default 20) and ``offset``; a bad value is an error, not a guess."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

MAX_OFFSET = 2**31 - 1


class Pagination(LimitOffsetPagination):
    default_limit = 20
    max_limit = 100

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        _read(request, "limit", 1, self.max_limit)
        _read(request, "offset", 0, MAX_OFFSET)
        return super().paginate_queryset(queryset, request, view)


def _read(request: Request, name: str, lowest: int, highest: int) -> None:
    text = request.query_params.get(name)
    if text is None:
        return
    if not (text.isascii() and text.isdigit() and lowest <= int(text[:12]) <= highest):
        raise ValidationError({name: [f"Give a whole number from {lowest} to {highest}."]})
