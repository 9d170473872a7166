"""Single calls of the client: what goes out, and what becomes of what comes back."""

import asyncio
import zlib
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aioresponses import aioresponses
from structlog.testing import capture_logs

from actors.domain.effects import (
    AgoraAcquire,
    AgoraQuery,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.ids import RecordingId
from actors.domain.model import FailureCode, Layout, RecordingSpec, Subscription
from actors.domain.outcomes import Acquired, Ambiguous, Done, Rejected, RetryLater, Seen, Started, Stopped, Updated
from actors.ports import JournalUnavailable
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget
from tests.fakes.budget import Unlimited

BASE = "https://agora.test/v1/apps/app/cloud_recording"
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
NAMES: dict[str, Any] = {"recording_id": RecordingId("r"), "attempt": 1}
ACQUIRE = AgoraAcquire(channel_name="room", uid="42", **NAMES)
START = AgoraStart(
    channel_name="room", uid="42", resource_id="res", spec=RecordingSpec(channel_name="room"), prefix=("p",), **NAMES
)
QUERY = AgoraQuery(resource_id="res", sid=SID, **NAMES)
OF_SESSION: dict[str, Any] = {"channel_name": "room", "uid": "42", "resource_id": "res", "sid": SID, **NAMES}
UPDATE = AgoraUpdate(streams="audio", subscribe=Subscription(audio=("1",)), **OF_SESSION)
UPDATE_LAYOUT = AgoraUpdateLayout(layout=Layout(), **OF_SESSION)
STOP = AgoraStop(channel_name="room", uid="42", resource_id="res", sid=SID, **NAMES)


class Response(aiohttp.ClientResponse):
    """aiohttp's response with the argument that the mock does not know of."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, stream_writer=Mock(), **named)


class Budget(Unlimited):
    away = False

    async def slot(self, call: str) -> None:
        if self.away:
            raise JournalUnavailable("no connection")
        await super().slot(call)


@pytest_asyncio.fixture
async def budget() -> Budget:
    return Budget()


@pytest_asyncio.fixture
async def client(budget: Budget) -> AsyncIterator[AgoraClient]:
    async with aiohttp.ClientSession() as session:
        yield AgoraClient(session, account_at("https://agora.test"), budget)


@pytest.fixture
def recorder(client: AgoraClient) -> AgoraRecorder:
    return AgoraRecorder(client, LocalTarget(), "app")


def account_at(url: str) -> AgoraAccount:
    return AgoraAccount(base_url=url, app_id="app", customer_id="id", customer_secret="hidden")


def bodies(mock: aioresponses) -> list[Any]:
    """What was sent, as JSON."""
    return [orjson.loads(call.kwargs["data"]) for calls in mock.requests.values() for call in calls]


async def test_each_call_has_its_path_and_answer(recorder: AgoraRecorder, budget: Budget) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/acquire", payload={"resourceId": "res"}, response_class=Response)
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", payload={"sid": SID}, response_class=Response)
        session = f"{BASE}/resourceid/res/sid/{SID}/mode/mix"
        mock.get(f"{session}/query", payload={"serverResponse": {"status": 4}}, response_class=Response)
        mock.post(
            f"{session}/stop", payload={"serverResponse": {"uploadingStatus": "uploaded"}}, response_class=Response
        )
        assert await recorder.acquire(ACQUIRE) == Done(Acquired("res"))
        assert await recorder.start(START) == Done(Started(SID))
        assert await recorder.query(QUERY) == Done(Seen(4))
        assert await recorder.stop(STOP) == Done(Stopped("uploaded"))
        sent = [call.kwargs for calls in mock.requests.values() for call in calls]
    assert all(each["headers"]["Authorization"] == aiohttp.encode_basic_auth("id", "hidden") for each in sent)
    assert all(each["headers"]["Content-Type"] == "application/json;charset=utf-8" for each in sent)
    assert budget.calls == ["acquire", "start", "query", "stop"]
    assert sent[3]["data"] == b'{"cname":"room","uid":"42","clientRequest":{"async_stop":false}}'
    assert sent[3]["timeout"].total == 30


async def test_updates_have_a_path_each(recorder: AgoraRecorder, budget: Budget) -> None:
    session = f"{BASE}/resourceid/res/sid/{SID}/mode/mix"
    with aioresponses() as mock:
        mock.post(f"{session}/update", payload={"sid": SID}, response_class=Response)
        mock.post(f"{session}/updateLayout", payload={"sid": SID}, response_class=Response)
        assert await recorder.update(UPDATE) == Done(Updated())
        assert await recorder.update_layout(UPDATE_LAYOUT) == Done(Updated())
        sent = bodies(mock)
    assert budget.calls == ["update", "updateLayout"]
    assert sent[0]["clientRequest"] == {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["1"]}}}
    assert sent[1]["clientRequest"] == {"mixedVideoLayout": 1, "backgroundColor": "#000000"}


async def test_an_update_without_an_answer_is_ambiguous(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/sid/{SID}/mode/mix/update", exception=TimeoutError())
        assert isinstance(await recorder.update(UPDATE), Ambiguous)


async def test_a_broken_connection_is_ambiguous(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", exception=aiohttp.ServerDisconnectedError())
        assert isinstance(await recorder.start(START), Ambiguous)


async def test_a_time_out_is_ambiguous(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", exception=TimeoutError())
        assert isinstance(await recorder.start(START), Ambiguous)


async def test_without_a_connection_nothing_was_done(recorder: AgoraRecorder) -> None:
    refused = aiohttp.ClientConnectorError(Mock(ssl=True), ConnectionRefusedError(111, "refused"))
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", exception=refused)
        assert isinstance(await recorder.start(START), RetryLater)


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b"[1]", b"\xff"])
async def test_a_proxys_answer_crashes_nothing(recorder: AgoraRecorder, body: bytes) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", status=502, body=body, response_class=Response)
        assert isinstance(await recorder.start(START), Ambiguous)


async def test_a_prefix_that_agora_does_not_take_is_refused_before_the_call(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        assert isinstance(await recorder.start(replace(START, prefix=("a-b",))), Rejected)
        assert not mock.requests


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def recorder_of(serve: Serve, budget: Budget, trace: aiohttp.TraceConfig) -> AsyncIterator[AgoraRecorder]:
    """Over a connection whose other end writes what it likes."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, aiohttp.ClientSession(trace_configs=[trace]) as session:
        yield AgoraRecorder(AgoraClient(session, account_at(url), budget), LocalTarget(), "app")


async def test_an_answer_in_two_packets_is_read_to_its_end(budget: Budget) -> None:
    begun = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"sid":"%s"}' % SID.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
        await begun.wait()
        writer.write(body[20:])
        await writer.drain()
        writer.close()

    async def on_headers(*_: Any) -> None:
        asyncio.get_running_loop().call_soon(begun.set)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(on_headers)
    async with recorder_of(serve, budget, trace) as recorder:
        assert await recorder.start(START) == Done(Started(SID))


