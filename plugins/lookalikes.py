"""Names that a reader takes for another: ``bi11ing`` and ``bill-ing`` for ``billing``."""

from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Replace

from plugins.models import Plugin

# In this order: what is looked for later stands in what earlier ones leave.
_ALIKE = (("-", ""), ("rn", "m"), ("vv", "w"), ("i", "1"), ("l", "1"), ("o", "0"))


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
