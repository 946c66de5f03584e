"""Forms of the pages about plugins. The services check; these only ask."""

from typing import Any

from django import forms

from plugins.models import Plugin, validate_name

MAX_SIGNATURE_BYTES = 64 * 1024


class PluginForm(forms.Form):
    """Not made from the model: whose a taken name is, the service says better than a constraint."""

    name = forms.CharField(
        max_length=60,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Lower-case letters, digits and hyphens, such as invoice-tax. It must be "
        "the name in hotswap.toml and cannot be changed later.",
    )
    summary = forms.CharField(
        max_length=200,
        required=False,
        help_text="One line that tells a tenant what it does.",
    )


class UploadForm(forms.Form):
    artifact = forms.FileField(
        help_text="A wheel, or a zip with hotswap.toml at its root.",
        widget=forms.FileInput(attrs={"accept": ".whl,.zip"}),
    )
    signature_file = forms.FileField(
        label="Publisher's signature",
        required=False,
        help_text="The envelope that manage.py signplugin wrote beside the artifact.",
        widget=forms.FileInput(attrs={"accept": ".json,.dsse"}),
    )

    def __init__(self, plugin: Plugin, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.fields["signature_file"].required = plugin.requires_signature

    @property
    def signature(self) -> str | None:
        """The envelope's text; None when none was sent."""
        file = self.cleaned_data.get("signature_file")
        return file.read(MAX_SIGNATURE_BYTES + 1).decode(errors="replace") if file else None


class PublisherKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        help_text="How you tell it from others, such as release pipeline.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    public_key = forms.CharField(
        label="Public key",
        max_length=2000,
        help_text="The public half as PEM, from BEGIN PUBLIC KEY to END PUBLIC KEY. The private "
        "half never leaves you.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        help_text="A year from now unless you say otherwise; five years at most.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
