"""``/metrics`` of an instance in Prometheus' text form, from counters. No tenant is a label."""

import time
from collections.abc import Iterator

from deployments.instance.counters import Counters
from deployments.instance.hosting import Hosting
from deployments.instance.knowledge import Knowledge
from observability.histogram import BOUNDS
from sandbox.engine.budget import ProcessBudget

INVOCATIONS = "hotswap_invocations_total"
EXECUTION = "hotswap_plugin_execution_seconds"
EVERY = 5  # every fifth bucket is enough for a graph: two to a decade


def render_metrics(
    counters: Counters, knowledge: Knowledge, hosting: Hosting, budget: ProcessBudget
) -> bytes:
    lines = [
        *_invocations(counters),
        *_executions(counters),
        *_rejections(counters),
        *_loads(hosting),
        *_alarms(hosting),
        *_gauges(knowledge, hosting, budget),
    ]
    return ("\n".join(lines) + "\n").encode()


def _invocations(counters: Counters) -> Iterator[str]:
    yield f"# HELP {INVOCATIONS} Calls that reached a version here, by outcome."
    yield f"# TYPE {INVOCATIONS} counter"
    for (plugin, version, code), count in counters.outcomes.items():
        yield f'{INVOCATIONS}{{plugin="{plugin}",version="{version}",outcome="{code}"}} {count}'


def _executions(counters: Counters) -> Iterator[str]:
    yield f"# HELP {EXECUTION} From a call's arrival to its answer."
    yield f"# TYPE {EXECUTION} histogram"
    for (plugin, version), counts in counters.latencies.items():
        labels = f'plugin="{plugin}",version="{version}"'
        for index in range(0, len(BOUNDS), EVERY):
            seen = sum(counts[: index + 1])
            yield f'{EXECUTION}_bucket{{{labels},le="{BOUNDS[index]:.6g}"}} {seen}'
        yield f'{EXECUTION}_bucket{{{labels},le="+Inf"}} {sum(counts)}'
        yield f"{EXECUTION}_sum{{{labels}}} {counters.seconds[plugin, version]:.6f}"
        yield f"{EXECUTION}_count{{{labels}}} {sum(counts)}"


def _rejections(counters: Counters) -> Iterator[str]:
    yield "# HELP hotswap_quota_rejections_total Calls over a quota."
    yield "# TYPE hotswap_quota_rejections_total counter"
    for plugin, count in counters.rejected.items():
        yield f'hotswap_quota_rejections_total{{plugin="{plugin}"}} {count}'


def _loads(hosting: Hosting) -> Iterator[str]:
    yield "# HELP hotswap_plugin_load_seconds How long the load of each version took here."
    yield "# TYPE hotswap_plugin_load_seconds gauge"
    for loaded in hosting.ready.values():
        labels = f'plugin="{loaded.fact.plugin}",version="{loaded.fact.version}"'
        yield f"hotswap_plugin_load_seconds{{{labels}}} {loaded.load_seconds:.6f}"


def _alarms(hosting: Hosting) -> Iterator[str]:
    name = "hotswap_integrity_failures_total"
    yield f"# HELP {name} Loads refused because something is not what was approved."
    yield f"# TYPE {name} counter"
    for row in hosting.alarms.rows.values():
        labels = f'plugin="{row.plugin}",version="{row.version}",code="{row.code}"'
        yield f"{name}{{{labels}}} {row.times}"


def _gauges(knowledge: Knowledge, hosting: Hosting, budget: ProcessBudget) -> Iterator[str]:
    snapshot = knowledge.snapshot
    age = time.time() - knowledge.confirmed_at if snapshot else 0.0
    values = {
        "hotswap_plugins_active": ("Versions that are ready here.", len(hosting.ready)),
        "hotswap_plugin_processes": ("Jailed processes of this instance.", budget.used),
        "hotswap_routing_generation": (
            "The generation that is served.",
            snapshot.generation if snapshot else 0,
        ),
        "hotswap_snapshot_age_seconds": ("Since the database confirmed what is served.", age),
        "hotswap_instance_ready": ("1 when calls may be sent here.", int(knowledge.is_ready)),
    }
    for name, (text, value) in values.items():
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
        yield f"{name} {value:.6g}"
