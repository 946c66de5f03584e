"""Limits over all instances, on a real Valkey: never exceeded, and no round trip for most calls."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import redis.asyncio

from deployments.instance.leases import (
    ConcurrencyLease,
    Limits,
    RateLease,
    reserve_of,
    seconds_left,
    slice_of,
)
from deployments.instance.quotas import Quotas
from tests.waiting import wait_until

NOWHERE = "unix:///nonexistent/valkey.sock"


@asynccontextmanager
async def instances(url, count=1):
    """Several instances' quotas on one Valkey."""
    clients = [redis.asyncio.Redis.from_url(url) for _ in range(count)]
    made = [
        Quotas(
            client,
            environment="qa",
            boot=f"boot-{number}",
            instances=lambda: count,
            longest_call=lambda: 1.0,
        )
        for number, client in enumerate(clients)
    ]
    try:
        yield made
    finally:
        # Leases on their way back would open the connections again.
        await asyncio.gather(*(task for quotas in made for task in quotas._returning))
        for client in clients:
            await client.aclose()


async def use(quotas, limits):
    """One call that ends at once; whether it might run."""
    taken = quotas.take_at_once("i", limits) or await quotas.take("i", limits) is None
    if taken:
        quotas.release("i")
    return taken


@pytest.mark.parametrize("limit", [1, 5, 20, 137])
def test_no_more_calls_a_minute_than_the_limit(redis_url, limit):
    async def scenario():
        async with instances(redis_url, 3) as three:
            limits = Limits(limit, 1000)
            ran = [await use(three[n % 3], limits) for n in range(limit + 40)]
            return sum(ran)

    # A minute may end in between; each has a budget of its own.
    assert asyncio.run(scenario()) in range(limit, 2 * limit + 1)


def test_one_instance_alone_may_use_the_whole_limit(redis_url):
    async def scenario():
        async with instances(redis_url) as (one,):
            return [await use(one, Limits(50, 10)) for _ in range(50)]

    assert all(asyncio.run(scenario()))


def test_over_the_limit_tells_when_to_come_back(redis_url):
    async def scenario():
        async with instances(redis_url) as (one,):
            while await use(one, Limits(3, 10)):
                pass
            return await one.take("i", Limits(3, 10))

    excess = asyncio.run(scenario())
    assert (excess.what, excess.limit) == ("requests per minute", 3)
    assert 0 < excess.retry_after <= 60


def test_a_limit_of_zero_stops_everything(redis_url):
    async def scenario():
        async with instances(redis_url) as (one,):
            return [await one.take("i", limits) for limits in (Limits(0, 5), Limits(5, 0))]

    assert [excess.limit for excess in asyncio.run(scenario())] == [0, 0]


def test_most_calls_cost_no_round_trip(redis_url):
    async def scenario():
        async with instances(redis_url) as (one,):
            limits = Limits(100_000, 100)
            at_once = 0
            for _ in range(500):
                if one.take_at_once("i", limits):
                    at_once += 1
                else:
                    assert await one.take("i", limits) is None
                one.release("i")
            return at_once

    assert asyncio.run(scenario()) >= 490


@pytest.mark.parametrize("limit", [1, 3, 9, 30])
def test_no_more_calls_at_once_than_the_limit(redis_url, limit):
    running = most = 0

    async def call(quotas):
        nonlocal running, most
        if await quotas.take("i", Limits(100_000, limit)) is not None:
            return
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        quotas.release("i")

    async def scenario():
        async with instances(redis_url, 2) as two:
            await asyncio.gather(*(call(two[n % 2]) for n in range(120)))

    asyncio.run(scenario())
    assert 0 < most <= limit


def test_slots_that_lie_idle_go_back(redis_url):
    async def scenario():
        async with instances(redis_url, 2) as (one, two):
            limits = Limits(16, 16)
            tending = asyncio.create_task(one.run())
            assert await use(one, limits)
            ran = 0
            deadline = asyncio.get_running_loop().time() + 20
            while ran < 12 and asyncio.get_running_loop().time() < deadline:
                ran += await use(two, limits)
                await asyncio.sleep(0.02)
            tending.cancel()
            return ran

    assert asyncio.run(scenario()) >= 12


def test_a_flush_opens_no_new_budget_for_who_used_the_old_one(redis_url):
    async def scenario():
        async with instances(redis_url) as (one,):
            limits = Limits(40, 10)
            before = [await use(one, limits) for _ in range(60)]
            client = redis.asyncio.Redis.from_url(redis_url)
            await client.flushall()
            await client.aclose()
            return sum(before), sum([await use(one, limits) for _ in range(60)])

    before, after = asyncio.run(scenario())
    assert before in (40, 60)
    assert after in range(41)


def test_without_redis_a_tenth_is_left_for_every_instance():
    async def scenario():
        async with instances(NOWHERE, 2) as (one, two):
            limits = Limits(200, 4)
            return [sum([await use(each, limits) for _ in range(40)]) for each in (one, two)]

    for used in asyncio.run(scenario()):
        assert used in range(10, 21)


def test_leases_of_an_instance_that_died_come_back(redis_url):
    async def scenario():
        async with instances(redis_url, 2) as (one, two):
            one._longest_call = lambda: -9.9
            limits = Limits(1000, 2)
            assert await one.take("i", limits) is None
            assert await one.take("i", limits) is None
            loop = asyncio.get_running_loop()
            deadline = loop.time() + 20
            while await two.take("i", limits) is not None and loop.time() < deadline:
                await asyncio.sleep(0.02)
            return two._accounts["i"].calls.in_use

    assert asyncio.run(scenario()) == 1


def test_reserves_and_slices_add_up_to_no_more_than_the_limit():
    for limit in (1, 9, 10, 99, 600, 100_000):
        for count in (1, 2, 7):
            assert count * reserve_of(limit, count) <= limit / 10
            assert slice_of(limit, count) >= 8
    assert reserve_of(600, 2) == 30
    assert seconds_left(0.2) == 1


def test_a_lease_belongs_to_its_minute():
    lease = RateLease(limit=100)
    lease.granted(5, 8, ends_at=60.0)
    assert lease.take(100, 59.0)
    assert not lease.take(100, 60.0)
    lease.granted(6, 3, ends_at=120.0)
    assert (lease.left, lease.taken) == (3, 3)
    lease.relimit(50)
    assert (lease.left, lease.taken) == (0, 0)


def test_a_lease_that_may_run_out_under_a_call_is_not_used():
    lease = ConcurrencyLease(limit=5, held=5, usable_until=10.0)
    assert lease.take(5, 0, 9.0)
    assert not lease.take(5, 0, 10.0)
    assert not lease.take(4, 0, 9.0)
    assert lease.take(5, 2, 10.0)


def test_accounts_nobody_uses_are_forgotten(redis_url, monkeypatch):
    monkeypatch.setattr("deployments.instance.quotas.FORGET_SECONDS", 0.0)

    async def scenario():
        async with instances(redis_url) as (one,):
            assert await use(one, Limits(10, 10))
            tending = asyncio.create_task(one.run())
            await asyncio.to_thread(
                wait_until, lambda: not one._accounts, what="the account is forgotten"
            )
            tending.cancel()

    asyncio.run(scenario())
