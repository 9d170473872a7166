"""`tapedeck` as an operator types it, against a running server: on a terminal, into a pipe, and with what is wrong."""

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.acceptance.running import Client, RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
RUN = (sys.executable, "-c", "from server.cli import main; main()")
ROOT = Path(__file__).parent.parent.parent
SECONDS = 60.0


def environment(server: RunningServer, **more: str) -> dict[str, str]:
    """Of a shell beside the server: the same settings, and the port that it took."""
    return {**server.environment(), "PORT": server.url.rpartition(":")[2], "TERM": "xterm", "COLUMNS": "200", **more}


async def piped(server: RunningServer, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *RUN, *arguments,
        cwd=ROOT,
        env=environment(server, **more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode or 0, out.decode(), err.decode()


async def on_a_terminal(server: RunningServer, *arguments: str, **more: str) -> str:
    """What a terminal shows of it."""
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *RUN, *arguments, cwd=ROOT, env=environment(server, **more), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        shown = await asyncio.to_thread(_read_all, ours)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0, shown
    finally:
        os.close(ours)
    return shown


def _read_all(descriptor: int) -> str:
    read = bytearray()
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # how Linux tells that the other side has closed
            data = b""
        if not data:
            return read.decode()
        read += data


async def test_an_operators_round(host: Client, server: RunningServer) -> None:
    started = await host.start("cl-1", {"metadata": {"a": "b"}})
    await host.in_state(started["id"], "active")
    code, out, err = await piped(server, "recordings", "list", "--meeting", "cl-1", "--state", "active")
    assert (code, err) == (0, "")
    header, line = out.splitlines()
    assert header.startswith("ID ")
    assert line.split()[:3] == [started["id"], "cl-1", "active"]
    assert "\x1b" not in out

    shown = await on_a_terminal(server, "recordings", "list", "--meeting", "cl-1")
    assert started["id"] in shown
    assert "\x1b[1;31mactive" in shown
    plain = await on_a_terminal(server, "recordings", "list", "--meeting", "cl-1", NO_COLOR="1", COLUMNS="60")
    assert started["id"] in plain
    assert "31m" not in plain
    dumb = await on_a_terminal(server, "recordings", "list", "--meeting", "cl-1", TERM="dumb")
    assert started["createdAt"][11:19] in dumb
    assert "\x1b" not in dumb

    code, out, err = await piped(server, "recordings", "stop", started["id"])
    assert (code, err) == (0, "")
    assert out.startswith(f"{started['id']} is completed, complete: 0:00:")

    code, out, _ = await piped(server, "recordings", "list", "--meeting", "cl-1", "--json")
    told = json.loads(out)
    _, listed, _ = await host.call("GET", "/api/v1/meetings/cl-1/recordings?limit=50")
    assert told == listed

    code, out, _ = await piped(server, "recordings", "show", started["id"], TAPEDECK_TOKEN=host.token)
    assert code == 0
    events = [
        "recording.starting",
        "recorder.accepted",
        "recording.active",
        "recording.stopping",
        "recording.completed",
    ]
    places = [out.index(f"  {event} ") for event in events]
    assert places == sorted(places)
    assert "asked for by tapedeck-cli (operator)" in out
    assert "[event 40]" in out
    _, out, _ = await piped(server, "recordings", "show", started["id"], "--json")
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    assert json.loads(out) == {"recording": await host.recording(started["id"]), "history": history["items"]}


async def test_filters_are_the_servers(host: Client, server: RunningServer) -> None:
    started = await host.start("cl-3", {"externalId": "order 7"})
    wanted = ("recordings", "list", "--external-id", "order 7", "--from", started["createdAt"])
    code, out, _ = await piped(server, *wanted, "--state", "starting", "--state", "active", "--status", "processing")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [started["id"]]
    for none in (("--to", started["createdAt"]), ("--overdue",), ("--completeness", "partial")):
        code, out, _ = await piped(server, *wanted, *none)
        assert (code, len(out.splitlines())) == (0, 1)
    await host.stop("cl-3")


async def test_every_kind_of_event_is_told(host: Client, server: RunningServer) -> None:
    """Each line of a history that occurs here is a sentence, and none is left to its name alone."""
    started = await host.start("cl-2")
    await host.in_state(started["id"], "active")
    await host.stop("cl-2")
    await host.call("DELETE", f"/api/v1/recordings/{started['id']}")
    await host.in_state(started["id"], "deleted")
    _, out, _ = await piped(server, "recordings", "show", started["id"])
    story = out.partition("\n\n")[2].splitlines()
    assert len(story) > 10
    assert all(len(line.split()) > 3 for line in story)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("recordings", "show", "01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11"), 1, "(not_found)"),
        (("recordings", "list", "--from", "yesterday"), 1, "(validation_failed)"),
        (("recordings", "list", "--token", "nonsense"), 1, "(unauthenticated)"),
        (("recordings", "list", "--url", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("recordings", "frob"), 2, "No such command"),
    ],
)
async def test_what_is_wrong_is_said_and_the_exit_code_tells(
    server: RunningServer, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = await piped(server, *arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
