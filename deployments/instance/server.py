"""One instance from start to stop: everything is made here, nothing is decided here."""

import asyncio
import gc
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import redis.asyncio
import structlog

from deployments.instance.admission import Admission
from deployments.instance.authentication import Authenticator
from deployments.instance.calls import Calls
from deployments.instance.counters import Counters
from deployments.instance.database import Database
from deployments.instance.door import Door
from deployments.instance.following import Following
from deployments.instance.forwarding import QUEUE_SECONDS, Forwarding
from deployments.instance.hosting import Hosting
from deployments.instance.identity import open_identity
from deployments.instance.knowledge import Knowledge
from deployments.instance.listeners import (
    Listener,
    listen_inside,
    listen_outside,
    outside_address,
)
from deployments.instance.loader import Loader
from deployments.instance.pages import Pages
from deployments.instance.passing import Passing
from deployments.instance.quotas import Quotas
from deployments.instance.settings import InstanceSettings
from deployments.instance.snapshot_file import SnapshotFile
from deployments.instance.windows import Windows
from hotswap.lib.keys import signing_public_keys
from hotswap.lib.tokens import TokenVerifier
from plugins.jailed_unpacking import unpack_in_jail
from plugins.layers import LayerCache
from plugins.storage import ArtifactStore
from sandbox.engine.budget import ProcessBudget

logger = structlog.get_logger(__name__)

REDIS_SECONDS = 0.25
# Answers say "close" for this long before idle connections are closed, so that no client writes
# into one that is just being closed.
FAREWELL_SECONDS = 0.5
STOP_SECONDS = 15.0
LAST_WORD_SECONDS = 3.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Instance:
    """``run`` serves until SIGTERM or SIGINT, then stops gracefully."""

    def __init__(self, settings: InstanceSettings) -> None:
        self.settings = settings
        self.boot = str(uuid4())
        self.knowledge = Knowledge(
            identity=open_identity(settings.name, settings.home),
            boot=self.boot,
            stale_limit_seconds=settings.stale_limit_seconds,
        )
        self.budget = ProcessBudget(settings.processes)
        self.counters = Counters()
        self.windows = Windows(self.counters)
        self.hosting = Hosting(
            self._make_loader(),
            lambda: self.following.hurry_report(),  # noqa: PLW0108 - made only below
        )
        self.redis = redis.asyncio.Redis.from_url(
            settings.redis_url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        self.quotas = Quotas(
            self.redis,
            environment=settings.environment,
            boot=self.boot,
            instances=self.knowledge.live_instances,
            longest_call=self._longest_call,
        )
        self.calls = self._make_calls()
        self.outside = listen_outside(settings.listen)
        self.inside = listen_inside(settings.internal)
        self.following = self._make_following()
        self.doors = self._make_doors()

    async def run(self) -> None:
        """Serve, and leave nothing running."""
        stop = asyncio.Event()
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        listeners = [
            Listener(door, listening)
            for door, listening in zip(self.doors, (self.outside, self.inside), strict=True)
        ]
        for listener in listeners:
            listener.start()
        background = [
            asyncio.create_task(work) for work in (self.following.run(), self.quotas.run())
        ]
        address = outside_address(self.outside)
        # What was imported lives as long as the process: the collector need not look at it again,
        # which would stop every call for tens of milliseconds now and then.
        gc.collect()
        gc.freeze()
        logger.info("instance_started", name=self.settings.name, address=address, boot=self.boot)
        await _first([stop.wait(), *background])
        await self._stop(listeners, background)

    async def _stop(
        self, listeners: list[Listener], background: list["asyncio.Task[None]"]
    ) -> None:
        """Nobody new, then the calls that are here, then the plugins, then the last word."""
        logger.info("instance_stopping", name=self.settings.name)
        self.knowledge.is_stopping = True
        for door in self.doors:
            door.is_closing = True
        self.settings.internal.unlink(missing_ok=True)
        await _bounded(self.following.say_stopping(), LAST_WORD_SECONDS)
        await asyncio.sleep(FAREWELL_SECONDS)
        await asyncio.gather(*(listener.finish(STOP_SECONDS) for listener in listeners))
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await self.hosting.stop(STOP_SECONDS)
        await _bounded(self.following.stop(), LAST_WORD_SECONDS)
        await self.redis.aclose()
        logger.info("instance_stopped", name=self.settings.name)

    def _make_loader(self) -> Loader:
        settings = self.settings
        store = ArtifactStore()

        def fetch(digest: str, path: Path) -> None:
            store.fetch(digest, path)

        return Loader(
            layers=LayerCache(settings.jail.layers_root / "layers", unpack_in_jail(settings.jail)),
            wheels=LayerCache(
                settings.jail.layers_root / "wheels", unpack_in_jail(settings.jail, dependency=True)
            ),
            fetch=fetch,
            keys=partial(signing_public_keys, settings.public_keys),
            jail=settings.jail,
            budget=self.budget,
        )

    def _make_calls(self) -> Calls:
        authenticator = Authenticator(TokenVerifier(self.settings.public_keys))
        passing = Passing(lambda: self.knowledge.identity, lambda: self.knowledge.peers)
        return Calls(
            self.knowledge,
            Admission(authenticator, self.settings.default_limits),
            self.quotas,
            self.hosting,
            Forwarding(self.knowledge, passing),
            self.windows,
        )

    def _make_following(self) -> Following:
        settings = self.settings
        return Following(
            self.knowledge,
            Database(settings.database, settings.environment),
            SnapshotFile(self.knowledge.identity),
            self.hosting,
            self.windows,
            addresses=(outside_address(self.outside), f"unix:{settings.internal}"),
            redis_url=settings.redis_url,
            environment=settings.environment,
        )

    def _make_doors(self) -> tuple[Door, Door]:
        pages = Pages(self.knowledge, self.hosting, self.counters, self.budget)
        environment = self.settings.environment
        outside = Door(self.calls, environment, pages.outside(), is_inside=False)
        return outside, Door(self.calls, environment, pages.inside(), is_inside=True)

    def _longest_call(self) -> float:
        """Of any method of any version here, waiting included."""
        methods = [m for loaded in self.hosting.ready.values() for m in loaded.methods.values()]
        return max((m.timeout_seconds for m in methods), default=0.0) + QUEUE_SECONDS


async def _first(works: list[object]) -> None:
    """Until one is done: the signal, or a loop that broke, whose error then is the instance's."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[0].cancel()
    for task in done:
        if task is not tasks[0] and task.exception():
            logger.error("instance_broke", exc_info=task.exception())


async def _bounded(work: object, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work  # type: ignore[misc]
