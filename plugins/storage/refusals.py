"""What an S3 server's answer means, and what somebody who runs HotSwap can do about it."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

MISSING = ("NoSuchKey", "404", "NotFound")
MISSING_BUCKET = ("NoSuchBucket", "404", "NotFound")

_CREDENTIALS = "Check HOTSWAP_S3_ACCESS_KEY_ID and HOTSWAP_S3_SECRET_ACCESS_KEY."
_BUCKET = (
    "Check HOTSWAP_S3_BUCKET, HOTSWAP_S3_ENDPOINT_URL and HOTSWAP_S3_REGION, or make the bucket "
    "with manage.py setupstorage."
)
_RIGHTS = (
    "Give the key of HOTSWAP_S3_ACCESS_KEY_ID the rights of docs/storage.md; without right to list "
    "a bucket, a server answers the same for one that does not exist."
)
_SERVER = "Check HOTSWAP_S3_ENDPOINT_URL, and that the server is up and not overloaded."
_ENCRYPTION = (
    "Give the server a key service, or set HOTSWAP_S3_ENCRYPTION=none if its disks are encrypted."
)
_WAYS_OUT = {
    "NoSuchBucket": ("the bucket does not exist", _BUCKET),
    "404": ("the bucket does not exist", _BUCKET),
    "NotFound": ("the bucket does not exist", _BUCKET),
    "PermanentRedirect": ("the bucket is in another region", _BUCKET),
    "301": ("the bucket is in another region", _BUCKET),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _BUCKET),
    "InvalidAccessKeyId": ("the access key is not known", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key is wrong", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", _CREDENTIALS),
    "RequestTimeTooSkewed": ("the clocks differ too much", "Set the clock of this machine."),
    "AccessDenied": ("access is denied", _RIGHTS),
    "403": ("access is denied", f"{_CREDENTIALS} {_RIGHTS}"),
    "AllAccessDisabled": ("access is denied", _RIGHTS),
    "MethodNotAllowed": ("it is read-only or does not support this", _RIGHTS),
    "XMinioStorageFull": ("it is full", "Free space on the server."),
    "SlowDown": ("it asks to slow down", _SERVER),
    "KMS.NotFoundException": ("the encryption key does not exist", _ENCRYPTION),
}


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def explain(error: ClientError) -> tuple[str, str]:
    """Why the server refused, with its own code, and the way out."""
    told = error.response.get("Error", {})
    code = code_of(error) or "an error without a code"
    if "ncrypt" in told.get("Message", "") or "KMS" in code:
        return f"it refuses the encryption ({code}: {told.get('Message', '')})", _ENCRYPTION
    reason, way_out = _WAYS_OUT.get(code, ("it refuses", f"{_BUCKET} {_RIGHTS}"))
    return f"{reason} ({code})", way_out


def explain_unreachable(error: Exception) -> tuple[str, str]:
    """The same for a server that gave no answer, after the retries of ``plugins.storage.s3``."""
    if isinstance(error, (ReadTimeoutError, ConnectTimeoutError)):
        return f"it does not answer in time ({error})", _SERVER
    if isinstance(error, EndpointConnectionError):
        return str(error), _SERVER
    if isinstance(error, NoCredentialsError):
        return "there are no credentials", _CREDENTIALS
    if isinstance(error, BotoCoreError):
        return str(error), f"{_BUCKET} {_SERVER}"
    return str(error), f"{_BUCKET} {_RIGHTS}"
