"""Values that survive JSON unchanged, checked without recursion, and their canonical spelling."""

import json
import math
from collections.abc import Iterator

MAX_INTEGER = 2**63 - 1


class JsonRefusedError(ValueError):
    """Where in the value (dotted), and why it is not plain bounded JSON."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def canonical_json(value: object) -> bytes:
    """One spelling per value: sorted keys, no spaces, UTF-8; what digests are taken of."""
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return text.encode()


def check_json(value: object, *, max_bytes: int, max_depth: int) -> None:
    """Raise ``JsonRefusedError`` unless the value is JSON within the bounds.

    TOML has dates, infinities and integers of any length, which JSON readers treat differently.
    """
    pending = [("", value, 1)]
    while pending:
        path, item, depth = pending.pop()
        if depth > max_depth:
            raise JsonRefusedError("", f"is nested deeper than {max_depth} levels")
        if isinstance(item, dict | list):
            pending.extend((place, child, depth + 1) for place, child in _children(path, item))
        else:
            _check_scalar(path, item)
    if len(canonical_json(value)) > max_bytes:
        raise JsonRefusedError("", f"is larger than {max_bytes} bytes of JSON")


def _children(path: str, item: dict[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    pairs = item.items() if isinstance(item, dict) else enumerate(item)
    for key, child in pairs:
        place = f"{path}.{key}" if path else str(key)
        if isinstance(item, dict):
            _check_scalar(place, key if isinstance(key, str) else object())
        yield place, child


def _check_scalar(path: str, item: object) -> None:
    if item is None or isinstance(item, bool):
        return
    if isinstance(item, str):
        _check_text(path, item)
    elif isinstance(item, int):
        if abs(item) > MAX_INTEGER:
            raise JsonRefusedError(path, "is an integer beyond 64 bits")
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise JsonRefusedError(path, "is not a finite number")
    else:
        raise JsonRefusedError(path, f"is a {type(item).__name__}, which JSON does not have")


def _check_text(path: str, text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise JsonRefusedError(path, "has a lone surrogate, which is not text")
    if "\0" in text:
        raise JsonRefusedError(path, "has a NUL character, which the database cannot keep")
