"""The form that starts a deployment; a strategy's options become its fields."""

from typing import Any

from django import forms

from deployments.strategies import STRATEGIES, Option
from plugins.models import Environment, Plugin, PluginVersion, VersionStatus

DEPLOYABLE = (VersionStatus.APPROVED, VersionStatus.DEPRECATED, VersionStatus.DRAFT)
IF_ACTIVE = (
    ("reject", "Do not start this one"),
    ("queue", "Wait until that one has ended"),
    ("replace", "Send that one back and start this one"),
)


class VersionField(forms.ModelChoiceField):
    def label_from_instance(self, version: PluginVersion) -> str:
        state = "" if version.status == VersionStatus.APPROVED else f" ({version.status})"
        return f"{version.version}{state}"


class DeploymentForm(forms.Form):
    """Of one plugin. ``strategy`` decides which options there are; ``options`` reads them back."""

    version = VersionField(
        queryset=PluginVersion.objects.none(),
        empty_label="Choose a version",
        help_text="Environments beyond development take approved versions only.",
    )
    environment = forms.ModelChoiceField(
        queryset=Environment.objects.all(), empty_label="Choose an environment"
    )
    if_active = forms.ChoiceField(
        choices=IF_ACTIVE,
        label="If the plugin is being deployed there already",
        widget=forms.RadioSelect,
        initial="reject",
    )

    def __init__(self, plugin: Plugin, strategy: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.strategy = STRATEGIES[strategy]
        versions = PluginVersion.objects.filter(plugin=plugin, status__in=DEPLOYABLE)
        self.fields["version"].queryset = (  # type: ignore[attr-defined]
            versions.select_related("plugin").order_by("-sort_key")
        )
        for option in self.strategy.options():
            self.fields[option.name] = _field_of(option)

    @property
    def option_fields(self) -> list[forms.BoundField]:
        return [self[option.name] for option in self.strategy.options()]

    def options(self) -> dict[str, Any]:
        """Only what differs from the strategy's defaults: a default may change later."""
        return {
            option.name: self.cleaned_data[option.name]
            for option in self.strategy.options()
            if self.cleaned_data[option.name] != option.default
        }


def _field_of(option: Option) -> forms.Field:
    kind: Any = forms.IntegerField if option.type == "int" else forms.FloatField
    field: forms.Field = kind(
        label=option.name.replace("_", " ").capitalize(),
        initial=option.default,
        min_value=option.minimum,
        max_value=option.maximum,
        step_size=1 if option.type == "int" else None,
        help_text=f"{option.help} From {option.minimum:g} to {option.maximum:g} {option.unit}.",
    )
    return field
