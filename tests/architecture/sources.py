"""The files that the house rules are about."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
APPS = ("hotswap", "deployments", "plugins", "sandbox", "tenants", "observability")
_NOT_OURS = {"__pycache__", "node_modules", "vendor", "collected", "htmlcov"}


def all_files() -> Iterator[Path]:
    """Every file of the source tree: nothing installed, nothing made by a run."""
    for directory, names, files in os.walk(REPOSITORY):
        names[:] = [name for name in names if name not in _NOT_OURS and _is_shown(name)]
        yield from (Path(directory, name) for name in files if not name.startswith(".coverage"))


def _is_shown(name: str) -> bool:
    return name == ".ci" or not name.startswith(".")


@cache
def python_files() -> tuple[Path, ...]:
    """Every module but the migrations, which Django writes."""
    return tuple(
        sorted(
            path for path in all_files() if path.suffix == ".py" and "migrations" not in path.parts
        )
    )


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def name_of(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(REPOSITORY).as_posix()


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
