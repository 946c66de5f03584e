"""Django's S3 storage with limits on waiting and memory: botocore alone waits five minutes."""

from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured
from storages.backends.s3 import S3Storage

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 3
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
ENCRYPTIONS = ("AES256", "aws:kms", "none")


class S3Artifacts(S3Storage):
    """Takes S3Storage's options; ``addressing_style`` is ``path`` unless it says otherwise.

    ``encryption`` (of ``ENCRYPTIONS``) and ``encryption_key`` are asked for at every write.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("client_config", client_config(options.pop("addressing_style", "path")))
        options.setdefault("transfer_config", transfer_config())
        asked = encryption_parameters(
            options.pop("encryption", "none"), options.pop("encryption_key", "")
        )
        options["object_parameters"] = {**options.get("object_parameters", {}), **asked}
        super().__init__(**options)


def client_config(
    addressing_style: str, read_seconds: float = READ_SECONDS, attempts: int = ATTEMPTS
) -> Config:
    """Signature version 4, short waits, and few retries of what botocore knows to be passing.

    The standard mode repeats lost connections, timeouts, throttling and 500, 502, 503, 504, with
    growing pauses and a budget; a refusal (403, 404, 400) is final at once.
    """
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing_style},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )


def transfer_config() -> TransferConfig:
    """Large objects in parts, of which a few lie in memory at a time."""
    config = TransferConfig(
        multipart_threshold=2 * PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=PARTS_AT_ONCE,
    )
    config.max_in_memory_upload_chunks = 1  # of s3transfer's own
    return config


def encryption_parameters(encryption: str, key: str) -> dict[str, str]:
    """What goes with every write; refuses settings that no server could honour."""
    if encryption not in ENCRYPTIONS:
        known = ", ".join(ENCRYPTIONS)
        raise ImproperlyConfigured(
            f"HOTSWAP_S3_ENCRYPTION: expected one of {known}, not {encryption!r}"
        )
    if key and encryption != "aws:kms":
        raise ImproperlyConfigured(
            "HOTSWAP_S3_ENCRYPTION_KEY is only for HOTSWAP_S3_ENCRYPTION=aws:kms"
        )
    if encryption == "none":
        return {}
    asked = {"ServerSideEncryption": encryption}
    return {**asked, "SSEKMSKeyId": key} if key else asked
