"""The product's main job against the running ``./dev up``: swap, refuse, go back, and count.

Drives web and the instances over HTTP alone. Figures come from the client's own records and from
the instances' call counters, which tell a call that ran twice.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.client import Api, ApiError
from bench.load import Caller, Load, Plan, Record
from bench.scenes import Scene, Stage, settle, words

PLUGIN = "invoice-tax"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CALLS_PER_MINUTE = 60_000
CALLS_AT_A_TIME = 64
BAKE_SECONDS = 3
BACK_WITHIN_SECONDS = 5


class NotRunningError(SystemExit):
    """There is no ``./dev up`` to drive."""


@dataclass(frozen=True)
class Running:
    """What ``./dev up`` wrote about itself, with its people's passwords and its tenants' keys."""

    web: str
    instances: tuple[dict[str, str], ...]
    passwords: dict[str, str]
    keys: dict[str, str]

    @classmethod
    def find(cls) -> "Running":
        home = Path(os.environ.get("HOTSWAP_HOME") or EXAMPLES.parent / ".hotswap")
        try:
            state = json.loads((home / "run" / "up.json").read_text())
        except OSError:
            raise NotRunningError("HotSwap is not running here: start it with ./dev up") from None
        return cls(
            web=state["web"],
            instances=tuple(state["instances"]),
            passwords=json.loads(Path(state["passwords"]).read_text()),
            keys=json.loads((home / "tenant-keys.json").read_text()),
        )

    def sign_in(self, name: str) -> Api:
        return Api(self.web, name, self.passwords[name])


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=300, help="calls a second (300)")
    parser.add_argument("--clients", type=int, default=8, help="connections (8)")
    parser.add_argument("--tenants", type=int, default=20, help="tenants that call (20)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The whole scenario; ``ok`` says whether every promise held."""
    running = Running.find()
    bob, carol, ada = (running.sign_in(name) for name in ("bob", "carol", "ada"))
    tenants = tuple(running.keys)[: options.tenants]
    stage = Stage(bob, PLUGIN, running.instances, say=_say)

    _say(f"\n1  Register {PLUGIN}, upload 1.0.0 and have it approved")
    _register(bob)
    _publish(bob, carol, "1.0.0")
    _say(f"2  Install it for {len(tenants)} tenants in qa and deploy 1.0.0")
    _install(ada, tenants)
    stage.go_to("1.0.0")

    plan = Plan(
        targets=tuple(instance["url"] for instance in running.instances),
        callers=_callers(running, tenants),
        clients=options.clients,
        rate=options.rate,
        seconds=600,
    )
    _say(f"3  {options.rate:.0f} calls a second from {options.clients} clients begin")
    executed_before = stage.executed()
    with Load(plan) as load:
        settle(load, 2)
        for version in ("1.1.0", "1.3.0", "1.2.0"):
            _publish(bob, carol, version)
        _say("4  Swap 1.0.0 for 1.1.0")
        swap = stage.play(load, "1.1.0", BAKE_SECONDS)
        _say("5  Try 1.3.0, which crashes at import")
        crash = stage.play(load, "1.3.0", BAKE_SECONDS)
        _say("6  Try 1.2.0, which fails 30 % of its calls but none of its examples")
        failing = stage.play(load, "1.2.0", 60)
        settle(load, 2)
        records = load.stop()
    return _result(records, stage.executed() - executed_before, swap, crash, failing)


