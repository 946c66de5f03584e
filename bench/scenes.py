"""One deployment under load, watched from outside: what it did to the calls that ran meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.client import Api
from bench.load import Load, Record

FINISHED = ("completed", "rolled_back", "rollback_failed", "failed", "aborted", "superseded")
LONGEST_SECONDS = 120
ASK_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Scene:
    """``calls`` began while the deployment ran; ``asked`` is when the API was, in epoch seconds."""

    version: str
    status: str
    reason: str
    asked: float
    calls: list[Record] = field(default_factory=list)

    @property
    def served_calls(self) -> list[Record]:
        return [call for call in self.calls if call.version == self.version]

    @property
    def failed(self) -> int:
        return sum(not call.ok for call in self.calls)

    @property
    def seconds_to_swap(self) -> float:
        """From asking to the end of the last call that another version answered; 0 without one."""
        others = [call.end for call in self.calls if call.version not in ("", self.version)]
        return max(others, default=self.asked) - self.asked

    @property
    def seconds_of_traffic(self) -> float:
        """From the first call that the version answered to the start of its last."""
        served = self.served_calls
        if not served:
            return 0.0
        return max(call.start for call in served) - min(call.start for call in served)

    def as_dict(self) -> dict[str, Any]:
        served = self.served_calls
        failed_here = sum(not call.ok for call in served)
        return {
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
            "calls": len(self.calls),
            "failed": self.failed,
            "served": len(served),
            "failed_elsewhere": self.failed - failed_here,
            "seconds_to_swap": self.seconds_to_swap,
            "seconds_of_traffic": self.seconds_of_traffic,
        }


@dataclass(frozen=True)
class Stage:
    """One plugin in ``qa``; ``instances`` are as ``./dev up`` describes them."""

    api: Api
    plugin: str
    instances: tuple[dict[str, str], ...]
    say: Callable[[str], None]

    def go_to(self, version: str) -> None:
        """Make ``version`` the stable one before the load begins, unless it is already."""
        if self.stable() == version:
            self.say(f"   {version} is the stable version already")
            return
        ended = self.wait_for(self.deploy(version, 0))
        if ended["status"] != "completed":
            raise SystemExit(f"{version} ended {ended['status']}: {ended['reason']}")

    def play(self, load: Load, version: str, bake_seconds: float) -> Scene:
        """Deploy ``version`` under the load and wait for the end, then a second more."""
        asked = time.time()
        ended = self.wait_for(self.deploy(version, bake_seconds))
        settle(load, 1)
        calls = [record for record in load.records() if record.start >= asked]
        return Scene(version, ended["status"], ended["reason"], asked, calls)

    def deploy(self, version: str, bake_seconds: float) -> str:
        body = {
            "plugin": self.plugin,
            "version": version,
            "environment": "qa",
            "strategy": "direct",
            "options": {"bake_seconds": bake_seconds},
        }
        return str(self.api.post("/deployments", body)["id"])

    def wait_for(self, deployment: str) -> dict[str, Any]:
        """Say each step as it begins; returns the deployment as it ended."""
        deadline, shown = time.monotonic() + LONGEST_SECONDS, ""
        while time.monotonic() < deadline:
            now = dict(self.api.get(f"/deployments/{deployment}"))
            step = _step(now)
            if step not in ("", shown):
                self.say(f"   {now['progress']['percent']:3d} %  {step}")
                shown = step
            if now["status"] in FINISHED:
                return now
            time.sleep(ASK_EVERY_SECONDS)
        raise SystemExit(f"deployment {deployment} did not end within {LONGEST_SECONDS} s")

    def stable(self) -> str:
        deployments = self.api.get("/deployments", plugin=self.plugin, environment="qa")
        done = [one for one in deployments["results"] if one["status"] == "completed"]
        return str(done[0]["candidate"]) if done else ""

    def executed(self) -> int:
        """Calls of the plugin that its processes ran, by the counters of every instance."""
        return sum(_executed_at(instance, self.plugin) for instance in self.instances)


def settle(load: Load, seconds: float) -> None:
    """Wait until calls that began ``seconds`` from now have been recorded."""
    until = time.time() + seconds
    while not any(record.start > until for record in load.records()[-50:]):
        time.sleep(0.1)


def words(status: str) -> str:
    """A status as one says it: rolled back."""
    return status.replace("_", " ")


def _step(deployment: dict[str, Any]) -> str:
    """What is being done; at the end, how that was and why."""
    if deployment["status"] in FINISHED:
        return ": ".join(filter(None, (words(deployment["status"]), deployment.get("reason"))))
    running = [step["title"] for step in deployment["steps"] if step["status"] == "running"]
    return str(running[0]) if running else ""


def _executed_at(instance: dict[str, str], plugin: str) -> int:
    transport = httpx.HTTPTransport(uds=instance["internal"])
    with httpx.Client(transport=transport, base_url="http://instance") as client:
        lines = client.get("/metrics").text.splitlines()
    wanted = [line for line in lines if line.startswith("hotswap_invocations_total{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in wanted if f'"{plugin}"' in line)
