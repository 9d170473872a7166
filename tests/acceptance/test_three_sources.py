"""Notifications, queries and the listing of storage: each may be missing, and everything still ends right."""

import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.pair import Pair, paired
from tests.acceptance.truth import complaints
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

SOON = {
    "TAPEDECK_RECORDING__STARTING_DEADLINE_SECONDS": "8",
    "TAPEDECK_RECORDING__STOPPING_DEADLINE_SECONDS": "8",
    "TAPEDECK_RECORDING__PROCESSING_DEADLINE_SECONDS": "6",
    "TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__VERIFY_INTERVAL_SECONDS": "1",
    "TAPEDECK_RECORDING__MISS_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "3",
    "TAPEDECK_PROOF__SETTLE_SECONDS": "3",
}
OPTIONS = ("--slice-seconds", "2")
END_SECONDS = 60.0


async def test_notifications_alone_carry(http: aiohttp.ClientSession) -> None:
    async with paired(http, *OPTIONS, "--fault", "query.http_500=1", environment=SOON) as pair:
        ended = await _recorded(pair)
        evidence = [event["data"].get("evidence", "") for event in await pair.history(ended["id"])]
        assert (ended["state"], ended["completeness"]) == ("completed", "complete"), ended
        assert any(text.startswith("event 4") for text in evidence)
        assert await pair.fired("query.http_500") > 0
        assert complaints(await pair.account()) == []


async def test_queries_alone_carry(http: aiohttp.ClientSession) -> None:
    async with paired(http, *OPTIONS, "--fault", "webhook.lost=1", environment=SOON) as pair:
        ended = await _recorded(pair)
        evidence = [event["data"].get("evidence", "") for event in await pair.history(ended["id"])]
        assert (ended["state"], ended["completeness"]) == ("completed", "complete"), ended
        assert any(text.startswith("query: status") for text in evidence)
        assert await pair.fired("webhook.lost") > 0
        assert complaints(await pair.account()) == []


async def test_with_the_listing_alone_it_ends_by_its_deadline_and_holds_what_was_captured(
    http: aiohttp.ClientSession,
) -> None:
    faults = ("--fault", "webhook.lost=1", "--fault", "query.http_500=1")
    async with paired(http, *OPTIONS, *faults, environment=SOON) as pair:
        await pair.server.start()
        started = await pair.host.start("blind")
        ended = await _over(pair, started["id"])
        assert ended["state"] == "completed", ended
        assert ended["endReason"] in ("never_started", "max_duration"), ended
        await pair.quiet(END_SECONDS)
        assert complaints(await pair.account()) == []


async def test_without_the_listing_nothing_is_completed(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    async with paired(http, *OPTIONS, environment={**SOON, "TAPEDECK_STORAGE__PATH": str(disk)}) as pair:
        ended = await _recorded(pair, unmount=disk)
        assert (ended["state"], ended["error"]["code"]) == ("failed", "storage_unavailable"), ended
        assert [each["exitReason"] for each in await pair.sessions()] == ["stopped"]


async def _recorded(pair: Pair, unmount: Path | None = None) -> Any:
    """A start, two seconds of sound, a stop, and what came of it; the disk may be gone by then."""
    await pair.server.start()
    started = await pair.host.start("three")
    await pair.host.in_state(started["id"], "active")

    async def captured() -> bool:
        (session,) = await pair.sessions("three")
        return bool(session["files"])

    await eventually(captured)
    if unmount is not None:
        shutil.rmtree(unmount)
    await pair.host.stop("three")
    return await _over(pair, started["id"])


async def _over(pair: Pair, recording_id: str) -> Any:
    async def look() -> Any:
        recording = await pair.host.recording(recording_id)
        return recording if recording["status"] != "processing" else None

    return await eventually(look, END_SECONDS)
