"""A thousand subscribers on real sockets do not notice those who stop reading, and these lose nothing (recipe 3.6)."""

import asyncio
import json
import re
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.fakes.audience import EventSource, Listener, Node, SocketListener, World, eventually, serving
from tests.fakes.stalled import live_count, read_all, stalled, unsent

MEETING = "/api/v1/meetings/m-1/events"
COUNT = 1000
BURST_EVENTS = 5
PADDING_BYTES = 10_000
BUFFER_BYTES_MAX = 1048576
MEMORY_BYTES_MAX = 100_000_000


@pytest.fixture(autouse=True)
def _many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@asynccontextmanager
async def crowd(node: Node) -> AsyncIterator[asyncio.subprocess.Process]:
    """A thousand subscribers that have joined."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.crowd", str(node.port), node.token(sub="crowd"), MEETING, str(COUNT),
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"joined\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: asyncio.subprocess.Process, last_cursor: str) -> list[dict[str, object]]:
    """What the crowd was told, once it has the event with that cursor: over WebSockets, over SSE."""
    async with asyncio.timeout(60):
        output, _ = await process.communicate(f"{last_cursor}\n".encode())
    reports: list[dict[str, object]] = json.loads(output)
    return reports


async def test_a_thousand_do_not_notice_two_that_stop_reading() -> None:
    world = World()
    async with serving(world) as node, crowd(node) as process:
        async with SocketListener(node, MEETING, node.token()) as witness:
            async with (
                stalled(node, MEETING, websocket=True) as first,
                stalled(node, MEETING, websocket=False) as second,
            ):
                await eventually(lambda: live_count(node) == COUNT + 3)
                before = psutil.Process().memory_info().rss
                sent = await publish_until_two_are_cut(world, node)
                grown = psutil.Process().memory_info().rss - before
                rests = [await read_all(first), await read_all(second)]
            await witness.until(lambda: witness.sequences == list(range(1, sent + 1)))
        everything = list(range(1, sent + 1))
        assert await told(process, witness.cursor) == [
            {"members": COUNT // 2, "different": 1, "sequences": everything},
            {"members": COUNT // 2, "different": 1, "sequences": everything},
        ]
        assert sorted(node.counts.slow) == ["sse", "websocket"]
        assert grown < MEMORY_BYTES_MAX
        for rest, kind in zip(rests, (SocketListener, EventSource), strict=True):
            await resumes(node, rest, kind, everything)


async def publish_until_two_are_cut(world: World, node: Node) -> int:
    """Bursts, each when what all others are owed has left, and one after that; returns how many events there were."""
    sent, cut = 0, 0
    while cut < 2:
        assert sent < 2000
        cut = len(node.counts.slow)
        world.commit("m-1", BURST_EVENTS, padding=PADDING_BYTES)
        sent += BURST_EVENTS
        await asyncio.sleep(0)
        assert max(unsent(node)) < BUFFER_BYTES_MAX + BURST_EVENTS * 2 * PADDING_BYTES
        await eventually(lambda: sum(size > 0 for size in unsent(node)) <= 2)
    return sent


async def resumes(node: Node, rest: bytes, kind: type[Listener], everything: list[int]) -> None:
    """Whoever was cut off comes back with the last cursor that it has read, and has seen all in the end."""
    whole = re.findall(rb'"sequence":(\d+),[^\n]*?"cursor":"([^"]+)"}', rest)
    seen = [int(number) for number, _ in whole if number != b"0"]
    async with kind(node, MEETING, node.token(), cursor=whole[-1][1].decode()) as again:
        await again.until(lambda: bool(again.sequences) and again.sequences[-1] == everything[-1])
    assert 0 < len(seen) < len(everything)
    assert seen + again.sequences == everything
