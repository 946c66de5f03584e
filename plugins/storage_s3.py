"""Django's S3 storage with limits on waiting: botocore alone waits five minutes for a lost host."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 3


class S3Artifacts(S3Storage):
    """Takes S3Storage's options; ``addressing_style`` is ``path`` unless it says otherwise."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("client_config", client_config(options.pop("addressing_style", "path")))
        super().__init__(**options)


def client_config(addressing_style: str) -> Config:
    """Signature version 4, few retries, short waits."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing_style},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
