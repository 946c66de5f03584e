"""Why an artifact is refused."""


class ArtifactError(Exception):
    """``code`` is stable and documented; the message names the entry and the way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shown(name: str) -> str:
    """A stranger's file name, safe and short enough for a message."""
    text = name if len(name) <= 120 else name[:117] + "..."
    return ascii(text)
