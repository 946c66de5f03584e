"""TOML from strangers: bounded before the standard library's reader sees it.

``tomllib`` keeps a copy of every prefix of a dotted key, so 240 KB of ``a.a.a…`` takes all the
memory of the machine, and it recurses on brackets. Both are counted here in one linear pass.
"""

import re
import tomllib

MAX_MANIFEST_BYTES = 256 * 1024
MAX_NESTING = 40
MAX_KEY_PARTS = 16
MAX_DIGITS = 1_000

_TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5})'''
    # One that never ends is refused at its start: looked for again at each later one, 256 KB of
    # them would take minutes.
    r'''|(?P<open_text>"""|\'\'\')'''
    r"""|(?P<key>"(?:\\[^\n]|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
    r"""|(?P<open_quote>["'])"""
    r"""|(?P<dot>\.)|(?P<open>[\[{])|(?P<close>[\]}])"""
    r"""|(?P<comment>\#[^\n]*)|(?P<space>[ \t]+)|(?P<other>.)""",
    re.DOTALL,
)


class TomlRefusedError(ValueError):
    """The text is not TOML, or is beyond the bounds; the message says which."""


def read_toml(text: str | bytes) -> dict[str, object]:
    """The document as a table, or ``TomlRefusedError``."""
    document = _decode(text)
    _check_tokens(document)
    try:
        return tomllib.loads(document)
    except (ValueError, RecursionError) as error:
        raise TomlRefusedError(f"is not TOML: {str(error)[:200]}") from error


def _decode(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > MAX_MANIFEST_BYTES:
        raise TomlRefusedError(f"is {size} bytes long; the limit is {MAX_MANIFEST_BYTES}")
    try:
        return text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise TomlRefusedError(f"is not UTF-8: {error.reason} at byte {error.start}") from error


def _check_tokens(document: str) -> None:
    depth = parts = 0
    for token in _TOKEN.finditer(document):
        kind = token.lastgroup
        if kind in ("open_quote", "open_text"):
            raise TomlRefusedError(f"is not TOML: the string at {_place(token)} does not end")
        if kind == "key" and token.end() - token.start() > MAX_DIGITS and _is_number(token):
            raise TomlRefusedError(f"has a number of more than {MAX_DIGITS} digits")
        depth += (kind == "open") - (kind == "close")
        parts = parts + (kind == "dot") if kind in ("key", "dot", "space") else 0
        if depth > MAX_NESTING:
            raise TomlRefusedError(f"is nested deeper than {MAX_NESTING} brackets")
        if parts > MAX_KEY_PARTS:
            raise TomlRefusedError(f"has a dotted key of more than {MAX_KEY_PARTS} parts")


def _is_number(token: re.Match[str]) -> bool:
    return token.group()[0].isdigit()


def _place(token: re.Match[str]) -> str:
    line = token.string.count("\n", 0, token.start()) + 1
    return f"line {line}"
