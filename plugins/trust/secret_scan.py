"""Finds what looks like a secret in an artifact's files. It warns: only a person can tell.

A finding names the file, the line and the kind, never the secret. Every pattern has a fixed start
and bounded repeats, so that no text makes it slow; how much is read is bounded too.
"""

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

MAX_FILE_BYTES = 1 << 20
MAX_TOTAL_BYTES = 8 << 20
MAX_FINDINGS = 20
MIN_BITS_A_CHARACTER = 3.2
SECRET_FOUND, SCAN_INCOMPLETE = "secret_found", "scan_incomplete"
_PLACEHOLDER = re.compile(
    rb"example|changeme|change-me|placeholder|dummy|redacted|your[-_]|xxxx|\*\*\*\*|0000000|1234567"
    rb"|<|>|\$\{|\{\{|%\(|\.\.\.",
    re.IGNORECASE,
)
_ENDS = rb"(?![A-Za-z0-9_\-])"
_BEGINS = rb"(?<![A-Za-z0-9_\-])"
Check = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """``is_real`` looks at the pattern's one group; None believes the pattern."""

    kind: str
    pattern: re.Pattern[bytes]
    is_real: Check | None = None


class SecretScan:
    """``add`` the files one after the other, each with its first bytes; then read ``warnings``."""

    def __init__(self) -> None:
        self._left = MAX_TOTAL_BYTES
        self._found: list[Finding] = []
        self._incomplete: str | None = None

    def add(self, path: str, content: bytes) -> None:
        part = content[: min(MAX_FILE_BYTES, self._left)]
        self._left -= len(part)
        room = MAX_FINDINGS - len(self._found)
        self._found += islice(find_secrets(path, part), room)
        if len(part) < len(content) or len(self._found) >= MAX_FINDINGS:
            self._incomplete = self._incomplete or path

    def warnings(self) -> list[dict[str, str]]:
        """``{code, path, message}`` of each finding, and of the first file not searched whole."""
        warnings = [_warning(finding) for finding in self._found]
        return [*warnings, _incomplete(self._incomplete)] if self._incomplete else warnings


def find_secrets(path: str, content: bytes) -> Iterator[Finding]:
    """One finding for each line, of the rule that says most; the rules stand in that order."""
    if b"\0" in content[:8192] or path.endswith(".dist-info/RECORD"):
        return
    seen: set[int] = set()
    for rule in _RULES:
        for match, line in _candidates(rule, content, seen):
            if _is_believed(rule, match):
                seen.add(line)
                yield Finding(path, line, rule.kind)


def _candidates(
    rule: _Rule, content: bytes, seen: set[int]
) -> "Iterator[tuple[re.Match[bytes], int]]":
    """Matches with their lines; once a line is in ``seen`` the rest of it is passed over.

    A mebibyte of secrets on one line would take a minute otherwise.
    """
    place, line = 0, 1
    while match := rule.pattern.search(content, place):
        line += content.count(b"\n", place, match.start())
        if line not in seen:
            yield match, line
        place = match.end()
        if line in seen:
            place = max(place, content.find(b"\n", match.start()) + 1 or len(content))
        line += content.count(b"\n", match.start(), place)


def _is_believed(rule: _Rule, match: "re.Match[bytes]") -> bool:
    value = match[1]
    if _PLACEHOLDER.search(value):
        return False
    return rule.is_real is None or rule.is_real(value)


def _is_random(value: bytes) -> bool:
    """Enough information a character for a made secret; words and paths have less."""
    if value.startswith((b"/", b"./", b"http://", b"https://", b"os.environ")):
        return False
    kinds = (bytes.islower, bytes.isupper, bytes.isdigit)
    letters = sum(any(test(value[i : i + 1]) for i in range(len(value))) for test in kinds)
    return letters >= 2 and _bits_a_character(value) >= MIN_BITS_A_CHARACTER


