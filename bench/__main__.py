"""``./dev bench NAME [--json] [options]``: run ``bench/NAME.py``, which offers ``run(options) ->
dict``.

A bench may also offer ``add_options(parser)`` for its own options and ``report(result) -> str`` for
people.
"""

import argparse
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def main(arguments: list[str]) -> int:
    """Exit code 0 when the bench ran, 1 when its result says ``"ok": false``, 2 for an unknown
    name.
    """
    name = arguments[0] if arguments else ""
    if name not in names():
        print(
            f"usage: ./dev bench NAME [--json]   with NAME one of: {', '.join(names())}",
            file=sys.stderr,
        )
        return 2
    bench = importlib.import_module(f"bench.{name}")
    options = _parse(name, bench, arguments[1:])
    result = bench.run(options)
    print(json.dumps(result) if options.json else readable(bench, result))
    return 0 if result.get("ok", True) else 1


def names() -> list[str]:
    """The modules beside this one that offer ``run``."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(file.stem for file in files if "\ndef run(" in file.read_text())


def _parse(name: str, bench: ModuleType, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=bench.__doc__)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    if hasattr(bench, "add_options"):
        bench.add_options(parser)
    return parser.parse_args(arguments)


def readable(bench: ModuleType, result: dict[str, Any]) -> str:
    """The bench's own report, or a table of its figures."""
    if hasattr(bench, "report"):
        return str(bench.report(result))
    width = max(map(len, result), default=0)
    return "\n".join(f"{name:{width}}  {_figure(value)}" for name, value in result.items())


def _figure(value: object) -> str:
    return (
        f"{value:,.3f}"
        if isinstance(value, float)
        else f"{value:,}"
        if type(value) is int
        else str(value)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
