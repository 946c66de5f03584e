"""``manage.py runinstance --environment qa --name i-1``: a plugin host of one environment."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError

from deployments.instance.identity import hold_name
from deployments.instance.server import Instance
from deployments.instance.settings import read_settings
from hotswap.lib.errors import HotSwapError

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


class Command(BaseCommand):
    help = "Keep versions of plugins loaded and answer calls until SIGTERM."
    # It must start while the database is away.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", required=True, help="the one that it serves")
        parser.add_argument("--name", required=True, help="unique in the environment, kept")
        parser.add_argument(
            "--listen", default="127.0.0.1:0", help="public host:port, port 0 for any free one"
        )
        parser.add_argument("--internal", type=Path, help="path of the inner Unix socket")

    def handle(self, *_: Any, **options: Any) -> None:
        if not NAME.fullmatch(options["name"]):
            raise CommandError(
                "--name: use lower-case letters, digits, dots and hyphens, at most 63."
            )
        try:
            settings = read_settings(
                options["name"], options["environment"], options["listen"], options["internal"]
            )
            lock = hold_name(settings.home)
            uvloop.run(serve(settings))
        except HotSwapError as error:
            raise CommandError(error.message) from error
        del lock


async def serve(settings: Any) -> None:
    await Instance(settings).run()
