"""Passes a call on, once, to another instance that has the version ready.

The header says who called, for whom, which version and how much time is left; it is signed with a
key that only the two instances can make (X25519, HKDF, HMAC-SHA256), bound to the body, and good
for 30 s and one use. The receiver does not authenticate the caller and takes no quota again.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import httptools
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deployments.instance.database import Peer
from deployments.instance.identity import Identity
from hotswap.lib.errors import HotSwapError

HEADER = b"x-hotswap-passed"
VALID_SECONDS = 30
CONNECT_SECONDS = 1.0
UNIX = "unix:"
MAX_ANSWER_BYTES = 64 << 20
_INFO = b"hotswap passing 1"
_NOT_PASSED_BACK = frozenset({b"connection", b"content-length", b"date", b"transfer-encoding"})


class PassRefusedError(HotSwapError):
    """The header is not one that a peer made for this call."""

    code = "pass_refused"


class PeerUnreachableError(Exception):
    """The peer cannot have begun the call: it never got the request."""


class PeerLostError(Exception):
    """The peer had the request and went away: the call may have started."""


@dataclass(frozen=True, slots=True)
class PassedCall:
    """What the first instance found out. ``seconds`` is what is left of the deadline."""

    sender: str
    receiver: str
    expires_at: float
    nonce: str
    body_digest: str
    path: str
    principal: str
    tenant_id: str
    plugin_id: str
    version_id: str
    generation: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Passing:
    """``peers`` are those of the last heartbeat."""

    def __init__(self, identity: Callable[[], Identity], peers: Callable[[], Iterable[Peer]]):
        self._identity = identity
        self._peers = peers
        self._seen: dict[str, float] = {}

    def peers_with(self, version_id: str) -> list[Peer]:
        """In an order that differs between calls, so that one peer does not get them all."""
        own = self._identity().id
        found = [p for p in self._peers() if version_id in p.versions and p.id != own]
        secrets.SystemRandom().shuffle(found)
        return found

    def sign(self, call: PassedCall, peer: Peer) -> bytes:
        content = base64.urlsafe_b64encode(orjson.dumps(asdict(call)))
        key = derive_key(self._identity(), peer.public_key, call.sender, call.receiver)
        return content + b"." + _mac(key, content)

    def verify(self, header: bytes, path: str, body: bytes) -> PassedCall:
        """The call as a live peer described it. Raises ``PassRefusedError``."""
        content, _, mac = header.partition(b".")
        try:
            call = PassedCall(**orjson.loads(base64.urlsafe_b64decode(content)))
        except (binascii.Error, ValueError, TypeError) as error:
            raise PassRefusedError("the header cannot be read") from error
        identity = self._identity()
        peer = next((p for p in self._peers() if p.id == call.sender and p.public_key), None)
        if peer is None or call.receiver != identity.id:
            raise PassRefusedError("the header is not from a live peer for this instance")
        key = derive_key(identity, peer.public_key, call.sender, call.receiver)
        if not hmac.compare_digest(mac, _mac(key, content)):
            raise PassRefusedError("the header's signature is wrong")
        self._check(call, path, body)
        return call

    def _check(self, call: PassedCall, path: str, body: bytes) -> None:
        now = time.time()
        if not now < call.expires_at <= now + 2 * VALID_SECONDS:
            raise PassRefusedError("the header has expired")
        if call.body_digest != digest_of(body) or call.path != path:
            raise PassRefusedError("the header is for another call")
        self._seen = {nonce: ends for nonce, ends in self._seen.items() if ends > now}
        if call.nonce in self._seen:
            raise PassRefusedError("the header was used before")
        self._seen[call.nonce] = call.expires_at


async def send(
    peer: Peer, path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, seconds: float
) -> PeerAnswer:
    """One request on a connection of its own: an old one may be gone without our knowing."""
    if not peer.address.startswith(UNIX):
        raise PeerUnreachableError(f"{peer.name} has no inner door that can be used from here")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            door = peer.address.removeprefix(UNIX)
            reader, writer = await asyncio.open_unix_connection(door)
    except (OSError, TimeoutError) as error:
        raise PeerUnreachableError(str(error)) from error
    try:
        async with asyncio.timeout(seconds):
            writer.write(_request(path, headers, body))
            return await _read_answer(reader)
    except (OSError, TimeoutError, httptools.HttpParserError) as error:
        raise PeerLostError(f"{peer.name} went away: {error}") from error
    finally:
        writer.close()


def _request(path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    lines = [b"POST " + path.encode() + b" HTTP/1.1", b"host: instance", b"connection: close"]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"content-length: " + str(len(body)).encode(), b"", body]
    return b"\r\n".join(lines)


class _Collector:
    """What httptools tells about an answer."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() not in _NOT_PASSED_BACK:
            self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body
        if len(self.body) > MAX_ANSWER_BYTES:
            raise OSError("the answer is too large")

    def on_message_complete(self) -> None:
        self.is_complete = True


async def _read_answer(reader: asyncio.StreamReader) -> PeerAnswer:
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    while not collector.is_complete:
        data = await reader.read(65536)
        if not data:
            raise OSError("it closed the connection without an answer")
        parser.feed_data(data)
    return PeerAnswer(parser.get_status_code(), collector.headers, bytes(collector.body))


def new_nonce() -> str:
    return secrets.token_hex(16)


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def derive_key(identity: Identity, peer_key: str, sender: str, receiver: str) -> bytes:
    """The same at both ends, another one in the other direction."""
    try:
        public = X25519PublicKey.from_public_bytes(base64.b64decode(peer_key, validate=True))
        shared = identity.private_key.exchange(public)
    except (binascii.Error, ValueError) as error:
        raise PassRefusedError("the peer's public key cannot be used") from error
    info = b"|".join((_INFO, sender.encode(), receiver.encode()))
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(shared)


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256").hex().encode()
