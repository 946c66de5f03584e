"""``manage.py makepublisherkey KEY.pem``: a key to sign versions with. Needs no server."""

from argparse import ArgumentParser
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management.base import BaseCommand, CommandError

from hotswap.lib.errors import HotSwapError
from plugins.trust.keyfiles import key_id, public_pem, read_password, write_private_key


class Command(BaseCommand):
    help = "Make an Ed25519 key pair: KEY.pem stays with you, KEY.pub.pem is registered."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", type=Path, help="the private key's new file, such as KEY.pem")
        parser.add_argument("--password-file", type=Path, help="encrypt it with what is in there")

    def handle(
        self, *args: object, key: Path, password_file: Path | None, **options: object
    ) -> None:
        private = Ed25519PrivateKey.generate()
        public = key.with_suffix(".pub.pem")
        try:
            write_private_key(private, key, read_password(password_file))
        except HotSwapError as error:
            raise CommandError(error.message) from error
        public.write_text(public_pem(private.public_key()))
        self.stdout.write(f"{key} (keep it to yourself)\n{public} (register it)")
        self.stdout.write(f"key id {key_id(private.public_key())}")
