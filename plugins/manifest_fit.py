"""What only this system can say of a manifest: its plugin, its needs, its dependencies."""

import platform

from hotswap import __version__
from hotswap.lib.errors import InvalidInputError
from plugins.incoming import Incoming
from plugins.manifest import compatibility_problems, parse_manifest
from plugins.manifest_types import Manifest
from plugins.models import Plugin
from plugins.resolutions import index_problems


def check_manifest(incoming: Incoming) -> None:
    """Refuse a manifest that is right by itself but not for this plugin or this system."""
    manifest = incoming.manifest
    problems = compatibility_problems(
        manifest, python=platform.python_version(), hotswap=__version__
    )
    if manifest.name != incoming.plugin.name:
        problems["name"] = [f"is {manifest.name}, but the plugin is {incoming.plugin.name}"]
    unresolvable = index_problems(manifest)
    if unresolvable:
        problems["dependencies.python"] = unresolvable
    missing = _missing_plugins(manifest)
    if missing:
        problems["dependencies.plugins"] = [f"{name} is not registered" for name in missing]
    if problems:
        key, messages = next(iter(problems.items()))
        raise InvalidInputError(
            f"The manifest does not fit: {key} {messages[0]}.",
            code="manifest_unfit",
            fields=problems,
        )


def check_manifest_beside(incoming: Incoming) -> None:
    """The manifest inside is the truth; one sent along must say the same."""
    text = incoming.beside.manifest
    if text is not None and parse_manifest(text).digest() != incoming.manifest.digest():
        raise InvalidInputError(
            "The manifest sent beside the artifact differs from the one inside: leave it out.",
            code="manifest_differs",
            fields={"manifest": ["differs from the one inside the artifact"]},
        )


def _missing_plugins(manifest: Manifest) -> list[str]:
    wanted = set(manifest.dependencies.plugin_constraints())
    known = Plugin.objects.filter(name__in=wanted).values_list("name", flat=True)
    return sorted(wanted - set(known))
