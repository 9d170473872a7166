"""One budget for all nodes: no more calls in a second than the rate, whoever makes them."""

import asyncio

from clients.postgres.budget import PostgresBudget
from clients.postgres.pool import Pool

RATE = 50.0


async def test_places_are_handed_out_one_by_one_to_all_nodes(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    began, times = loop.time(), []

    async def call(budget: PostgresBudget, priority: bool) -> None:
        await budget.slot(priority)
        times.append(loop.time() - began)

    nodes = [PostgresBudget(pool, "app", RATE) for _ in range(3)]
    await asyncio.gather(*(call(nodes[number % 3], priority=True) for number in range(25)))
    assert max(times) >= 24 / RATE * 0.95
    assert await pool.fetchval("SELECT count(*) FROM provider_budget") == 1


async def test_calls_without_priority_get_half_of_the_rate(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    budget = PostgresBudget(pool, "app", RATE)
    began = loop.time()
    await asyncio.gather(*(budget.slot(priority=False) for _ in range(11)))
    assert loop.time() - began >= 10 / (RATE / 2) * 0.95


async def test_another_account_has_a_budget_of_its_own(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(PostgresBudget(pool, f"app-{number}", 1.0).slot(priority=True) for number in range(5)))
    assert loop.time() - began < 1.0
