"""One budget for all nodes: no more calls in a second than the rate, whoever makes them, and the urgent ones first."""

import asyncio

from clients.agora.dispatcher import Dispatcher
from clients.postgres.budget import PostgresBudget
from clients.postgres.pool import Pool

RATE = 50.0


async def test_places_are_handed_out_one_by_one_to_all_nodes(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    began, times = loop.time(), []

    async def call(node: Dispatcher) -> None:
        await node.slot("start")
        times.append(loop.time() - began)

    nodes = [Dispatcher(PostgresBudget(pool, "app", RATE)) for _ in range(3)]
    await asyncio.gather(*(call(nodes[number % 3]) for number in range(25)))
    assert max(times) >= 24 / RATE * 0.95
    assert await pool.fetchval("SELECT count(*) FROM provider_budget") == 1


async def test_calls_that_look_get_half_of_the_rate(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    node = Dispatcher(PostgresBudget(pool, "app", RATE))
    began = loop.time()
    await asyncio.gather(*(node.slot("query") for _ in range(11)))
    assert loop.time() - began >= 10 / (RATE / 2) * 0.95


async def test_a_stop_overtakes_the_starts_of_its_node(pool: Pool) -> None:
    node, order = Dispatcher(PostgresBudget(pool, "app", RATE)), []

    async def call(kind: str) -> None:
        await node.slot(kind)
        order.append(kind)

    starts = [asyncio.create_task(call("start")) for _ in range(10)]
    await starts[1]
    await call("stop")
    await asyncio.gather(*starts)
    assert order.index("stop") <= 3
    assert order.count("start") == 10


async def test_another_account_has_a_budget_of_its_own(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    nodes = [Dispatcher(PostgresBudget(pool, f"app-{number}", 1.0)) for number in range(5)]
    await asyncio.gather(*(node.slot("start") for node in nodes))
    assert loop.time() - began < 1.0
