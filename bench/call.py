"""What a call costs at an instance: the whole pipeline, against the bare pipe to a process."""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from bench.load import Caller, Load, Plan, Record
from bench.machine import Machine, cpu_seconds, running_machine, wait_for
from bench.pipe import measure_pipe

ECHO = Path(__file__).parent / "echo"
BODY = json.dumps({"method": "echo", "parameters": {"text": "a call of about seventy bytes"}})


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clients", type=int, default=8, help="connections at once (8)")
    parser.add_argument("--tenants", type=int, default=1, help="tenants that call (1)")
    parser.add_argument("--seconds", type=float, default=8, help="of measured load (8)")
    parser.add_argument("--web", action="store_true", help="through web instead of the instance")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Calls a CPU-second over the instance and its plugin processes; latencies as clients see."""
    floor = measure_pipe(20_000)
    with running_machine() as machine:
        measured = _measure(machine, options)
    floor_rate = floor["calls_per_cpu_second"]
    return {
        **measured,
        "floor_calls_per_cpu_second": floor_rate,
        "share_of_floor": measured["calls_per_cpu_second"] / floor_rate,
        "clients": options.clients,
    }


def _measure(machine: Machine, options: argparse.Namespace) -> dict[str, Any]:
    # The models exist once the machine has set Django up.
    from bench.population import populate
    from hotswap.lib.database import scope_all

    with scope_all():
        population = populate("echo", tenants=options.tenants)
        population.make_stable(population.publish(ECHO))
    ((url, pid),) = machine.start_instances(1)
    target = machine.start_web() if options.web else url
    callers = tuple(Caller(slug, "echo", key, BODY) for slug, key in population.keys.items())
    wait_for(lambda: _answers(target, callers), "a first answer")
    _load(target, callers, options.clients, seconds=2)
    before = cpu_seconds(pid)
    records = _load(target, callers, options.clients, options.seconds)
    cpu = cpu_seconds(pid) - before
    return _figures(records, cpu)


def _answers(target: str, callers: tuple[Caller, ...]) -> bool:
    with Load(Plan((target,), callers, clients=1, rate=0, calls=1, seconds=10)) as load:
        return all(record.ok for record in load.wait())


def _load(target: str, callers: tuple[Caller, ...], clients: int, seconds: float) -> list[Record]:
    with Load(Plan((target,), callers, clients=clients, rate=0, seconds=seconds)) as load:
        return load.wait()


def _figures(records: list[Record], cpu: float) -> dict[str, Any]:
    milliseconds = sorted((record.end - record.start) * 1000 for record in records)
    cuts = statistics.quantiles(milliseconds, n=100)
    return {
        "calls": len(records),
        "failed": sum(not record.ok for record in records),
        "cpu_seconds": cpu,
        "calls_per_cpu_second": len(records) / cpu,
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
    }
