"""Death and departure: nothing is lost, nothing is left behind."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.processes import alive, children_of, named
from tests.acceptance.running import Client, CommandServer, RunningServer
from tests.acceptance.test_whole_way import ms
from tests.fakes.sound import RATE, samples_of, wrong_seconds
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def kind() -> type[RunningServer]:
    """The very process that a user starts: its life and death are what is tested."""
    return CommandServer


async def gone(pids: list[int], within_seconds: float) -> None:
    async def look() -> bool:
        return not any(map(alive, pids))

    await eventually(look, within_seconds)


async def test_five_recordings_survive_kills_and_hold_every_second(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    host, rng = Client(http, server), random.Random(5)
    starts = [asyncio.create_task(host.call("POST", f"/api/v1/meetings/k-{n}/recording/start")) for n in range(5)]
    await asyncio.gather(*starts)
    ids = [task.result()[1]["id"] for task in starts]
    for _ in range(3):
        await asyncio.sleep(rng.uniform(0.1, 1.5))  # the moment of the kill is what is varied
        await server.kill()
        await server.start()
    for recording_id in ids:
        await host.in_state(recording_id, "active")
    for number, recording_id in enumerate(ids):
        ended = await host.stop(f"k-{number}")
        ended = await host.in_state(recording_id, "completed")
        assert ended["completeness"] == "complete", ended
        assert ended["duration"] == pytest.approx((ms(ended["stoppedAt"]) - ms(ended["startedAt"])) / 1000, abs=0.1)
        _, playback, _ = await host.call("GET", f"/api/v1/recordings/{recording_id}/playback")
        movie = next(item for item in playback["items"] if item["kind"] == "mp4")
        samples = samples_of((await host.fetch(movie["url"]))[1])
        assert len(samples) / RATE == pytest.approx(ended["duration"], abs=0.1)
        assert wrong_seconds(samples, ms(ended["startedAt"])) == []


async def test_a_kill_in_mid_start_leaves_one_recorder(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh(TAPEDECK_SIMULATOR__FAULTS='{"start.answer_lost": 1}')
    host = Client(http, server)
    status, started, _ = await host.call("POST", "/api/v1/meetings/k/recording/start", headers={"Prefer": "wait=0"})
    assert status in (201, 202)
    await host.in_state(started["id"], "active")
    ended = await host.stop("k")
    assert ended["state"] == "completed"
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    accepted = [item for item in history["items"] if item["type"] == "recorder.accepted"]
    assert len(accepted) == 1
    assert "with our uid" in accepted[0]["data"]["evidence"]


async def test_a_stop_signal_ends_everything_and_stops_no_recording(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    host = Client(http, server)
    started = await host.start("t")
    await host.in_state(started["id"], "active")
    children = children_of(server.pid)
    assert any(named(pid, "postgres") for pid in children)
    assert any(named(pid, "valkey") for pid in children)
    assert await server.stop(10) == 0
    await gone(children, 2)
    await server.start()
    assert (await host.recording(started["id"]))["state"] == "active"
    assert (await host.stop("t"))["completeness"] == "complete"


async def test_no_child_outlives_a_killed_server(fresh: Fresh) -> None:
    server = await fresh()
    children = children_of(server.pid)
    await server.kill()
    await gone(children, 10)
    await server.start()


async def test_a_second_server_on_the_data_directory_ends_with_a_clear_error(fresh: Fresh) -> None:
    server = await fresh()
    second = _serve(server.environment())
    assert second.returncode == 1
    assert f"another server (process {server.pid})" in second.stderr
    assert "Traceback" not in second.stderr


async def test_a_taken_port_ends_with_a_clear_error(fresh: Fresh, tmp_path: Path) -> None:
    server = await fresh()
    port = server.url.rpartition(":")[2]
    second = _serve({**server.environment(), "PORT": port, "TAPEDECK_DATA_DIR": str(tmp_path / "other")})
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("TAPEDECK_PROOF__TOLERANCE_SECONDS", "much", "TAPEDECK_PROOF__TOLERANCE_SECONDS"),
        ("TAPEDECK_PROOF__TOLERANCE", "3", "TAPEDECK_PROOF__TOLERANCE"),
        ("TAPEDECK_SIMULATOR__FAULTS", '{"start.nonsense": 1}', "start.answer_lost"),
        ("AWS_S3_BUCKET", "bucket", "AWS_REGION"),
        ("AGORA_APP_ID", "app", "AGORA_CUSTOMER_ID"),
    ],
)
async def test_a_wrong_setting_ends_with_its_name(tmp_path: Path, variable: str, value: str, word: str) -> None:
    ended = _serve({**os.environ, "PORT": "0", "TAPEDECK_DATA_DIR": str(tmp_path), variable: value})
    assert ended.returncode == 2
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


async def test_engines_that_die_are_started_again(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh()
    host = Client(http, server)
    started = await host.start("e")
    await host.in_state(started["id"], "active")
    for word in ("valkey", "postgres"):
        (victim,) = [pid for pid in children_of(server.pid) if named(pid, word)]
        os.kill(victim, signal.SIGKILL)

        async def ready(victim: int = victim) -> bool:
            status, report, _ = await host.call("GET", "/readyz")
            return not alive(victim) and status == 200 and report["status"] == "ready"

        await eventually(ready, 20)

    async def stopped() -> bool:
        status, _, _ = await host.call("POST", "/api/v1/meetings/e/recording/stop")
        return status == 200

    await eventually(stopped, 10)
    assert (await host.in_state(started["id"], "completed"))["completeness"] == "complete"


def _serve(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