async def test_a_body_without_an_end_is_cut(budget: Budget) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b'{"sid":"%s","more":"' % SID.encode())
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x" * 65_536)
                await writer.drain()
        writer.close()

    async with recorder_of(serve, budget, aiohttp.TraceConfig()) as recorder:
        outcome = await recorder.start(START)
    assert isinstance(outcome, Ambiguous)
    assert outcome.why.startswith("HTTP 200: not JSON")


async def test_a_connection_that_is_cut_gets_one_request(budget: Budget) -> None:
    heads = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with recorder_of(serve, budget, aiohttp.TraceConfig()) as recorder:
        assert isinstance(await recorder.query(QUERY), Ambiguous)
    assert len(heads) == len(budget.calls) == 1


@pytest.mark.parametrize(("after", "held"), [("7", 7.0), ("600", 60.0)])
async def test_after_a_429_nothing_goes_out_before_its_time(
    recorder: AgoraRecorder, budget: Budget, after: str, held: float
) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/acquire", status=429, headers={"Retry-After": after}, response_class=Response)
        later = await recorder.acquire(ACQUIRE)
    assert isinstance(later, RetryLater)
    assert later.after_ms == held * 1000
    assert later.failure.code is FailureCode.CAPACITY
    assert budget.holds == [held]


async def test_other_refusals_hold_nothing_back(recorder: AgoraRecorder, budget: Budget) -> None:
    with aioresponses() as mock:
        full = {"code": 406, "reason": "vendor_over_load"}
        mock.post(f"{BASE}/acquire", status=400, payload=full, headers={"Retry-After": "7"}, response_class=Response)
        mock.post(f"{BASE}/acquire", status=429, payload={}, response_class=Response)
        later = [await recorder.acquire(ACQUIRE) for _ in range(2)]
    assert [each.after_ms for each in later if isinstance(each, RetryLater)] == [7000, None]
    assert budget.holds == []


