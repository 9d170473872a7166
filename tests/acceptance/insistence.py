"""A user who does not let go: calls are repeated, with the same key, until a server answers them."""

import asyncio
from typing import Any

import aiohttp

from tests.acceptance.running import Client
from tests.waiting import eventually

GONE = (aiohttp.ClientError, TimeoutError, OSError)
WAIT_SECONDS = 200.0
PAUSE_SECONDS = 0.1
"""Between two looks: a server on the same two cores has to do something else as well."""


async def insist(
    client: Client, method: str, path: str, body: Any = None, within_seconds: float = WAIT_SECONDS, **headers: str
) -> tuple[int, Any]:
    """Status and answer of the first call that a living server answers, other than by 503."""

    async def ask() -> tuple[int, Any] | None:
        try:
            status, answer, _ = await client.call(method, path, body, headers)
        except GONE:
            await asyncio.sleep(PAUSE_SECONDS)
            return None
        return None if status == 503 else (status, answer)

    answered = await eventually(ask, within_seconds)
    assert answered is not None
    return answered


async def insist_on_state(client: Client, recording_id: str, *states: str, within_seconds: float = WAIT_SECONDS) -> Any:
    """The recording, as soon as it is in one of these states."""

    async def look() -> Any:
        status, recording = await insist(client, "GET", f"/api/v1/recordings/{recording_id}")
        assert status == 200, recording
        if recording["state"] in states:
            return recording
        await asyncio.sleep(PAUSE_SECONDS)
        return None

    return await eventually(look, within_seconds)
