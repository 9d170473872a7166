"""Media that was recovered elsewhere: added by the command line, and the recording is whole again."""

import asyncio
from pathlib import Path

import aiohttp

from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import open_store
from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.acceptance.test_bucket import media_in
from tests.acceptance.test_command_line import on_a_terminal, piped
from tests.fakes.buckets import told_of
from tests.waiting import eventually


async def test_a_slice_that_was_lost_and_found_makes_a_recording_complete(
    strict_bucket: S3Settings, tmp_path: Path
) -> None:
    hasty = {"TAPEDECK_SIMULATOR__SLICE_SECONDS": "3", "TAPEDECK_PROOF__SETTLE_SECONDS": "1"}
    async with (
        serving(**hasty, **told_of(strict_bucket)) as server,
        aiohttp.ClientSession() as http,
        open_store(strict_bucket) as store,
    ):
        host, operator = Client(http, server), Client(http, server, token_for("o", operator=True))
        started = await host.start("m-1", {"outputs": ["hls"]})

        async def first_slice() -> str | None:
            return next((key for key in await media_in(store) if key.endswith(".ts")), None)

        key = await eventually(first_slice, 40)
        assert key is not None
        found = tmp_path / key.rpartition("/")[2]
        found.write_bytes(await store.get(key))
        await store.delete([key])
        await host.stop("m-1")
        ended = await host.in_state(started["id"], "completed", 60)
        assert ended["completeness"] == "partial", ended
        assert [gap["reason"] for gap in ended["gaps"]] == ["slice_missing"]

        code, _, said = await piped(server, *attach(server, started["id"], f"{server.url}/film.ts"))
        assert (code, "an address that is not public" in said) == (1, True), said
        shown = await on_a_terminal(server, *attach(server, started["id"], str(found)))
        assert "completed, complete" in shown
        assert "sending" in shown
        whole = await host.recording(started["id"])
        assert (whole["completeness"], whole["gaps"], whole["completedAt"]) == ("complete", [], ended["completedAt"])
        assert (await media_in(store))[key] == found.stat().st_size
        _, history, _ = await operator.call("GET", f"/api/v1/recordings/{started['id']}/history")
        told = [item["type"] for item in history["items"] if not item["type"].startswith("media.seal")]
        assert told[-2:] == ["media.attached", "media.reproven"]


async def test_a_long_file_takes_little_memory(strict_bucket: S3Settings, tmp_path: Path) -> None:
    async with serving(**told_of(strict_bucket)) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        started = await host.start("m-1")
        await host.in_state(started["id"], "active", 40)
        await host.stop("m-1")
        await host.in_state(started["id"], "completed", 60)
        long = tmp_path / "long.ts"
        await asyncio.to_thread(write_zeros, long, 256)
        before = peak_bytes(server)
        code, out, said = await piped(server, *attach(server, started["id"], str(long)))
        assert code == 0, said
        assert "completed, complete" in out
        assert peak_bytes(server) - before < 96 * 1024 * 1024


def attach(server: RunningServer, recording_id: str, source: str) -> tuple[str, ...]:
    return ("recordings", "attach", recording_id, source, "--url", server.url)


def write_zeros(path: Path, mebibytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(bytes(1024 * 1024))


def peak_bytes(server: RunningServer) -> int:
    """The most memory that the server ever had."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
