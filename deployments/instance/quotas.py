"""Requests per minute and calls at once, per installation, over all instances of the environment.

A call normally costs no round trip: slots are leased from Redis in slices and go back when they
lie idle. Where few are left, each call takes one round trip, so none lies idle where another could
use it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from deployments.instance.leases import (
    FEW_LEFT,
    IDLE_SECONDS,
    USABLE_SECONDS,
    WINDOW_SECONDS,
    ConcurrencyLease,
    Excess,
    Limits,
    RateLease,
    reserve_of,
    slice_of,
)
from deployments.instance.quota_scripts import CONCURRENCY, RATE

logger = structlog.get_logger(__name__)

TICK_SECONDS = 0.25
CONCURRENCY_SLICE = 4
CONCURRENCY_TRIES = 4
CONCURRENCY_PAUSE_SECONDS = 0.03
RETRY_REDIS_SECONDS = 1.0
FORGET_SECONDS = 180.0


class Script(Protocol):
    """A registered script: ``await script(keys=[...], args=[...])``."""

    async def __call__(self, *, keys: list[str], args: list[Any]) -> Any: ...


@dataclass(slots=True)
class Account:
    """Both leases of one installation; ``refill`` keeps its calls from leasing all at once."""

    key: str
    rate: RateLease = field(default_factory=RateLease)
    calls: ConcurrencyLease = field(default_factory=ConcurrencyLease)
    refill: asyncio.Lock = field(default_factory=asyncio.Lock)


class Quotas:
    """``instances`` tells how many are live, ``longest_call`` a call's most seconds."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        *,
        environment: str,
        boot: str,
        instances: Callable[[], int],
        longest_call: Callable[[], float],
    ) -> None:
        self._rate: Script = client.register_script(RATE)
        self._concurrency: Script = client.register_script(CONCURRENCY)
        self._prefix = f"hotswap:quota:{environment}"
        self._boot = boot
        self._instances = instances
        self._longest_call = longest_call
        self._accounts: dict[str, Account] = {}
        self._away_until = 0.0
        self._returning: set[asyncio.Task[None]] = set()

    def take_at_once(self, installation_id: str, limits: Limits) -> bool:
        """Use slots that are here already, which is the way nearly every call goes."""
        account = self._accounts.get(installation_id)
        if account is None:
            return False
        now = time.monotonic()
        if not account.calls.take(limits.concurrency, 0, now):
            return False
        if account.rate.take(limits.requests_per_minute, now):
            return True
        account.calls.in_use -= 1
        return False

    async def take(self, installation_id: str, limits: Limits) -> Excess | None:
        """Use a slot of each kind, leased if need be; None when the call may run."""
        if not limits.concurrency:
            return Excess("concurrent calls", 0, WINDOW_SECONDS)
        if not limits.requests_per_minute:
            return Excess("requests per minute", 0, WINDOW_SECONDS)
        account = self._account(installation_id)
        if not await self._take_concurrency(account, limits.concurrency):
            return Excess("concurrent calls", limits.concurrency, 1)
        wait = await self._take_rate(account, limits.requests_per_minute)
        if wait is None:
            return None
        self.release(installation_id)
        return Excess("requests per minute", limits.requests_per_minute, wait)

    def release(self, installation_id: str) -> None:
        """The call is over."""
        account = self._accounts[installation_id]
        if account.calls.release() and not account.refill.locked():
            task = asyncio.get_running_loop().create_task(self._return_calls(account))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    async def run(self) -> None:
        """Give idle slots back and keep used leases alive, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for account in list(self._accounts.values()):
                await self._tend(account, time.monotonic())

    def _account(self, installation_id: str) -> Account:
        account = self._accounts.get(installation_id)
        if account is None:
            account = Account(f"{self._prefix}:{installation_id}")
            self._accounts[installation_id] = account
        account.calls.used_at = time.monotonic()
        return account

    async def _take_concurrency(self, account: Account, limit: int) -> bool:
        for attempt in range(CONCURRENCY_TRIES):
            if account.calls.in_use >= limit:
                return False
            async with account.refill:
                reserve = self._concurrency_reserve(limit)
                if account.calls.take(limit, 0, time.monotonic()):
                    return True
                await self._lease_calls(account, limit, CONCURRENCY_SLICE)
                # The reserve last, and after the round trip: it is all there is without Redis.
                if account.calls.take(limit, reserve, time.monotonic()):
                    return True
            if attempt < CONCURRENCY_TRIES - 1:
                await asyncio.sleep(CONCURRENCY_PAUSE_SECONDS)
        return False

    async def _take_rate(self, account: Account, limit: int) -> float | None:
        """None when a slot was used, else the seconds until the next minute."""
        async with account.refill:
            rate = account.rate
            if rate.take(limit, time.monotonic()):
                return None
            rate.relimit(limit)
            await self._lease_rate(account, slice_of(limit, self._instances()))
            now = time.monotonic()
            if rate.take(limit, now):
                return None
            if rate.take_reserve(reserve_of(limit, self._instances()), time.time()):
                return None
            ends_in = rate.ends_at - now
            return ends_in if ends_in > 0 else WINDOW_SECONDS - time.time() % WINDOW_SECONDS

    def _concurrency_reserve(self, limit: int) -> int:
        """One at least without Redis, or a small limit would stop a tenant altogether."""
        reserve = reserve_of(limit, self._instances())
        return reserve if time.monotonic() >= self._away_until else max(1, reserve)

    async def _lease_rate(self, account: Account, wanted: int) -> None:
        rate = account.rate
        leasable = rate.limit - self._instances() * reserve_of(rate.limit, self._instances())
        sent = time.monotonic()
        arguments = [self._boot, leasable, rate.window, rate.taken, wanted]
        answer = await self._ask(self._rate, f"{account.key}:rate", arguments)
        if answer is not None:
            window, granted, _, seconds, microseconds = answer
            into = seconds % WINDOW_SECONDS + microseconds / 1e6
            # From when it was sent: the minute may only seem to end early here, never late.
            rate.granted(window, granted, sent + WINDOW_SECONDS - into)

    async def _lease_calls(self, account: Account, limit: int, wanted: int) -> None:
        calls = account.calls
        leasable = limit - self._instances() * reserve_of(limit, self._instances())
        sent = time.monotonic()
        milliseconds = int((self._longest_call() + USABLE_SECONDS) * 1000)
        arguments = [self._boot, leasable, calls.held, wanted, milliseconds]
        answer = await self._ask(self._concurrency, f"{account.key}:calls", arguments)
        if answer is not None:
            granted, left = answer
            calls.limit = limit
            calls.held += granted
            calls.few_left = left < FEW_LEFT
            calls.usable_until = sent + USABLE_SECONDS

    async def _ask(self, script: Script, key: str, arguments: list[Any]) -> list[int] | None:
        """None while Redis does not answer; it is not asked again for a second then."""
        now = time.monotonic()
        if now < self._away_until:
            return None
        try:
            answer: list[int] = await script(keys=[key], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("quota_redis_away", error=str(error))
            self._away_until = time.monotonic() + RETRY_REDIS_SECONDS
            return None
        return answer

    async def _return_calls(self, account: Account) -> None:
        async with account.refill:
            account.calls.held = min(account.calls.held, account.calls.in_use)
            await self._lease_calls(account, account.calls.limit, 0)

    async def _tend(self, account: Account, now: float) -> None:
        if account.refill.locked():
            return
        async with account.refill:
            rate, calls = account.rate, account.calls
            if rate.left and now - rate.used_at >= IDLE_SECONDS and rate.hand_back():
                await self._lease_rate(account, 0)
            is_old = calls.held and calls.usable_until - now < USABLE_SECONDS / 2
            if calls.trim() or is_old:
                await self._lease_calls(account, calls.limit, 0)
        if not calls.in_use and now - max(rate.used_at, calls.used_at) > FORGET_SECONDS:
            self._accounts.pop(account.key.rpartition(":")[2], None)
