"""Callers who take for ever: they are let go of, and nobody else waits for them."""

import asyncio

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, token_for
from tests.acceptance.wire import JSON, assert_quiet_log, connect, read_answer, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

EACH = 50
PATIENCE_SECONDS = 60.0
START = "/api/v1/meetings/slow/recording/start"
BODY = request("POST", START, JSON, "Content-Length: 100", body=b"{", length=False, token=token_for("u"))


async def test_slow_callers_keep_nobody_waiting(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh(TAPEDECK_HTTP__BODY_SECONDS_MAX="2", TAPEDECK_HTTP__IDLE_SECONDS_MAX="2")
    begun = [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: y", BODY]
    open_ = [await connect(server) for _ in begun * EACH]
    for (_, writer), sent in zip(open_, begun * EACH, strict=True):
        writer.write(sent)
    host = Client(http, server)
    started = await host.start("quick")
    await host.in_state(started["id"], "active")
    assert (await host.stop("quick"))["completeness"] == "complete"
    async with asyncio.timeout(PATIENCE_SECONDS):
        for number, (reader, writer) in enumerate(open_):
            if begun[number % len(begun)] is BODY:
                answer = await read_answer(reader)
                assert (answer.status, answer.problem()["code"]) == (400, "bad_request")
            else:
                assert await reader.read() == b""
            writer.close()
    _, listed, _ = await host.call("GET", "/api/v1/meetings/slow/recordings")
    assert listed["total"] == 0
    assert_quiet_log(server)
