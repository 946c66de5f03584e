"""The signature header: ``t=<unix seconds>,kid=<key id>,v1=<hex of HMAC-SHA256>``.

The time is part of what is signed, so an old message cannot be sent again under a new time.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

SCHEME = "v1"


@dataclass(frozen=True)
class Signature:
    timestamp: int
    key_id: str
    digests: tuple[str, ...]


def key_id(key: str) -> str:
    """Names the key without telling anything about it that helps to guess it."""
    return hmac.new(key.encode(), b"webhook-signer key id", sha256).hexdigest()[:8]


def digest(key: str, timestamp: int, payload: str) -> str:
    return hmac.new(key.encode(), f"{timestamp}.{payload}".encode(), sha256).hexdigest()


def header(key: str, timestamp: int, payload: str) -> str:
    return f"t={timestamp},kid={key_id(key)},{SCHEME}={digest(key, timestamp, payload)}"


def parse(text: str) -> Signature | None:
    """The parts of a header; None when it is not one. Unknown schemes are skipped."""
    timestamp, identifier, digests = None, "", []
    for part in text.split(","):
        name, separator, value = part.strip().partition("=")
        if not separator:
            return None
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            timestamp = int(value)
        elif name == "kid":
            identifier = value
        elif name == SCHEME:
            digests.append(value)
    return Signature(timestamp, identifier, tuple(digests)) if timestamp is not None else None


def matches(signature: Signature, key: str, payload: str) -> bool:
    """Constant time in the digest's content."""
    expected = digest(key, signature.timestamp, payload)
    return any(
        hmac.compare_digest(expected.encode(), found.encode()) for found in signature.digests
    )
