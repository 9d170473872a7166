"""From the start by curl to the sound that comes out of the file."""

from datetime import datetime

import aiohttp
import pytest

from tests.acceptance.running import Client, RunningServer, token_for
from tests.fakes.sound import RATE, samples_of, wrong_seconds

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


async def test_start_to_playback_with_the_sound_decoded(host: Client) -> None:
    started = await host.start("way-1", {"metadata": {"title": "Standup"}, "externalId": "x-1"})
    assert started["live"]
    assert len(started["agoraRecordingId"]) == 32
    active = await host.in_state(started["id"], "active")
    assert active["status"] == "processing"
    assert active["metadata"] == {"title": "Standup"}
    ended = await host.stop("way-1")
    assert (ended["state"], ended["completeness"], ended["endReason"]) == ("completed", "complete", "stop_requested")
    status, playback, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/playback")
    assert status == 200
    assert {item["kind"] for item in playback["items"]} == {"hls", "mp4"}
    movie = next(item for item in playback["items"] if item["kind"] == "mp4")
    status, data = await host.fetch(movie["url"])
    assert (status, len(data)) == (200, movie["fileSize"])
    samples = samples_of(data)
    assert len(samples) / RATE == pytest.approx(ended["duration"], abs=0.05)
    assert wrong_seconds(samples, ms(ended["startedAt"])) == []


async def test_hls_plays_through_signed_urls_alone(host: Client) -> None:
    started = await host.start("way-2", {"outputs": ["hls"]})
    await host.in_state(started["id"], "active")
    await host.stop("way-2")
    _, playback, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/playback")
    (item,) = playback["items"]
    status, text = await host.fetch(item["url"])
    assert status == 200
    lines = text.decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[-1] == "#EXT-X-ENDLIST"
    slices = [line for line in lines if line and not line.startswith("#")]
    seconds = 0.0
    for url in slices:
        status, data = await host.fetch(url)
        assert status == 200
        seconds += len(samples_of(data)) / RATE
    assert seconds == pytest.approx(item["duration"], abs=0.05)
    assert (await host.fetch(item["url"][:-1] + ("0" if item["url"][-1] != "0" else "1")))[0] == 403
    bare = (await host.recording(started["id"]))["storageUrl"]
    assert (await host.fetch(bare))[0] == 403


async def test_a_recording_with_a_picture(host: Client) -> None:
    body = {"streams": "audio_video", "video": {"width": 320, "height": 240, "fps": 10}}
    started = await host.start("way-3", body)
    await host.in_state(started["id"], "active")
    ended = await host.stop("way-3")
    assert ended["state"] == "completed", ended
    assert ended["video"] == {"width": 320, "height": 240, "fps": 10, "bitrate": 63}


async def test_a_deleted_recording_leaves_a_tombstone_and_no_file(host: Client, server: RunningServer) -> None:
    started = await host.start("way-4")
    await host.in_state(started["id"], "active")
    path = f"/api/v1/recordings/{started['id']}"
    status, problem, _ = await host.call("DELETE", path)
    assert (status, problem["code"]) == (409, "recording_live")
    await host.stop("way-4")
    folder = server.data_dir / "media" / "tapedeck" / started["id"].replace("-", "")
    assert any(folder.iterdir())
    assert [(await host.call("DELETE", path))[0] for _ in range(2)] == [204, 204]
    assert not folder.exists()
    assert (await host.recording(started["id"]))["state"] == "deleted"
    status, problem, _ = await host.call("GET", f"{path}/playback")
    assert (status, problem["code"]) == (410, "recording_deleted")
    _, listed, _ = await host.call("GET", "/api/v1/meetings/way-4/recordings")
    assert listed["total"] == 0
    _, listed, _ = await host.call("GET", "/api/v1/meetings/way-4/recordings?status=deleted")
    assert listed["total"] == 1


async def test_the_history_tells_the_story_with_its_evidence(host: Client) -> None:
    started = await host.start("way-5")
    await host.in_state(started["id"], "active")
    await host.stop("way-5")
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    kinds = [item["type"] for item in history["items"]]
    public = [kind for kind in kinds if kind.startswith("recording.")]
    assert public == [f"recording.{word}" for word in ("starting", "active", "stopping", "processing", "completed")]
    assert kinds[1:4] == ["recorder.opened", "recorder.acquired", "recorder.accepted"]
    active = next(item for item in history["items"] if item["type"] == "recording.active")
    assert active["data"]["evidence"].startswith(("event 4", "query: status"))
    assert [item["seq"] for item in history["items"]] == list(range(1, len(kinds) + 1))


async def test_lists_page_by_offset_and_cursor(host: Client, operator: Client) -> None:
    ids = []
    for _ in range(3):
        ids.append((await host.start("way-6"))["id"])
        await host.stop("way-6")
    _, page, _ = await host.call("GET", "/api/v1/meetings/way-6/recordings?limit=2")
    assert [item["id"] for item in page["items"]] == ids[:0:-1]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 0)
    _, rest, _ = await host.call("GET", f"/api/v1/meetings/way-6/recordings?limit=2&cursor={page['nextCursor']}")
    assert [item["id"] for item in rest["items"]] == ids[:1]
    assert rest["nextCursor"] is None
    status, _, _ = await host.call("GET", f"/api/v1/meetings/way-6/recordings?state=failed&cursor={page['nextCursor']}")
    assert status == 422
    _, everything, _ = await operator.call("GET", "/api/v1/recordings?limit=100")
    assert set(ids) <= {item["id"] for item in everything["items"]}


async def test_a_participant_sees_no_metadata_and_may_not_stop(
    http: aiohttp.ClientSession, server: RunningServer, host: Client
) -> None:
    started = await host.start("way-7", {"metadata": {"secret": 1}, "externalId": "x"})
    guest = Client(http, server, token_for("guest", "PARTICIPANT", "way-7"))
    seen = await guest.recording(started["id"])
    assert not seen.get("metadata")
    assert not seen.get("externalId")
    status, problem, _ = await guest.call("POST", "/api/v1/meetings/way-7/recording/stop")
    assert (status, problem["code"]) == (403, "forbidden")
    stranger = Client(http, server, token_for("stranger", "HOST", "another"))
    status, problem, _ = await stranger.call("GET", f"/api/v1/recordings/{started['id']}")
    assert (status, problem["code"]) == (404, "not_found")
    await host.stop("way-7")
