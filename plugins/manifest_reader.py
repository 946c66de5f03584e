"""Reads checked values out of untrusted tables and keeps every problem with the path of its key."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

MAX_PROBLEMS = 50
MAX_LIST_ITEMS = 64


class Problems:
    """What is wrong, by the dotted path of the key; at most 50, so a report stays readable."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        self._count = 0

    def add(self, path: str, message: str) -> None:
        self._count += 1
        if self._count <= MAX_PROBLEMS:
            self.fields.setdefault(path[:200], []).append(message[:400])

    def __bool__(self) -> bool:
        return bool(self.fields)


class Table:
    """One table of the manifest. Each read takes a key; ``finish`` reports the keys nobody took.

    A wrong value adds a problem and yields the default, so reading goes on to find the others.
    """

    def __init__(self, data: Mapping[str, object], problems: Problems, path: str = "") -> None:
        self._data = data
        self._taken: set[str] = set()
        self.problems = problems
        self.path = path

    def place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def problem(self, key: str, message: str) -> None:
        self.problems.add(self.place(key) if key else self.path, message)

    def has(self, key: str) -> bool:
        return key in self._data

    def keys(self) -> Collection[str]:
        return self._data.keys()

    def take(self, key: str) -> object:
        """The raw value or None; TOML has no null."""
        self._taken.add(key)
        return self._data.get(key)

    def text(
        self,
        key: str,
        default: str | None = None,
        *,
        maximum: int = 200,
        pattern: re.Pattern[str] | None = None,
        form: str = "",
    ) -> str:
        """A string of one line; without a default the key is required."""
        value = self.take(key)
        if value is None and default is None:
            self.problem(key, "is required")
            return ""
        if value is None or value == default:
            return default or ""
        if not isinstance(value, str):
            self.problem(key, "must be a string")
        elif not value.strip() or not value.isprintable():
            self.problem(key, "must be printable text on one line, not empty")
        elif len(value) > maximum:
            self.problem(key, f"must have at most {maximum} characters")
        elif pattern and not pattern.fullmatch(value):
            self.problem(key, f"{value[:64]!r} is not accepted: {form}")
        else:
            return value
        return default or ""

    def integer(self, key: str, default: int, minimum: int, maximum: int) -> int:
        value = self.take(key)
        if value is None:
            return default
        is_boolean = isinstance(value, bool)
        if isinstance(value, int) and not is_boolean and minimum <= value <= maximum:
            return value
        self.problem(key, f"must be a whole number from {minimum} to {maximum}")
        return default

    def number(self, key: str, default: float, minimum: float, maximum: float) -> float:
        value = self.take(key)
        if value is None:
            return default
        is_boolean = isinstance(value, bool)
        if isinstance(value, int | float) and not is_boolean and minimum <= value <= maximum:
            return float(value)
        self.problem(key, f"must be a number from {minimum:g} to {maximum:g}")
        return default

    def boolean(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.problem(key, "must be true or false")
        return default

    def choice(self, key: str, default: str | None, choices: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value and value not in choices:
            self.problem(key, f"must be one of {', '.join(choices)}")
            return default or choices[0]
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, "must be a list of strings")
            return ()
        if len(value) > MAX_LIST_ITEMS:
            self.problem(key, f"must have at most {MAX_LIST_ITEMS} items")
        return tuple(value[:MAX_LIST_ITEMS])

    def integers(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            self.problem(key, "must be a list of whole numbers")
            return default
        return tuple(value[:MAX_LIST_ITEMS])

    def table(self, key: str) -> "Table":
        """The table below the key; an empty one when it is absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.problem(key, "must be a table")
            value = None
        return Table(value or {}, self.problems, self.place(key))

    def tables(self, key: str, maximum: int) -> "list[Table]":
        """The list of tables below the key."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, "must be a list of tables")
            return []
        if len(value) > maximum:
            self.problem(key, f"must have at most {maximum} items")
        pairs = enumerate(value[:maximum])
        return [Table(item, self.problems, f"{self.place(key)}.{n}") for n, item in pairs]

    def named_tables(
        self, key: str, maximum: int, pattern: re.Pattern[str], form: str
    ) -> "list[tuple[str, Table]]":
        """The tables below the key by their own names, such as ``[methods.quote]``."""
        group = self.table(key)
        if len(group.keys()) > maximum:
            self.problem(key, f"must have at most {maximum} entries")
        found = []
        for name in list(group.keys())[:maximum]:
            if pattern.fullmatch(name):
                found.append((name, group.table(name)))
            else:
                group.problem(name, f"the name is not accepted: {form}")
        return found

    def finish(self) -> None:
        """Report unknown keys with the nearest known one."""
        for key in self._data:
            if key not in self._taken:
                near = get_close_matches(key[:64], sorted(self._taken), n=1, cutoff=0.6)
                known = f"did you mean {near[0]!r}?" if near else f"known: {self._known()}"
                self.problem(key, f"is not a known key; {known}")

    def _known(self) -> str:
        return ", ".join(sorted(self._taken)) or "none"
