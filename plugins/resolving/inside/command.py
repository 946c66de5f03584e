"""What runs in the jail: ``/input/task.json`` in, one JSON object on standard output."""

import json
import platform
import sys
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.tags import sys_tags

from .channel import Channel
from .errors import Refused
from .projects import Target
from .resolver import resolve

TASK = Path("/input/task.json")
REFUSED = 3


def main() -> int:
    """Exit status 0, or 3 with ``code`` and ``message`` when there is no such set."""
    task = json.loads(TASK.read_bytes())
    try:
        answer, status = {"packages": run(task, Channel())}, 0
    except Refused as refusal:
        answer, status = {"code": refusal.code, "message": refusal.message}, REFUSED  # type: ignore[dict-item]
    sys.stdout.write(json.dumps(answer))
    return status


def run(task: dict[str, Any], channel: Channel) -> list[dict[str, Any]]:
    """This interpreter is the one that plugins run on, so it says itself what fits it."""
    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    target = Target(ranks, platform.python_version().rstrip("+"), bool(task["native"]))
    environment: dict[str, Any] = dict(default_environment())
    chosen = resolve(task["requirements"], channel, target, environment)
    return [each.as_dict() for each in chosen]