async def test_a_redirect_is_not_followed(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        url = f"{BASE}/resourceid/res/mode/mix/start"
        mock.post(url, status=302, headers={"Location": "https://else.test/"}, response_class=Response)
        outcome = await recorder.start(START)
    assert isinstance(outcome, Ambiguous)
    assert outcome.why.startswith("HTTP 302")


async def test_a_lost_acquire_is_simply_sent_again(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/acquire", exception=TimeoutError())
        later = await recorder.acquire(ACQUIRE)
    assert isinstance(later, RetryLater)
    assert later.failure.code is FailureCode.PROVIDER_UNAVAILABLE


async def test_without_a_place_in_the_budget_nothing_is_sent(recorder: AgoraRecorder, budget: Budget) -> None:
    budget.away = True
    with aioresponses() as mock:
        later = await recorder.start(START)
        assert not mock.requests
    assert isinstance(later, RetryLater)
    assert later.failure.code is FailureCode.INTERNAL


async def test_update_layout_and_sender_addresses_have_their_paths(client: AgoraClient, budget: Budget) -> None:
    session = f"{BASE}/resourceid/res/sid/{SID}/mode/mix"
    body = {"cname": "room", "uid": "42", "clientRequest": {}}
    with aioresponses() as mock:
        mock.post(f"{session}/update", payload={"sid": SID}, response_class=Response)
        mock.post(f"{session}/updateLayout", payload={"code": 2}, status=400, response_class=Response)
        mock.get("https://agora.test/v1/ncs/ip", payload={"data": {}}, response_class=Response)
        assert (await client.update("res", SID, body)).status == 200
        assert (await client.update_layout("res", SID, body)).code == 2
        assert (await client.sender_addresses()).body == {"data": {}}
    assert budget.calls == ["update", "updateLayout", "ncs_ip"]


async def test_ids_stay_inside_their_part_of_the_path(client: AgoraClient) -> None:
    with aioresponses() as mock:
        mock.get(f"{BASE}/resourceid/a%2F..%3Fb/sid/c%2Fd/mode/mix/query", payload={}, response_class=Response)
        assert (await client.query("a/..?b", "c/d")).status == 200


async def test_each_call_is_logged_once_without_secrets(recorder: AgoraRecorder) -> None:
    long = "r" * 300
    with capture_logs() as logs, aioresponses() as mock:
        path = f"{BASE}/resourceid/{long}/mode/mix/start"
        mock.post(path, payload={"code": 7}, status=201, headers={"X-Request-ID": "req-1"}, response_class=Response)
        mock.post(path, exception=TimeoutError())
        await recorder.start(replace(START, resource_id=long))
        await recorder.start(replace(START, resource_id=long))
    about = {"call": "start", "domain": "agora.test", "channel": "room", "uid": "42", "resource": "r" * 12}
    assert logs == [
        {"event": "agora.answered", "log_level": "info", "status": 201, "code": 7, "request": "req-1", **about},
        {"event": "agora.unanswered", "log_level": "warning", "why": "no answer: TimeoutError", **about},
    ]


@pytest.mark.parametrize(("max_duration_seconds", "token_seconds"), [(14_400, 18_000), (86_400, 86_400)])
async def test_with_a_certificate_the_recorder_gets_a_token_for_the_longest_recording(
    client: AgoraClient, max_duration_seconds: int, token_seconds: int
) -> None:
    app_id, certificate = "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"
    recorder = AgoraRecorder(client, LocalTarget(), app_id, certificate)
    spec = RecordingSpec(channel_name="room", max_duration_seconds=max_duration_seconds)
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", payload={"sid": SID}, response_class=Response)
        await recorder.start(replace(START, spec=spec))
        (body,) = bodies(mock)
    content = zlib.decompress(b64decode(body["clientRequest"]["token"][3:]))
    assert content.endswith(b"\x04\x00room\x02\x0042")
    join_alone = b"\x01\x00" * 4  # one service, of type 1, with one privilege, which is 1
    assert join_alone in content
    expire_at = content.index(app_id.encode()) + len(app_id) + 4
    assert int.from_bytes(content[expire_at : expire_at + 4], "little") == token_seconds


async def test_without_a_certificate_there_is_no_token(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", payload={"sid": SID}, response_class=Response)
        await recorder.start(START)
        (body,) = bodies(mock)
    assert "token" not in body["clientRequest"]


async def test_a_malformed_certificate_is_refused_before_the_call(client: AgoraClient) -> None:
    with aioresponses() as mock:
        assert isinstance(await AgoraRecorder(client, LocalTarget(), "app", "short").start(START), Rejected)
        assert not mock.requests
