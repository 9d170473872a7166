"""The simulator for contracts, as the integration tests have it, both databases, both providers, and all stores."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.contract.databases import db
from tests.contract.provider import InMemory, OverHttp, Provider
from tests.contract.stores import place, store
from tests.fakes.studio import Clock, Receiver
from tests.integration.conftest import Begin, begin, receiver, tone

__all__ = ["begin", "db", "place", "receiver", "store", "tone"]


@pytest_asyncio.fixture(params=["fake", "simulator"])
async def provider(
    request: pytest.FixtureRequest, begin: Begin, receiver: tuple[Receiver, str]
) -> AsyncIterator[Provider]:
    if request.param == "fake":
        yield InMemory()
        return
    (hook, url), clock = receiver, Clock()
    bench = await begin(now=clock, webhook_url=url, rule_delay_seconds=0.2)
    async with aiohttp.ClientSession() as http:
        yield OverHttp(bench, http, clock, hook)
