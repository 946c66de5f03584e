"""Which object has which key: artifacts and wheels by digest, uploads by the id of their row."""

import re
from uuid import UUID

from hotswap.lib.errors import InvalidInputError

ARTIFACTS = "artifacts/sha256/"
STAGING = "uploads/"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def artifact_key(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise InvalidInputError(f"{digest[:80]!r} is not a sha256 digest in lower-case hex.")
    return f"{ARTIFACTS}{digest}"


def staging_key(upload: UUID | str) -> str:
    try:
        return f"{STAGING}{UUID(str(upload))}"
    except ValueError:
        raise InvalidInputError(f"{str(upload)[:80]!r} is not the id of an upload.") from None


def is_artifact_key(key: str) -> bool:
    return key.startswith(ARTIFACTS) and bool(_DIGEST.fullmatch(key.removeprefix(ARTIFACTS)))
