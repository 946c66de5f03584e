"""Every list of the API over a large registry: how long it takes, and how many queries.

Requests go through the whole of Django in this process, with a token, one after another. On a busy
machine ``own_cpu_ms`` still says what an answer costs here, without the database's part.
"""

import argparse
import gc
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.machine import running_machine

# By what they are called in the report; {last} is an offset near the end of the plugins.
LISTS = {
    "plugins": "plugins?limit={limit}",
    "plugins, the end": "plugins?limit={limit}&offset={last}",
    "plugins by type": "plugins?type=billing&limit={limit}",
    "plugins by status": "plugins?status=active&limit={limit}",
    "plugins by tag": "plugins?tag=tag-7&limit={limit}",
    "plugins by owner": "plugins?owner=developer-3&limit={limit}",
    "plugins by text": "plugins?search=number+4&limit={limit}",
    "plugins by nothing found": "plugins?search=zzz",
    "plugins, newest first": "plugins?ordering=-created_at&limit={limit}",
    "plugins, changed last": "plugins?ordering=-updated_at&limit={limit}&offset={last}",
    "owners": "plugins/plugin-00000/owners",
    "versions": "plugins/plugin-00000/versions?limit={limit}",
    "versions by status": "plugins/plugin-00000/versions?status=approved&limit={limit}",
    "tenants": "tenants?limit={limit}",
    "tenants, the end": "tenants?limit={limit}&offset={last_tenant}",
    "members": "tenants/tenant-00000/members?limit={limit}",
    "installed plugins": "tenants/tenant-00000/plugins?limit={limit}",
    "deployments": "deployments?limit={limit}",
    "deployments, the end": "deployments?limit={limit}&offset={last}",
    "instances": "instances?limit={limit}",
    "environments": "environments",
    "publisher keys": "publisher-keys",
    "API keys": "auth/keys",
}
TARGET_MS = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plugins", type=int, default=1_000)
    parser.add_argument("--versions", type=int, default=50, help="of each plugin")
    parser.add_argument("--tenants", type=int, default=10_000, help="on one plugin")
    parser.add_argument("--limit", type=int, default=20, help="rows of a page; 100 at most")
    parser.add_argument("--requests", type=int, default=40, help="of each list")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Figures of every list, and of the worst."""
    with running_machine():
        # Models exist only once the machine has set Django up.
        from bench.registry_rows import seed_registry
        from hotswap.lib.database import scope_all

        started = time.perf_counter()
        with scope_all():
            ada = seed_registry(options)
        _analyze()
        # What seeding left behind would be collected again and again; no web process has it.
        gc.collect()
        gc.freeze()
        seeded = time.perf_counter() - started
        lists = {
            name: measure(client_of(ada), address_of(path, options), options.requests)
            for name, path in LISTS.items()
        }
    slowest = max(lists, key=lambda name: lists[name]["p95_ms"])
    busiest = max(lists, key=lambda name: lists[name]["queries"])
    return {
        "worst_list_p95_ms": lists[slowest]["p95_ms"],
        "worst_list": slowest,
        "worst_list_queries": lists[busiest]["queries"],
        "most_queried_list": busiest,
        "target_ms": TARGET_MS,
        "load_average": round(os.getloadavg()[0], 1),
        "seed_seconds": round(seeded, 1),
        "page": options.limit,
        "plugins": options.plugins,
        "versions": options.plugins * options.versions,
        "tenants": options.tenants,
        "lists": lists,
    }


def report(result: dict[str, Any]) -> str:
    lines = [
        f"{name:26} {figures['p50_ms']:8.1f} ms {figures['p95_ms']:8.1f} ms p95"
        f" {figures['own_cpu_ms']:6.1f} ms CPU {figures['queries']:4} queries"
        f" {figures['count']:7,} rows"
        for name, figures in result["lists"].items()
    ]
    worst = f"worst: {result['worst_list']} {result['worst_list_p95_ms']:.1f} ms p95"
    return "\n".join([*lines, f"{worst}; target {TARGET_MS} ms"])


def address_of(path: str, options: argparse.Namespace) -> str:
    last, last_tenant = max(0, options.plugins - 50), max(0, options.tenants - 50)
    return f"/api/v1/{path.format(last=last, last_tenant=last_tenant, limit=options.limit)}"


def client_of(user: Any) -> Any:
    """A client with the user's token."""
    # Needs settings, as everything of Django.
    from rest_framework.test import APIClient

    # Needs the models.
    from hotswap.lib.issuing import issue_access_token

    client = APIClient(SERVER_NAME="127.0.0.1")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(user)}")
    return client


def measure(client: Any, address: str, requests: int) -> dict[str, Any]:
    """Milliseconds of ``requests`` answers after two that do not count, and one's queries."""
    with counted_queries() as queries:
        body = client.get(address).json()
    if "count" not in body:
        raise SystemExit(f"{address} is no list: {body}")
    client.get(address)
    cpu = time.process_time()
    times = sorted(_timed(client, address) for _ in range(requests))
    cpu = (time.process_time() - cpu) * 1000 / requests
    return {
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[min(len(times) - 1, int(len(times) * 0.95))], 2),
        "own_cpu_ms": round(cpu, 2),
        "queries": len(queries),
        "count": body["count"],
    }


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Every statement of the default connection while the block runs."""
    # Needs settings.
    from django.db import connection

    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


def _timed(client: Any, address: str) -> float:
    started = time.perf_counter()
    client.get(address)
    return (time.perf_counter() - started) * 1000


def _analyze() -> None:
    """What autovacuum would have done by the time that anybody asks."""
    # Needs settings.
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
