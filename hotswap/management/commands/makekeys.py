"""``manage.py makekeys``: the platform's keys, made once."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from hotswap.lib.keys import make_keys, rotate_jwt_key


class Command(BaseCommand):
    help = "Makes the keys that are missing in HOTSWAP_KEYS_DIR; running it again changes nothing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rotate-jwt",
            action="store_true",
            help="Sign access tokens with a new key; those of the key before stay valid.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(settings.KEYS_DIR)
        made = make_keys(directory)
        if options["rotate_jwt"]:
            made.append(f"jwt.pem ({rotate_jwt_key(directory)})")
        if options["verbosity"]:
            what = f"made {', '.join(made)}" if made else "all keys are there"
            self.stdout.write(f"{directory}: {what}")
