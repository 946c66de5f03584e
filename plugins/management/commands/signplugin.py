"""``manage.py signplugin ARTIFACT --key KEY.pem``: sign a version. Needs no server."""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from hotswap.lib.errors import HotSwapError
from plugins.trust.keyfiles import load_private_key, read_password
from plugins.trust.signing import sign_artifact


class Command(BaseCommand):
    help = "Check an artifact as an upload does and write ARTIFACT.dsse.json, to be sent with it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("artifact", type=Path, help="what packplugin or a build made")
        parser.add_argument("--key", type=Path, required=True, help="your private key")
        parser.add_argument("--password-file", type=Path, help="where the key's password is")
        parser.add_argument("-o", "--output", type=Path, help="the file to write")

    def handle(
        self,
        *args: object,
        artifact: Path,
        key: Path,
        password_file: Path | None,
        output: Path | None,
        **options: object,
    ) -> None:
        try:
            private = load_private_key(key, read_password(password_file))
            signed, envelope = sign_artifact(artifact, private)
        except HotSwapError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"{artifact} cannot be read: {error.strerror}.") from error
        target = output or artifact.with_name(f"{artifact.name}.dsse.json")
        target.write_text(json.dumps(envelope.as_dict(), indent=2) + "\n")
        self.stdout.write(f"{target}: {signed.plugin} {signed.version}, key {envelope.key_id}")
