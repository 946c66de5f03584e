"""Forms of the pages about plugins. The services check; these only ask."""

from django import forms

from plugins.models import validate_name


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
