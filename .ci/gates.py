"""The gates: everything that must hold of the source, run two at a time. ``./dev check``."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
AT_A_TIME = 2
# Checked file by file: inside the jail its packages are top-level.
RUNTIME = sorted(map(str, REPOSITORY.glob("sandbox/engine/runtime/*/*.py")))
# As behind TLS on a real host, so that `check --deploy` judges what would run there.
PRODUCTION = {
    "HOTSWAP_DEBUG": "false",
    "HOTSWAP_TLS": "true",
    "HOTSWAP_SECRET_KEY": "gate-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "HOTSWAP_ALLOWED_HOSTS": "hotswap.example.org",
    "HOTSWAP_DATABASE_URL": "postgres://hotswap_web@db.example.org/hotswap?sslmode=verify-full",
    "HOTSWAP_REDIS_URL": "rediss://redis.example.org/0",
}
HOUSE_RULES = "house rules"


@dataclass(frozen=True)
class Gate:
    """A command that exits with 0 when the rule holds."""

    name: str
    arguments: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    gate: Gate
    passed: bool
    seconds: float
    output: str


def python(name: str, *arguments: str, **settings: str) -> Gate:
    return Gate(name, (sys.executable, *arguments), settings)


_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
GATES = (
    python("types", "-m", "mypy"),
    python("types in the jail", "-m", "mypy", *RUNTIME),
    python("lint", "-m", "ruff", "check", "--output-format=concise", "."),
    python("format", "-m", "ruff", "format", "--check", "--output-format=concise", "."),
    python("import contracts", "-c", _LINT_IMPORTS, "--cache-dir", ".cache/imports"),
    python("migrations", "manage.py", "makemigrations", "--check", "--dry-run"),
    python(
        "deployment check", "manage.py", "check", "--deploy", "--fail-level=WARNING", **PRODUCTION
    ),
    Gate("shell", ("sh", "-n", "dev")),
    python(HOUSE_RULES, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture"),
)


def run_gates(gates: Iterable[Gate]) -> list[Verdict]:
    """Run all, print a line for each as it ends, and the output of those that fail."""
    verdicts = []
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for verdict in pool.map(_run, gates):
            verdicts.append(verdict)
            word = "ok  " if verdict.passed else "FAIL"
            print(f"{word}  {verdict.gate.name} ({verdict.seconds:.1f} s)", flush=True)
            if not verdict.passed:
                print(verdict.output, flush=True)
    return verdicts


def _run(gate: Gate) -> Verdict:
    began = time.monotonic()
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("HOTSWAP_")
    }
    done = subprocess.run(
        gate.arguments,
        cwd=REPOSITORY,
        env={**inherited, **gate.settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Verdict(gate, done.returncode == 0, time.monotonic() - began, done.stdout)


def main() -> int:
    verdicts = run_gates(GATES)
    failed = [verdict.gate.name for verdict in verdicts if not verdict.passed]
    print(f"Failed: {', '.join(failed)}" if failed else "Every gate passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