def report(result: dict[str, Any]) -> str:
    """The end of the demo in words and numbers."""
    swap, crash, failing = result["swap"], result["crash"], result["failing"]
    verdict = "Every promise held." if result["ok"] else "A promise was broken:"
    lines = [
        "",
        f"Calls in all         {result['calls']:,} by {result['tenants']} tenants",
        f"Swap 1.0.0 → 1.1.0   {swap['calls']:,} calls, {swap['failed']} failed, "
        f"{result['duplicated']} duplicated; "
        f"{swap['seconds_to_swap']:.2f} s until every tenant was on 1.1.0",
        f"1.3.0                {words(crash['status'])}, {crash['served']} calls: "
        f"{crash['reason']}",
        f"1.2.0                {words(failing['status'])} by itself, "
        f"{failing['seconds_of_traffic']:.1f} s after its first call: {failing['reason']}",
        f"                     {failing['served']:,} calls reached it, {failing['failed']} failed; "
        f"the other {failing['calls'] - failing['served']:,} did not notice",
        "",
        verdict,
        *(f"  - {broken}" for broken in result["broken"]),
    ]
    return "\n".join(lines)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _register(bob: Api) -> None:
    try:
        bob.post("/plugins", {"name": PLUGIN, "summary": "VAT of invoices in the EU"})
    except ApiError as error:
        if error.status != httpx.codes.CONFLICT:
            raise
        _say("   (it is registered since an earlier demo)")


def _publish(bob: Api, carol: Api, version: str) -> None:
    from plugins.packing import build_artifact  # needs no settings, but Django on the path

    try:
        bob.upload(PLUGIN, build_artifact(EXAMPLES / PLUGIN / version))
        carol.post(f"/plugins/{PLUGIN}/versions/{version}/approve", {"comment": "for the demo"})
    except ApiError as error:
        if error.status != httpx.codes.CONFLICT:
            raise


def _install(ada: Api, tenants: tuple[str, ...]) -> None:
    for tenant in tenants:
        ada.post(f"/tenants/{tenant}/plugins/{PLUGIN}/enable")
        ada.put(
            f"/tenants/{tenant}/plugins/{PLUGIN}/quotas",
            {"requests_per_minute": CALLS_PER_MINUTE, "concurrency": CALLS_AT_A_TIME},
        )


def _callers(running: Running, tenants: tuple[str, ...]) -> tuple[Caller, ...]:
    """Every call asks for the tax of another amount, so that 1.2.0 fails some and not others."""
    line = {"description": "licence", "unit_price": "{call}.99", "quantity": "3"}
    parameters = {"buyer_country": "DE", "lines": [line]}
    body = json.dumps({"method": "quote", "parameters": parameters})
    return tuple(Caller(tenant, PLUGIN, running.keys[tenant], body) for tenant in tenants)


def _result(
    records: list[Record], executed: int, swap: Scene, crash: Scene, failing: Scene
) -> dict[str, Any]:
    answered = [record for record in records if record.status]
    result: dict[str, Any] = {
        "calls": len(records),
        "tenants": len({record.tenant for record in records}),
        "failed": swap.failed + crash.failed,
        "duplicated": max(0, executed - len(answered)),
        "seconds_to_swap": swap.seconds_to_swap,
        "swap": swap.as_dict(),
        "crash": crash.as_dict(),
        "failing": failing.as_dict(),
    }
    result["broken"] = _broken(result)
    return result | {"ok": not result["broken"]}


def _broken(result: dict[str, Any]) -> list[str]:
    swap, crash, failing = result["swap"], result["crash"], result["failing"]
    promises = {
        f"the swap ended {swap['status']}: {swap['reason']}": swap["status"] == "completed",
        f"{result['failed']} calls failed without a failing version": result["failed"] == 0,
        f"{result['duplicated']} calls ran twice": result["duplicated"] == 0,
        f"1.3.0 ended {crash['status']}": crash["status"] == "rolled_back",
        f"1.3.0 got {crash['served']} calls": crash["served"] == 0,
        f"1.2.0 ended {failing['status']}": failing["status"] == "rolled_back",
        f"1.2.0 had traffic for {failing['seconds_of_traffic']:.1f} s": failing[
            "seconds_of_traffic"
        ]
        <= BACK_WITHIN_SECONDS,
        f"{failing['failed_elsewhere']} calls failed at other versions": failing["failed_elsewhere"]
        == 0,
    }
    return [what for what, held in promises.items() if not held]
