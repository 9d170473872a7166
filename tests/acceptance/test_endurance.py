"""The long run (`endurance.py`, by `make endurance`) is run by hand, for minutes. What it finds must be told."""

import aiohttp
import pytest

from tests.acceptance import endurance
from tests.acceptance.pair import paired
from tests.acceptance.truth import Complaint

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(500)]


async def test_what_the_run_finds_is_told(http: aiohttp.ClientSession) -> None:
    """A recorder that is left running, of a recording that nobody has ended."""
    async with paired(http, environment={}) as pair:
        await pair.server.start()
        started = await pair.host.start("left")
        await pair.host.in_state(started["id"], "active")
        found = endurance.complaints(await pair.account())
        told = await endurance.story(pair, found, ["0.00 nothing was done"])
        (session,) = await pair.sessions("left")
    assert Complaint(f"session {session['sid']} runs still", cname="left") in found
    assert Complaint("it is active still", started["id"], "left") in found
    assert f"session sid={session['sid']}" in told
    assert "recording.active" in told
