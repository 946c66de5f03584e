"""What an instance answers beside calls: is it alive, is it ready, what is loaded and counted."""

import asyncio
from typing import Any

from deployments.instance.answers import Answer
from deployments.instance.counters import Counters
from deployments.instance.door import Page, answer_json, answer_text
from deployments.instance.hosting import Hosted, Hosting
from deployments.instance.knowledge import Knowledge
from deployments.instance.metrics import render_metrics
from sandbox.engine.budget import ProcessBudget
from sandbox.engine.result import LoadFailed

PROBE_SECONDS = 10.0


class Pages:
    def __init__(
        self, knowledge: Knowledge, hosting: Hosting, counters: Counters, budget: ProcessBudget
    ) -> None:
        self._knowledge = knowledge
        self._hosting = hosting
        self._counters = counters
        self._budget = budget

    def outside(self) -> dict[str, Page]:
        return {"/healthz": self.is_alive}

    def inside(self) -> dict[str, Page]:
        return {
            "/healthz": self.is_alive,
            "/readyz": self.is_ready,
            "/metrics": self.metrics,
            "/probe": self.probe,
        }

    async def is_alive(self) -> Answer:
        return answer_json(200, {"status": "ok"})

    async def is_ready(self) -> Answer:
        """503 until everything that was wanted at the start is loaded, and again while stopping."""
        knowledge = self._knowledge
        ready = knowledge.is_ready and not knowledge.is_stopping
        states = {each.fact.id: each.state for each in self._hosting.hosted.values()}
        snapshot = knowledge.snapshot
        return answer_json(
            200 if ready else 503,
            {
                "status": "ready" if ready else "not_ready",
                "generation": snapshot.generation if snapshot else None,
                "stale_seconds": int(knowledge.stale_seconds()) if snapshot else None,
                "placements": states,
            },
        )

    async def metrics(self) -> Answer:
        text = render_metrics(self._counters, self._knowledge, self._hosting, self._budget)
        return answer_text(text)

    async def probe(self) -> Answer:
        """Every placement's own liveness and readiness in one answer, never behind a call."""
        hosted = list(self._hosting.hosted.values())
        return answer_json(200, {"placements": await asyncio.gather(*map(_probe, hosted))})


async def _probe(hosted: Hosted) -> dict[str, Any]:
    fact = hosted.fact
    found: dict[str, Any] = {
        "version_id": fact.id,
        "plugin": fact.plugin,
        "version": fact.version,
        "state": hosted.state,
        "detail": hosted.detail,
    }
    if hosted.loaded is None or hosted.state != "ready":
        return found
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            examination = await hosted.loaded.pool.examine()
    except (LoadFailed, TimeoutError) as error:
        return found | {"liveness": str(error) or "no answer in time", "readiness": ""}
    return found | {"liveness": examination.liveness, "readiness": examination.readiness}
