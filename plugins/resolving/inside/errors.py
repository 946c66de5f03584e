"""Why a set of dependencies cannot be had."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """``code`` is stable and documented; the message names who asks for what."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shown(text: str) -> str:
    """A stranger's text, safe and short enough for a message."""
    return ascii(text if len(text) <= 160 else text[:157] + "...")
