"""The signature header: ``t=<unix seconds>,kid=<key id>,v1=<HMAC-SHA256>,v2=<HMAC-SHA512>``.

The time is part of what is signed, so an old message cannot be sent again under a new time.
Receivers take the strongest scheme that they know; those of version 1.0.0 read ``v1`` and skip the
rest.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256, sha512

ALGORITHMS = {"sha256": ("v1", sha256), "sha512": ("v2", sha512)}
SCHEMES = {scheme: name for name, (scheme, _) in ALGORITHMS.items()}


@dataclass(frozen=True)
class Signature:
    timestamp: int
    key_id: str
    digests: tuple[tuple[str, str], ...]

    def algorithms(self) -> set[str]:
        return {algorithm for algorithm, _ in self.digests}


def key_id(key: str) -> str:
    """Names the key without telling anything about it that helps to guess it."""
    return hmac.new(key.encode(), b"webhook-signer key id", sha256).hexdigest()[:8]


def digest(key: str, timestamp: int, payload: str, algorithm: str) -> str:
    function = ALGORITHMS[algorithm][1]
    return hmac.new(key.encode(), f"{timestamp}.{payload}".encode(), function).hexdigest()


def header(key: str, timestamp: int, payload: str, algorithms: Iterable[str]) -> str:
    parts = [f"t={timestamp}", f"kid={key_id(key)}"]
    for algorithm in algorithms:
        scheme = ALGORITHMS[algorithm][0]
        parts.append(f"{scheme}={digest(key, timestamp, payload, algorithm)}")
    return ",".join(parts)


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
        elif name in SCHEMES:
            digests.append((SCHEMES[name], value))
    return Signature(timestamp, identifier, tuple(digests)) if timestamp is not None else None


def matches(signature: Signature, key: str, payload: str, algorithm: str) -> bool:
    """Whether a digest of that algorithm is right; constant time in the digest's content."""
    expected = digest(key, signature.timestamp, payload, algorithm).encode()
    found = [value.encode() for name, value in signature.digests if name == algorithm]
    return any(hmac.compare_digest(expected, value) for value in found)
