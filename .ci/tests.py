"""``./dev test``: the gates, then pytest with coverage; the last line sums both up.

With arguments of its own (a path, ``-k`` …) only pytest runs, over what they choose.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from gates import GATES, HOUSE_RULES, REPOSITORY, run_gates

LEAST_COVERAGE_PERCENT = 85
NOTHING_WRONG, SOME_FAILED, NOTHING_COLLECTED = 0, 1, 5


def main(arguments: list[str]) -> int:
    everything = not [argument for argument in arguments if argument != "--all"]
    counts: Counter[str] = Counter()
    if everything:
        # pytest runs the house rules with the other tests.
        for verdict in run_gates(gate for gate in GATES if gate.name != HOUSE_RULES):
            counts["passed" if verdict.passed else "failed"] += 1
    counts += run_pytest(arguments, with_coverage=everything)
    if everything:
        counts["passed" if is_covered() else "failed"] += 1
    print(summary(counts))
    return 1 if counts["failed"] else 0


def run_pytest(arguments: list[str], *, with_coverage: bool) -> Counter[str]:
    """Run pytest on two workers; a run that broke off counts as one more failure."""
    coverage = ["--cov", "--cov-report="] if with_coverage else []
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "counts.json"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "tests.counting",
                "-q",
                "-n",
                "2",
                *coverage,
                *arguments,
            ],
            cwd=REPOSITORY,
            env={**os.environ, "HOTSWAP_TEST_COUNTS": str(file)},
            check=False,
        )
        counts = Counter(json.loads(file.read_text()) if file.exists() else {})
    explained = {NOTHING_WRONG, SOME_FAILED} if counts["failed"] else {NOTHING_WRONG}
    if done.returncode not in explained:
        counts["failed"] += 1
    return counts


def is_covered() -> bool:
    """Print the figure of lines and branches, and the files that lack most when it is too low."""
    report = [sys.executable, "-m", "coverage", "report"]
    total = subprocess.run(
        [*report, "--format=total", "--precision=1"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if total.returncode != 0:
        print(f"No coverage: {total.stdout}{total.stderr}")
        return False
    percent = float(total.stdout)
    enough = percent >= LEAST_COVERAGE_PERCENT
    if not enough:
        subprocess.run([*report, "--sort=miss"], cwd=REPOSITORY, check=False)
    print(f"Coverage of lines and branches: {percent:.1f} % (at least {LEAST_COVERAGE_PERCENT} %)")
    return enough


def summary(counts: Counter[str]) -> str:
    text = f"{counts['passed']} passed, {counts['failed']} failed"
    return f"{text}, {counts['skipped']} skipped" if counts["skipped"] else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
