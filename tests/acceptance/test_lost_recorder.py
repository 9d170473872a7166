"""A recorder that is driven out in mid-meeting: what the host sees, hears of and gets to play."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client
from tests.fakes.media import decoded_seconds
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
GONE_SECONDS = 60.0
"""The fault strikes up to 20 s after the start, and the next recorder begins 6 s later."""


async def test_the_recording_goes_on_in_a_second_part(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    port = str(free_port())
    simulated = {"PORT": port, "SLICE_SECONDS": "2", "FAULTS": '{"session.evicted": 1}', "SEED": "4"}
    environment = {f"TAPEDECK_SIMULATOR__{name}": value for name, value in simulated.items()}
    environment["TAPEDECK_RECORDING__RESTART_DELAYS_SECONDS"] = "[6]"  # longer than the tolerance of the proof
    host = Client(http, await fresh(TAPEDECK_PROOF__SETTLE_SECONDS="1", **environment))
    started = await host.start("m-1", {"outputs": ["hls"]})
    async with http.put(f"http://127.0.0.1:{port}/_simulator/faults", json={}) as response:
        assert response.status == 200

    async def with_gap(*, open_: bool) -> Any:
        recording = await host.recording(started["id"])
        assert recording["state"] in ("starting", "active")
        return recording if recording["gaps"] and (recording["gaps"][-1]["to"] is None) is open_ else None

    async def plays_two_parts() -> Any:
        status, playback, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/playback")
        return status == 200 and {item["part"] for item in playback["items"]} == {1, 2, None}

    lost = await eventually(lambda: with_gap(open_=True), GONE_SECONDS)
    assert (lost["state"], lost["live"], lost["gaps"][0]["reason"]) == ("active", True, "recorder_lost")
    replaced = await eventually(lambda: with_gap(open_=False), GONE_SECONDS)
    assert (replaced["state"], len(replaced["recorderUids"])) == ("active", 2)
    assert replaced["agoraRecordingId"] != lost["agoraRecordingId"]
    await eventually(plays_two_parts, GONE_SECONDS)
    await host.stop("m-1")
    over = await host.in_state(started["id"], "completed", GONE_SECONDS)
    assert (over["completeness"], {file["part"] for file in over["files"]}) == ("partial", {1, 2})
    assert [gap["reason"] for gap in over["gaps"]] == ["recorder_lost"]
    _, playback, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/playback")
    (whole,) = (item for item in playback["items"] if item["part"] is None)
    assert await asyncio.to_thread(decoded_seconds, whole["url"]) == pytest.approx(over["duration"], abs=0.5)
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    told = {item["type"]: item["sequence"] for item in history["items"]}
    assert None not in (told["recorder.lost"], told["recorder.replaced"])
