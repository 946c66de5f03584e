"""Why a call is not run, as the caller is told. Raised on the way, answered at the door."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """``fields`` names each part of the request that is wrong; ``retry_after`` is in seconds."""

    status: int
    code: str
    message: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    retry_after: float | None = None
    headers: tuple[bytes, ...] = ()


def header(name: bytes, value: bytes) -> bytes:
    """One line of an answer's head; the value must be of our own making or checked."""
    return name + b": " + value + b"\r\n"


class RefusedError(Exception):
    """Carries a refusal to the door."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def refuse(status: int, code: str, message: str, **more: object) -> RefusedError:
    return RefusedError(Refusal(status, code, message, **more))  # type: ignore[arg-type]


def refuse_input(message: str, fields: Mapping[str, list[str]]) -> RefusedError:
    return RefusedError(Refusal(400, "invalid", message, fields))


def refuse_credential(message: str) -> RefusedError:
    challenge = (header(b"www-authenticate", b'Bearer realm="hotswap"'),)
    return RefusedError(Refusal(401, "invalid_credentials", message, headers=challenge))
