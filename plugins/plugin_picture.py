"""A plugin's place among the others, as a picture."""

from packaging.requirements import Requirement

from plugins.dependency_picture import Box, Line, Picture, draw_picture
from plugins.models import Plugin, PluginVersion


def picture_of(plugin: Plugin) -> Picture | None:
    newest = PluginVersion.objects.filter(plugin=plugin).order_by("-sort_key").first()
    needs = newest.manifest.get("dependencies", {}).get("plugins", ()) if newest else ()
    wanted = [Requirement(text) for text in needs]
    if not wanted:
        return None
    boxes = [Box(plugin.name, tone="self"), *(Box(each.name) for each in wanted)]
    lines = [Line(plugin.name, each.name, str(each.specifier)) for each in wanted]
    return draw_picture(boxes, lines)
