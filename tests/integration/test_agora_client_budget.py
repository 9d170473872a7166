"""Two nodes on one budget, against a simulator that counts: it never has to refuse, and what matters goes first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.dispatcher import Dispatcher
from clients.postgres.budget import PostgresBudget
from clients.postgres.pool import Pool
from tests.fakes.studio import Bench
from tests.integration.conftest import Begin

RATE = 20.0
NOBODY = {"resource_id": "none", "sid": "0" * 32}


@pytest.fixture
async def bench(begin: Begin) -> Bench:
    return await begin(requests_per_second=RATE, rules_per_second=RATE, lists_per_second=RATE)


@pytest.fixture
async def nodes(bench: Bench, pool: Pool) -> AsyncIterator[list[AgoraClient]]:
    account = AgoraAccount(
        base_url=str(bench.server.make_url("/")), app_id="app", customer_id="customer", customer_secret="secret"
    )
    async with aiohttp.ClientSession() as http:
        yield [AgoraClient(http, account, Dispatcher(PostgresBudget(pool, "app", RATE))) for _ in range(2)]


async def statuses(bench: Bench) -> Counter[int]:
    _, told = await bench.ask("GET", "/_simulator/requests")
    return Counter(item["status"] for item in told["items"])


async def test_the_service_never_has_to_refuse(bench: Bench, nodes: list[AgoraClient]) -> None:
    body = {"cname": "room", "uid": "7", "clientRequest": {}}
    rule = {"appid": "app", "cname": "room", "uid": 7, "time_in_seconds": 10, "privileges": ["join_channel"]}
    await asyncio.gather(
        *(node.acquire(body) for node in nodes for _ in range(15)),
        *(node.make_rule(rule) for node in nodes for _ in range(5)),
        *(node.query(**NOBODY) for node in nodes for _ in range(5)),
        *(node.users("room") for node in nodes for _ in range(3)),
    )
    counts = await statuses(bench)
    assert counts[200] == 2 * (15 + 5 + 3)
    assert 429 not in counts


async def test_a_stop_is_not_kept_waiting_by_what_waits_already(bench: Bench, nodes: list[AgoraClient]) -> None:
    loop = asyncio.get_running_loop()
    body = {"cname": "room", "uid": "7", "clientRequest": {}}
    queue = [asyncio.create_task(node.acquire(body)) for node in nodes for _ in range(100)]
    queue += [asyncio.create_task(node.query(**NOBODY)) for node in nodes for _ in range(100)]
    await asyncio.wait(queue, return_when=asyncio.FIRST_COMPLETED)
    asked = loop.time()
    await nodes[0].stop("none", "0" * 32, "room", "7")
    waited = loop.time() - asked
    left = sum(not task.done() for task in queue)
    for task in queue:
        task.cancel()
    await asyncio.gather(*queue, return_exceptions=True)
    assert left > 350
    assert waited < left / RATE / 4
    assert 429 not in await statuses(bench)
