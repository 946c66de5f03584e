"""``manage.py packplugin DIR``: make an artifact out of a plugin's directory."""

from argparse import ArgumentParser
from hashlib import sha256
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from hotswap.lib.errors import HotSwapError
from plugins.packing import pack


class Command(BaseCommand):
    help = "Check a plugin's directory and pack it into NAME-VERSION.zip."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="the directory with hotswap.toml")
        parser.add_argument("-o", "--output", type=Path, help="the file to write")

    def handle(
        self, *args: object, directory: Path, output: Path | None, **options: object
    ) -> None:
        try:
            checked, data = pack(directory)
        except HotSwapError as error:
            raise CommandError(_report(error)) from error
        manifest = checked.manifest
        target = output or Path(f"{manifest.name}-{manifest.version}.zip")
        target.write_bytes(data)
        self.stdout.write(f"{target} sha256:{sha256(data).hexdigest()}")


def _report(error: HotSwapError) -> str:
    lines = [f"  {path}: {text}" for path, texts in error.fields.items() for text in texts]
    return "\n".join([error.message, *lines])
