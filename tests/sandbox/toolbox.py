"""A plugin that does whatever a test asks for, and pools of it in real jails."""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from sandbox.engine.budget import ProcessBudget
from sandbox.engine.jail import JailSettings
from sandbox.engine.pool import VersionPool
from sandbox.engine.result import Outcome
from sandbox.engine.spec import Attachment, Call, Limits, PluginSpec

TOOLBOX = '''
from hotswap_plugin import Plugin

served = []

class Toolbox(Plugin):
    """Does whatever a test asks for."""

    def echo(self, ctx, **parameters):
        return parameters

    def run(self, ctx, code):
        served.append(ctx.tenant_id)
        scope = {"ctx": ctx, "served": served}
        exec(code, scope)
        return scope.get("result")
'''
WITH_CONFIG_HOOK = (
    TOOLBOX
    + """
    def config_changed(self, ctx):
        exec(ctx.config.get("on_change", ""), {"ctx": ctx})
"""
)
ACME = Attachment("acme", "installation-acme", b'{"currency":"EUR"}', {"key": "s3cr3t-of-acme"}, 1)
GLOBEX = Attachment("globex", "installation-globex", b"{}", {"key": "s3cr3t-of-globex"}, 1)


def call(
    method: str = "echo", seconds: float = 10, wall: float | None = None, **parameters: Any
) -> Call:
    """A call whose deadline is that many seconds away."""
    deadline = time.monotonic() + seconds
    return Call(method, orjson.dumps(parameters), "call-1", deadline, wall_seconds=wall)


class CalledPool:
    """A pool, with shorter ways to call it."""

    def __init__(self, pool: VersionPool) -> None:
        self.pool = pool

    async def run(self, code: str, attachment: Attachment = ACME, **options: Any) -> Outcome:
        """The outcome of running ``code`` in the plugin; its variable ``result`` is the result."""
        return await self.pool.call(attachment, call("run", code=code, **options))

    async def value(self, code: str, attachment: Attachment = ACME) -> Any:
        """The result of code that must succeed."""
        outcome = await self.run(code, attachment)
        assert outcome.ok, outcome
        return orjson.loads(outcome.result)

    async def call(self, attachment: Attachment, wanted: Call) -> Outcome:
        """As the pool has it."""
        return await self.pool.call(attachment, wanted)


class Pools:
    """Plugins from source texts, in pools."""

    def __init__(self, jail: JailSettings) -> None:
        self.jail = jail
        self.opened: list[VersionPool] = []

    def spec(
        self, source: str = TOOLBOX, entry_point: str = "plugin:Toolbox", **options: Any
    ) -> PluginSpec:
        """A spec over a fresh layer with ``plugin.py``."""
        layer = Path(tempfile.mkdtemp(dir=self.jail.layers_root, prefix="layer "))
        layer.chmod(0o755)
        (layer / "plugin.py").write_text(source)
        fields: Mapping[str, Any] = {"methods": ("echo", "run"), **options}
        return PluginSpec("toolbox", "1.0.0", "0" * 64, (layer,), entry_point, **fields)

    def prepare(self, spec: PluginSpec, **options: Any) -> VersionPool:
        """A pool that was not started."""
        pool = VersionPool(spec, self.jail, **options)
        self.opened.append(pool)
        return pool

    async def open(
        self,
        source: str = TOOLBOX,
        *,
        limits: Limits | None = None,
        threads: int = 1,
        budget: ProcessBudget | None = None,
        **options: Any,
    ) -> CalledPool:
        """A started pool of the toolbox, or of another source."""
        spec = self.spec(source, limits=limits or Limits(), threads=threads)
        pool = self.prepare(spec, budget=budget, **options)
        await pool.start()
        return CalledPool(pool)

    async def stop(self) -> None:
        """End every process of the test."""
        for pool in self.opened:
            await pool.stop()


async def until(predicate: Any, seconds: float = 20, what: str = "the condition") -> Any:
    """Ask until the answer is true, letting the loop run; for conditions inside this process."""
    deadline = time.monotonic() + seconds
    while not (answer := predicate()):
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        await asyncio.sleep(0.01)
    return answer
