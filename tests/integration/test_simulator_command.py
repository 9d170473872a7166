"""`tapedeck simulate` as a process: it says where it listens, is killed, comes back, and ends when it is told to."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clients.agora.simulator.muxing import write_movie
from clients.agora.simulator.tracks import tone_track
from server.cli import main
from tests.fakes.studio import AUTH, BASE, samples_of, start_request
from tests.waiting import eventually

RUN = "from server.cli import main; main()"
COMMAND = (sys.executable, "-c", RUN, "simulate", "--port", "0", "--slice-seconds", "1")


@asynccontextmanager
async def running(storage: Path, *more: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and its URL."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--storage", str(storage), *more, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("Agora simulator on http://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ask(method: str, url: str, body: Any = None) -> Any:
    async with (
        aiohttp.ClientSession(headers={"Authorization": AUTH}) as http,
        http.request(method, url, json=body) as answer,
    ):
        return await answer.json()


async def test_killed_and_started_again(tmp_path: Path, tone: Path) -> None:
    storage, state = tmp_path / "media", tmp_path / "state"
    state.mkdir()
    shutil.copy(tone, state / tone.name)
    names = {"cname": "m-1", "uid": "77"}
    async with running(storage, "--state", str(state), "--seed", "3") as (process, url):
        assert (await ask("GET", f"{url}/_simulator/info"))["seed"] == 3
        resource = (await ask("POST", f"{url}{BASE}/acquire", {**names, "clientRequest": {}}))["resourceId"]
        start = f"{BASE}/resourceid/{resource}/mode/mix/start"
        sid = (await ask("POST", url + start, {**names, "clientRequest": start_request()}))["sid"]
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with running(storage, "--state", str(state)) as (process, url):

        async def has_slices() -> bool:
            return len(list(storage.rglob(f"{sid}*.ts"))) >= 2

        await eventually(has_slices)
        stop = f"{BASE}/resourceid/{resource}/sid/{sid}/mode/mix/stop"
        told = await ask("POST", url + stop, {**names, "clientRequest": {}})
        assert told["serverResponse"]["uploadingStatus"] == "uploaded"
        (movie,) = storage.rglob("*.mp4")
        assert len(samples_of(movie)) == len(samples_of(*sorted(storage.rglob("*.ts"))))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_any_audio_file_is_looped(tmp_path: Path, tone: Path) -> None:
    song = tmp_path / "song.mp4"
    track = tone_track(tone.parent)
    write_movie(song, [(track, 0, 3 * 47, 0)])
    async with running(tmp_path / "media", "--media", str(song)) as (_, url):
        assert (await ask("GET", f"{url}/_simulator/info"))["simulator"] == "tapedeck"
    assert list((tmp_path / "media" / ".simulator").glob("media-*.mp4"))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--fault", "start.nonsense=1"), "start.nonsense"),
        (("--fault", "start.slow"), "NAME=P"),
        (("--media", "no-such-file"), "no-such-file"),
        (("--webhook-url", "localhost:3002"), "http://"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], word: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "--storage", str(tmp_path), *options])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert word in told
    assert told.count("\n") == 1
