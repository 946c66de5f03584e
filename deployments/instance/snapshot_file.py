"""What an instance knows, kept on its disk for a start without the database.

snapshot/<sha256>.json    one file a shard, and one for the credentials, named by its content
snapshot/index            which files count, for which generation, confirmed when; authenticated
identity/floor            the highest generation ever kept; authenticated, in the other directory

Secrets are there only as sealed for this instance, keys only as digests. An index that is altered,
or older than the floor, is refused: somebody would bring a removed right back with it.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from deployments.instance.facts import (
    AdmissionFact,
    Credentials,
    EnvironmentFact,
    HoldFact,
    InstallationFact,
    KeyFact,
    MemberFact,
    RouteFact,
    SealedFact,
    Shard,
    Snapshot,
    TenantFact,
    UserFact,
    VersionFact,
)
from deployments.instance.identity import Identity, write_private
from hotswap.lib.errors import HotSwapError

FORMAT = 1
_PURPOSE = b"hotswap snapshot file 1"
_NAME = re.compile(r"[0-9a-f]{64}\.json")


class SnapshotRefusedError(HotSwapError):
    """What lies on the disk is not what this instance kept last. The message says what is wrong."""

    code = "snapshot_refused"


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot with the Unix time when the database last confirmed it."""

    snapshot: Snapshot
    confirmed_at: float
    live_instances: int


class SnapshotFile:
    """Used by one thread at a time."""

    def __init__(self, identity: Identity) -> None:
        self._directory = identity.home / "snapshot"
        self._floor_path = identity.home / "identity" / "floor"
        self._key = identity.derive(_PURPOSE)
        self._names: dict[int, tuple[object, str]] = {}

    def save(self, kept: Kept) -> None:
        """Write the shards that changed, then the index that makes them count, then the floor."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        snapshot = kept.snapshot
        shards = [self._write(shard) for shard in snapshot.shards.values()]
        credentials = self._write(snapshot.credentials)
        index = {
            "format": FORMAT,
            "environment": snapshot.environment,
            "generation": snapshot.generation,
            "credentials": snapshot.credentials.number,
            "confirmed_at": kept.confirmed_at,
            "live_instances": kept.live_instances,
            "shards": shards,
            "credentials_file": credentials,
        }
        write_private(self._directory / "index", self._sealed(orjson.dumps(index)))
        floor = {"generation": snapshot.generation, "credentials": snapshot.credentials.number}
        write_private(self._floor_path, self._sealed(orjson.dumps(floor)))
        self._clean({*shards, credentials})

    def load(self) -> Kept | None:
        """What was kept last; None when nothing ever was. Raises ``SnapshotRefusedError``."""
        if not (self._directory / "index").exists():
            if self._floor_path.exists():
                raise SnapshotRefusedError("the snapshot was removed, though one had been kept")
            return None
        try:
            return self._load()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SnapshotRefusedError(f"the snapshot cannot be read: {error}") from error

    def _load(self) -> Kept:
        index = orjson.loads(self._opened(self._directory / "index"))
        self._check_floor(index)
        shards = [_shard_of(self._read(name)) for name in index["shards"]]
        snapshot = Snapshot(
            environment=EnvironmentFact(**index["environment"]),
            generation=index["generation"],
            shards={shard.id: shard for shard in shards},
            credentials=_credentials_of(self._read(index["credentials_file"])),
        )
        # A clock that was put back must not make the snapshot younger than it is.
        confirmed_at = min(index["confirmed_at"], time.time())
        return Kept(snapshot, confirmed_at, index["live_instances"])

    def _check_floor(self, index: Mapping[str, Any]) -> None:
        floor = orjson.loads(self._opened(self._floor_path))
        for name in ("generation", "credentials"):
            if index[name] < floor[name]:
                raise SnapshotRefusedError(
                    f"the snapshot is of {name} {index[name]}, older than {floor[name]}, which was "
                    "kept before: it was put back from a copy"
                )

    def _write(self, part: Shard | Credentials) -> str:
        """The name of the part's file. A part that is the same object was written before."""
        known = self._names.get(id(part))
        if known and known[0] is part and (self._directory / known[1]).exists():
            return known[1]
        content = orjson.dumps(_plain(part))
        name = f"{hashlib.sha256(content).hexdigest()}.json"
        write_private(self._directory / name, content)
        self._names[id(part)] = (part, name)
        return name

    def _read(self, name: str) -> Any:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no shard's name")
        content = (self._directory / name).read_bytes()
        if f"{hashlib.sha256(content).hexdigest()}.json" != name:
            raise SnapshotRefusedError(f"{name} was altered")
        return orjson.loads(content)

    def _clean(self, used: set[str]) -> None:
        for path in self._directory.iterdir():
            if path.name != "index" and path.name not in used:
                path.unlink(missing_ok=True)
        self._names = {key: kept for key, kept in self._names.items() if kept[1] in used}

    def _sealed(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256").hex().encode() + b"\n" + content

    def _opened(self, path: Path) -> bytes:
        mac, _, content = path.read_bytes().partition(b"\n")
        expected = hmac.digest(self._key, content, "sha256").hex().encode()
        if not hmac.compare_digest(mac, expected):
            raise SnapshotRefusedError(f"{path.name} was altered, or is another instance's")
        return content


def _plain(part: Shard | Credentials) -> dict[str, Any]:
    if isinstance(part, Credentials):
        rows = {name: list(getattr(part, name).values()) for name in _CREDENTIAL_ROWS}
        return {"number": part.number, **rows}
    rows = {name: list(getattr(part, name).values()) for name in _SHARD_ROWS}
    return {"id": part.id, "name": part.name, "route": part.route, **rows}


def _key_of(**values: Any) -> KeyFact:
    return KeyFact(**values | {"scopes": tuple(values["scopes"])})


_SHARD_ROWS: dict[str, tuple[Callable[..., Any], str]] = {
    "installations": (InstallationFact, "tenant_id"),
    "admissions": (AdmissionFact, "id"),
    "open_holds": (HoldFact, "id"),
    "sealed": (SealedFact, "installation_id"),
    "versions": (VersionFact, "id"),
}
_CREDENTIAL_ROWS: dict[str, tuple[Callable[..., Any], str]] = {
    "tenants": (TenantFact, "id"),
    "members": (MemberFact, "id"),
    "users": (UserFact, "id"),
    "keys": (_key_of, "digest"),
}


def _shard_of(data: Mapping[str, Any]) -> Shard:
    route = RouteFact(**data["route"]) if data["route"] else None
    return Shard(data["id"], data["name"], route, **_rows_of(data, _SHARD_ROWS))


def _credentials_of(data: Mapping[str, Any]) -> Credentials:
    return Credentials(data["number"], **_rows_of(data, _CREDENTIAL_ROWS))


def _rows_of(data: Mapping[str, Any], kinds: Mapping[str, tuple[Callable[..., Any], str]]) -> Any:
    return {
        name: {getattr(row, key): row for row in (kind(**values) for values in data[name])}
        for name, (kind, key) in kinds.items()
    }
