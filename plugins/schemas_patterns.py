"""What a pattern costs for every character that it looks at.

The engine is linear in the text, but times the length of the pattern with its counted repetitions
written out: ``(?:(?:a|b){100}){100}`` takes ten thousand steps a character.
"""

import re

_TOKEN = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<open>\((?:\?(?:P?<[^>]*>|[a-z-]*:))?)|(?P<close>\))"
    r"|\{(?P<least>\d{1,9})(?P<most>,\d{0,9})?\}"
    # A space stands between nothing and its count where the x flag has it ignored.
    r"|(?P<nothing>[*+?|\s])"
    r"|(?P<category>\\[pP]\{[^}]*\})"
    r"|(?P<one>\\.|.)",
    re.DOTALL,
)
# A category such as \p{L} is hundreds of ranges of bytes.
_CATEGORY_WEIGHT = 200


def pattern_weight(pattern: str) -> int:
    """The pattern's positions with its counted repetitions written out; never less than 1."""
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind == "open":
            groups.append(0)
            last = 0
        elif kind == "close":
            last = groups.pop() if len(groups) > 1 else 0
            groups[-1] += last
        elif kind in ("least", "most"):
            groups[-1] += last * (_repetitions(token) - 1)
            last *= _repetitions(token)
        elif kind != "nothing":
            last = _CATEGORY_WEIGHT if kind == "category" else 1
            groups[-1] += last
    return max(1, sum(groups))


def _repetitions(token: re.Match[str]) -> int:
    """The greatest count; ``{3,}`` is three and then a loop over one more."""
    least, most = int(token["least"]), token["most"]
    if most is None:
        return max(1, least)
    return int(most[1:]) if most[1:] else least + 1


def text_length(value: object) -> int:
    """The characters of all texts and keys of a JSON value."""
    pending, total = [value], 0
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, dict):
            total += sum(map(len, item))
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return total