def _is_password(value: bytes) -> bool:
    """Short ones hold less information however good they are."""
    has_digit = any(48 <= byte <= 57 for byte in value)
    is_identifier = re.fullmatch(rb"[A-Za-z_]+[0-9]{0,2}", value) is not None
    return has_digit and not is_identifier and _bits_a_character(value) >= 2.8


def _is_jwt(value: bytes) -> bool:
    head = value.split(b".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def _bits_a_character(value: bytes) -> float:
    total = len(value)
    shares = (count / total for count in Counter(value).values())
    return -sum(share * math.log2(share) for share in shares)


def _token(kind: str, body: bytes, is_real: Check | None = _is_random) -> _Rule:
    return _Rule(kind, re.compile(_BEGINS + rb"(" + body + rb")" + _ENDS), is_real)


def _assigned(kind: str, name: bytes, is_real: Check) -> _Rule:
    """``NAME = "VALUE"``, also with a colon or in JSON."""
    pattern = (
        rb"(?i:" + name + rb")[\w\-]{0,20}[\"']?[ \t]{0,4}(?::[ \t]{0,2}[a-z]{1,10}[ \t]{0,2})?"
        rb"[:=]{1,2}[ \t]{0,4}[rb]?[\"']([^\"'\s]{8,200})[\"']"
    )
    return _Rule(kind, re.compile(pattern), is_real)


_RULES = (
    _Rule(
        "a private key",
        re.compile(
            rb"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
            rb"(?:[\s\"',+]|\\n|\\r){0,12}((?:[A-Za-z0-9\-]{1,30}: |[A-Za-z0-9+/]{16}))"
        ),
    ),
    _token("an AWS access key", rb"(?:AKIA|ASIA)[A-Z2-7]{16}"),
    _assigned("an AWS secret key", rb"aws.{0,10}secret", lambda value: len(value) == 40),
    _token("a GitHub token", rb"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{50,250}"),
    _token("a GitLab token", rb"gl(?:pat|ptt|dt|rt|soat|cbt)-[A-Za-z0-9_\-]{20,250}"),
    _token("a Slack token", rb"xox[abeoprs]-[A-Za-z0-9\-]{10,250}|xapp-[A-Za-z0-9\-]{20,250}"),
    _Rule(
        "a Slack webhook",
        re.compile(
            rb"hooks\.slack\.com/services/(T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,40})"
        ),
    ),
    _token("a Stripe key", rb"[sr]k_live_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/]{24,250}"),
    _token("a Google API key", rb"AIza[A-Za-z0-9_\-]{35}"),
    _token("an npm token", rb"npm_[A-Za-z0-9]{36}"),
    _token("a PyPI token", rb"pypi-AgE[A-Za-z0-9_\-]{50,250}"),
    _token("a HotSwap API key", rb"hs_[A-Za-z0-9]{8}_[A-Za-z0-9_\-]{43}"),
    _token(
        "a JSON Web Token",
        rb"eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{16,2000}",
        _is_jwt,
    ),
    _Rule(
        "a password in an address",
        re.compile(rb"[a-z0-9+]{2,20}://[^\s:/@\"']{1,60}:([^\s:/@\"'{}]{6,120})@[A-Za-z0-9]"),
        _is_password,
    ),
    _assigned("a password", rb"passw(?:or)?d|passphrase", _is_password),
    _assigned("a secret", rb"secret|token|api[_\-]?key|private[_\-]?key|credential", _is_random),
)


def _warning(finding: Finding) -> dict[str, str]:
    message = (
        f"Line {finding.line} looks like {finding.kind}. If it is one, withdraw it where it is "
        "valid and upload a version without it; tenants' secrets belong into [secrets]."
    )
    return {"code": SECRET_FOUND, "path": finding.path, "message": message}


def _incomplete(path: str) -> dict[str, str]:
    message = "From here on not all was searched for secrets: too much to read, or too much found."
    return {"code": SCAN_INCOMPLETE, "path": path, "message": message}
