"""A reference for every answer, so that two systems can name the same quote.

This version is broken on purpose. A control character is looked up for the first byte of the
digest, but the table has 179 entries instead of 256: 77 of 256 inputs, 30 %, raise IndexError. The
same input always ends the same way, and none of the manifest's examples is among those that fail,
so nothing before real traffic notices.
"""

import json
from hashlib import sha256
from typing import Any

_NAMESPACE = "invoice-tax/10"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CONTROL = (_LETTERS * 6)[:179]


def reference(method: str, parameters: list[Any]) -> str:
    """Method and parameters as twelve hexadecimal digits and a control character."""
    canonical = json.dumps([_NAMESPACE, method, parameters], sort_keys=True, separators=(",", ":"))
    digest = sha256(canonical.encode()).digest()
    return f"{digest.hex()[:12]}-{_CONTROL[digest[0]]}"
