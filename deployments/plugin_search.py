"""How a person narrows and orders the list of plugins; the address carries it all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Func, Q, QuerySet

from plugins.models import Plugin

SEARCH_CHARACTERS = 100
STATUSES: Mapping[str, Q] = {
    "active": Q(is_active=True, is_deprecated=False),
    "deprecated": Q(is_deprecated=True),
    "disabled": Q(is_active=False),
}
ORDERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "": ("name", ("name",)),
    "-updated": ("last changed", ("-updated_at", "name")),
    "-created": ("newest first", ("-created_at", "name")),
    "created": ("oldest first", ("created_at", "name")),
}
FILTERS = ("search", "type", "status", "tag", "owner")


class PluginSearchForm(forms.Form):
    """Nothing a person may type into the address is an error: what is unknown finds nothing."""

    search = forms.CharField(
        label="Name or summary",
        max_length=SEARCH_CHARACTERS,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    status = forms.ChoiceField()
    type = forms.ChoiceField()
    tag = forms.ChoiceField()
    owner = forms.ChoiceField()
    order = forms.ChoiceField(label="Sorted by")

    def __init__(self, search: "PluginSearch") -> None:
        super().__init__(initial={**search.chosen, "order": search.order}, label_suffix="")
        for name, values in _choices().items():
            asked = search.chosen.get(name)
            known = dict.fromkeys([*values, *([asked] if asked else [])])
            self._offer(name, [("", "any"), *((value, value) for value in known)])
        self._offer("order", [(name, label) for name, (label, _) in ORDERS.items()])
        for field in self.fields.values():
            field.required = False
            field.widget.attrs.pop("aria-invalid", None)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices


@dataclass(frozen=True, slots=True)
class PluginSearch:
    """``chosen`` are the filters that narrow the list, by name."""

    chosen: Mapping[str, str]
    order: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "PluginSearch":
        asked = {name: _clean(query.get(name, "")) for name in FILTERS}
        order = query.get("order", "")
        chosen = {name: value for name, value in asked.items() if value}
        return cls(chosen, order if order in ORDERS else "")

    def apply(self, rows: QuerySet[Plugin]) -> QuerySet[Plugin]:
        for name, value in self.chosen.items():
            rows = rows.filter(_narrow(name, value))
        return rows.order_by(*ORDERS[self.order][1])

    @property
    def query(self) -> str:
        """The address of this very list, without its page."""
        asked = {**self.chosen, **({"order": self.order} if self.order else {})}
        return urlencode(asked)


def _clean(value: str) -> str:
    return value[:SEARCH_CHARACTERS].replace("\0", "").strip()


def _narrow(name: str, value: str) -> Q:
    if name == "search":
        return Q(name__icontains=value) | Q(summary__icontains=value)
    if name == "status":
        return STATUSES.get(value, Q(pk__in=()))
    if name == "tag":
        return Q(tags__contains=[value])
    return Q(type=value) if name == "type" else Q(owner__username=value)


def _choices() -> Mapping[str, Iterable[str]]:
    """What there is to choose from, each with one small query."""
    plugins = Plugin.objects.order_by()
    tags: Any = Func("tags", function="jsonb_array_elements_text")
    owners = get_user_model().objects.filter(plugins__isnull=False).distinct()
    return {
        "status": STATUSES,
        "type": sorted(plugins.values_list("type", flat=True).distinct()),
        "tag": sorted(set(plugins.annotate(one=tags).values_list("one", flat=True).distinct())),
        "owner": sorted(owners.values_list("username", flat=True)),
    }
