"""What stands before the service: which fate the n-th request draws does not depend on who else is asking."""

import asyncio
import random
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.test_utils import make_mocked_request

from clients.agora.simulator.faults import Faults
from clients.agora.simulator.gateway import LATE_SECONDS_MAX, Gateway
from clients.agora.simulator.settings import SimulatorSettings

SEED = 7


async def test_requests_at_the_same_time_are_as_late_as_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async def handle(request: web.Request) -> web.Response:
        return web.Response()

    settings = SimulatorSettings(state_dir=tmp_path, storage_root=tmp_path)
    gateway = Gateway(settings, Faults({"start.late": 1}, SEED), Mock(), lambda: 0.0)
    handler = gateway.passing("start", handle)
    headers = {"Authorization": aiohttp.encode_basic_auth("customer", "secret")}
    requests = [make_mocked_request("POST", "/", headers, payload=EMPTY_PAYLOAD) for _ in range(2)]
    monkeypatch.setattr(asyncio, "sleep", pause)
    await asyncio.gather(*(handler(request) for request in requests))
    await gateway.stop()
    dice = random.Random(f"{SEED}/start.late")
    drawn = [(dice.random(), dice.uniform(0, LATE_SECONDS_MAX)) for _ in requests]
    assert paused == [seconds for _, seconds in drawn]
