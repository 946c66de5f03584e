import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hotswap.lib.database import scope_all
from hotswap.seeding import keys_file, seed


class Command(BaseCommand):
    help = "Makes the demo's people, tenants and first plugins, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--passwords", type=Path, required=True, help="JSON: name to password")

    def handle(self, *_: Any, passwords: Path, **__: Any) -> None:
        with scope_all():
            seed(json.loads(passwords.read_text()))
        self.stdout.write(f"The tenants' keys are in {keys_file()}.")
