"""Names that a reader takes for another, or a writer types by mistake: ``bi11ing``, ``bill-ing``
and ``biling`` for ``billing``.
"""

from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Length, Replace

from plugins.models import Plugin

# In this order: what is looked for later stands in what earlier ones leave.
_ALIKE = (("-", ""), ("rn", "m"), ("vv", "w"), ("i", "1"), ("l", "1"), ("o", "0"))
# Shorter names differ by one letter without looking alike: fax and tax.
_TYPO_LENGTH = 5


def find_lookalike(name: str, by: Any) -> str | None:
    """The name of somebody else's plugin that could be meant instead."""
    alike = plugins_that_look_like(name).exclude(owner=by).first()
    if alike:
        return alike.name
    near = Plugin.objects.exclude(owner=by).annotate(length=Length("name"))
    near = near.filter(length__gte=max(_TYPO_LENGTH, len(name) - 1), length__lte=len(name) + 1)
    names = near.order_by("name").values_list("name", flat=True)
    return next((other for other in names.iterator() if is_one_slip(name, other)), None)


def is_one_slip(name: str, other: str) -> bool:
    """Whether one letter was added, left out or replaced, or two neighbours were swapped."""
    start = next((n for n, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), None)
    if start is None:
        return abs(len(name) - len(other)) == 1
    left, right = name[start:], other[start:]
    replaced, added, missing = left[1:] == right[1:], left == right[1:], left[1:] == right
    return replaced or added or missing or (left[:2] == right[1::-1] and left[2:] == right[2:])


def plugins_that_look_like(name: str) -> "QuerySet[Plugin]":
    """Registered plugins whose names differ from ``name`` only in what eyes miss."""
    seen: Any = F("name")
    for text, shape in _ALIKE:
        seen = Replace(seen, Value(text), Value(shape))
    plugins = Plugin.objects.annotate(shape=seen).filter(shape=shape_of(name))
    return plugins.exclude(name=name)


def shape_of(name: str) -> str:
    """Equal for names that look alike."""
    for text, shape in _ALIKE:
        name = name.replace(text, shape)
    return name
