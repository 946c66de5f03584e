"""A direct deployment under load, in processes of its own: what it costs the calls that run then.

Every call carries its number, and every plugin process answers with its count of calls, so a call
that ran twice, or ran without an answer, shows as a gap between counts and answers.
"""

import argparse
import json
import shutil
import time
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

from bench.load import Caller, Load, Plan, Record
from bench.machine import Machine, running_machine, wait_for

COUNTER = Path(__file__).parent / "counter"
FIRST, SECOND = "1.0.0", "1.1.0"
BEFORE_SECONDS = 8
LONGEST_SECONDS = 120


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--instances", type=int, default=2, help="plugin hosts (2)")
    parser.add_argument("--tenants", type=int, default=20, help="tenants that call (20)")
    parser.add_argument("--rate", type=float, default=300, help="calls a second (300)")
    parser.add_argument("--clients", type=int, default=8, help="connections (8)")
    parser.add_argument("--bake", type=float, default=3, help="seconds before the promotion (3)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """``ok`` when no call failed, none ran twice and the second version became stable."""
    with running_machine() as machine:
        from hotswap.lib.database import scope_all  # the machine has set Django up

        with scope_all():
            return _measure(machine, options)


def _measure(machine: Machine, options: argparse.Namespace) -> dict[str, Any]:
    from bench.population import populate  # the machine has set Django up

    population = populate("counter", tenants=options.tenants)
    for version in (FIRST, SECOND):
        population.publish(_make(version, machine.home.path / version))
    instances = machine.start_instances(options.instances)
    machine.start_worker()
    machine.start_beat()
    _deploy(population, FIRST, bake=0)
    body = '{"method": "count", "parameters": {"call": {call}}}'
    plan = Plan(
        targets=tuple(url for url, _ in instances),
        callers=tuple(Caller(slug, "counter", key, body) for slug, key in population.keys.items()),
        clients=options.clients,
        rate=options.rate,
        seconds=LONGEST_SECONDS * 2,
        keep_answers=True,
    )
    with Load(plan) as load:
        time.sleep(BEFORE_SECONDS)
        asked = time.time()
        deployment = _deploy(population, SECOND, bake=options.bake)
        time.sleep(1)
        records = load.stop()
    return summarise(records, asked) | _describe(deployment) | {"instances": options.instances}


def summarise(records: list[Record], asked: float) -> dict[str, Any]:
    """The swap lasts until the last answer by another version than the second."""
    others = [record.end for record in records if record.version not in ("", SECOND)]
    swapped = max([asked, *others])
    failed = Counter(record.code for record in records if not record.ok)
    duplicated = count_duplicated(records)
    return {
        "ok": not failed and not duplicated,
        "calls": len(records),
        "failed": failed.total(),
        "failures": dict(failed),
        "duplicated": duplicated,
        "seconds_to_swap": swapped - asked,
        "p99_ms_before": _p99_ms(records, asked - BEFORE_SECONDS / 2, asked),
        "p99_ms_during_swap": _p99_ms(records, asked, swapped + 1),
    }


def count_duplicated(records: list[Record]) -> int:
    """Calls that a process ran beyond those it answered, and answers beyond one to a call."""
    ran: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    calls: Counter[int] = Counter()
    for result in (json.loads(record.answer)["result"] for record in records if record.ok):
        ran[result["process"]] = max(ran[result["process"]], result["calls"])
        answered[result["process"]] += 1
        calls[result["call"]] += 1
    return ran.total() - answered.total() + calls.total() - len(calls)


def _p99_ms(records: list[Record], since: float, until: float) -> float:
    took = sorted(each.end - each.start for each in records if since <= each.start < until)
    return 1000 * took[ceil(0.99 * len(took)) - 1] if took else 0.0


def _make(version: str, directory: Path) -> Path:
    shutil.copytree(COUNTER, directory)
    manifest = directory / "hotswap.toml"
    manifest.write_text(manifest.read_text().replace(FIRST, version))
    return directory


def _deploy(population: Any, version: str, bake: float) -> Any:
    """Ask as the API does, and wait for the end."""
    from deployments.services import start_deployment  # the machine has set Django up

    deployment = start_deployment(
        plugin=population.plugin,
        environment=population.environment,
        candidate=population.plugin.versions.get(version=version),
        by=population.bob,
        options={"bake_seconds": bake},
    )

    def is_over() -> bool:
        deployment.refresh_from_db()
        return not deployment.is_active

    wait_for(is_over, f"the deployment of {version}", LONGEST_SECONDS)
    if deployment.status != "completed":
        raise SystemExit(f"{version} ended {deployment.status}: {deployment.reason}")
    return deployment


def _describe(deployment: Any) -> dict[str, Any]:
    took = {
        step.kind: round((step.finished_at - step.started_at).total_seconds(), 3)
        for step in deployment.steps.all()
    }
    return {"status": deployment.status, "seconds_by_step": took}
