"""What a hostile upload is expected to meet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """The bytes, the code they are refused with, and words of the message: thing and way out."""

    content: bytes
    code: str
    says: tuple[str, ...]
    name: str = "echo.zip"
    status: int = 400


def table(attacks):
    """The sentences and attacks of a table, for ``pytest.mark.parametrize``."""
    return {"argnames": "attack", "argvalues": list(attacks.values()), "ids": list(attacks)}
