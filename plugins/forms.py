"""Forms of the pages about plugins. The services check; these only ask."""

from django import forms

from plugins.models import Plugin


class PluginForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Plugin
        fields = ("name", "summary")
        help_texts = {
            "name": "Lower-case letters, digits and hyphens, such as invoice-tax. "
            "It must be the name in hotswap.toml and cannot be changed later.",
            "summary": "One line that tells a tenant what it does.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }


class UploadForm(forms.Form):
    artifact = forms.FileField(
        help_text="A wheel, or a zip with hotswap.toml at its root.",
        widget=forms.FileInput(attrs={"accept": ".whl,.zip"}),
    )
