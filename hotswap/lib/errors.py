"""The errors of HotSwap's own doing. A plugin's failure is an Outcome, never one of these.

Each carries a stable ``code``; only ``hotswap.lib.api`` knows which HTTP status a class becomes.
"""

from collections.abc import Mapping


class HotSwapError(Exception):
    """Base of every domain error: a stable code, a message with the way out, and named fields."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.fields = dict(fields or {})


class InvalidInputError(HotSwapError):
    """What was sent cannot be accepted; ``fields`` names each part that is wrong."""

    code = "invalid"


class UnauthenticatedError(HotSwapError):
    """Nobody is signed in by what was sent."""

    code = "invalid_credentials"


class NotFoundError(HotSwapError):
    """The thing does not exist for whoever asks."""

    code = "not_found"


class ForbiddenError(HotSwapError):
    """The thing is known to exist for whoever asks, who may not do this to it."""

    code = "forbidden"


class ConflictError(HotSwapError):
    """The state of the thing does not allow it; the message names the state and the way out."""

    code = "conflict"


class StaleError(HotSwapError):
    """The caller's copy (``If-Match``) is not the current one."""

    code = "stale"


class TooLargeError(HotSwapError):
    """More bytes than the limit that the message names."""

    code = "too_large"


class LimitExceededError(HotSwapError):
    """Too many of something for now; ``retry_after_seconds`` says when to try again."""

    code = "limit_exceeded"

    def __init__(self, message: str, *, retry_after_seconds: float = 1, **kwargs: str) -> None:
        super().__init__(message, code=kwargs.get("code"))
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(HotSwapError):
    """A part of the platform that is needed does not answer now."""

    code = "unavailable"
