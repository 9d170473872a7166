"""The sweep of a real server, asked for by its interface and by its command; it removes what is nobody's and nothing else."""

import asyncio
import json
import os
import pty
from pathlib import Path

import aiohttp
import orjson

from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.acceptance.test_command_line import RUN
from tests.waiting import eventually

ORPHAN = "tapedeck/01a202b2c57b7c4e9d3a5b1f0e6a7c21"
HASTY = {"TAPEDECK_SWEEP__AGE_SECONDS_MIN": "0", "TAPEDECK_SIMULATOR__SLICE_SECONDS": "1"}


def write(server: RunningServer, key: str) -> Path:
    path = server.data_dir / "media" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


async def command(server: RunningServer, *arguments: str, terminal: int | None = None) -> tuple[int, str, str]:
    """Exit code, what it printed, and what it said beside; the latter may be a terminal."""
    process = await asyncio.create_subprocess_exec(
        *RUN, "sweep", *arguments,
        env={**server.environment(), "TAPEDECK_TOKEN": token_for("op", operator=True), "TERM": "xterm"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if terminal is None else terminal,
    )  # fmt: skip
    printed, said = await process.communicate()
    return process.returncode or 0, printed.decode(), (said or b"").decode()


async def test_what_is_nobodys_goes_and_a_live_recording_is_left_alone() -> None:
    async with serving(**HASTY) as server, aiohttp.ClientSession() as http:
        operator = Client(http, server, token_for("op", operator=True))
        live = await operator.start("m-1")
        await operator.in_state(live["id"], "active")
        orphan, foreign = write(server, f"{ORPHAN}/a.ts"), write(server, "tapedeck/notes/a.txt")
        status, told, _ = await operator.call("POST", "/api/v1/sweep")
        assert status == 200, told
        assert [(item["kind"], item["key"], item["action"]) for item in told["items"]] == [
            ("foreign", "tapedeck/notes/", "reported"), ("media", f"{ORPHAN}/", "reported"),
        ]  # fmt: skip
        assert orphan.exists()
        _, told, _ = await operator.call("POST", "/api/v1/sweep?delete=true")
        assert [item["action"] for item in told["items"]] == ["reported", "deleted"]
        assert not orphan.exists()
        assert foreign.exists()
        await operator.stop("m-1")
        ended = await operator.in_state(live["id"], "completed")
        assert ended["completeness"] == "complete", ended
        status, problem, _ = await Client(http, server, token_for("host")).call("POST", "/api/v1/sweep")
        assert (status, problem["code"]) == (403, "forbidden")
        status, problem, _ = await operator.call("POST", "/api/v1/sweep?delete=maybe")
        assert (status, problem["code"]) == (422, "validation_failed")


async def test_late_files_of_a_deleted_recording_are_erased_by_a_sweep_that_only_tells() -> None:
    async with serving(**HASTY) as server, aiohttp.ClientSession() as http:
        operator = Client(http, server, token_for("op", operator=True))
        started = await operator.start("m-1")
        await operator.in_state(started["id"], "active")
        await operator.stop("m-1")
        ended = await operator.in_state(started["id"], "completed")
        path = f"/api/v1/recordings/{started['id']}"
        assert (await operator.call("DELETE", path))[0] == 204
        late = write(server, ended["storageKey"])
        _, told, _ = await operator.call("POST", "/api/v1/sweep")
        assert [(item["kind"], item["action"]) for item in told["items"]] == [("late_media", "erasing")]

        async def erased() -> bool:
            _, history, _ = await operator.call("GET", f"{path}/history")
            return history["items"][-1]["type"] == "media.late_erased"

        assert await eventually(erased)
        assert not late.exists()
        _, history, _ = await operator.call("GET", f"{path}/history")
        names = [
            each["name"]
            for item in history["items"]
            if item["type"] == "media.listed"
            for each in item["data"]["objects"]
        ]
        assert names.count(late.name) == 2


async def test_the_command_tells_and_removes_and_shows_how_far_it_is() -> None:
    async with serving(**HASTY) as server:
        orphan = write(server, f"{ORPHAN}/a.ts")
        code, printed, said = await command(server, "--url", server.url)
        assert (code, printed.split()[:2], said.strip()) == (0, ["KIND", "KEY"], "1 found"), said
        assert f"{ORPHAN}/" in printed
        code, printed, _ = await command(server, "--url", server.url, "--delete", "--json")
        assert [item["action"] for item in json.loads(printed)["items"]] == ["deleted"]
        assert not orphan.exists()
        mine, its = pty.openpty()
        code, _, _ = await command(server, "--url", server.url, terminal=its)
        os.close(its)
        shown = os.read(mine, 10_000).decode()
        os.close(mine)
        assert code == 0
        assert "sweeping" in shown
        code, _, said = await command(server, "--url", "http://127.0.0.1:1")
        assert (code, "cannot be reached" in said) == (1, True)


async def test_lines_come_as_things_are_found_and_one_sweep_runs_at_a_time() -> None:
    async with serving(**HASTY) as server, aiohttp.ClientSession() as http:
        write(server, f"{ORPHAN}/a.ts")
        headers = {"Authorization": f"Bearer {token_for('op', operator=True)}", "Accept": "application/x-ndjson"}
        async with http.post(f"{server.url}/api/v1/sweep", headers=headers) as response:
            assert (response.status, response.content_type) == (200, "application/x-ndjson")
            lines = [orjson.loads(line) async for line in response.content]
        assert [next(iter(line)) for line in lines] == ["item", "progress", "done"]
        assert lines[1]["progress"] == {"objects": 1, "recordings": 0, "recordingsTotal": 0}
        answers = await asyncio.gather(
            *(Client(http, server, token_for("op", operator=True)).call("POST", "/api/v1/sweep") for _ in range(10))
        )
        statuses = sorted(status for status, _, _ in answers)
        assert statuses[0] == 200
        assert {body["code"] for status, body, _ in answers if status != 200} <= {"sweep_running"}
