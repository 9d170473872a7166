"""Single calls of the client: what goes out, and what becomes of what comes back."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
import pytest_asyncio
from aioresponses import aioresponses

from actors.domain.effects import AgoraAcquire, AgoraQuery, AgoraStart, AgoraStop
from actors.domain.ids import RecordingId
from actors.domain.model import RecordingSpec
from actors.domain.outcomes import Acquired, Ambiguous, Done, Rejected, RetryLater, Seen, Started, Stopped
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget

BASE = "https://agora.test/v1/apps/app/cloud_recording"
SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
NAMES: dict[str, Any] = {"recording_id": RecordingId("r"), "attempt": 1}
ACQUIRE = AgoraAcquire(channel_name="room", uid="42", **NAMES)
START = AgoraStart(
    channel_name="room", uid="42", resource_id="res", spec=RecordingSpec(channel_name="room"), prefix=("p",), **NAMES
)
QUERY = AgoraQuery(resource_id="res", sid=SID, **NAMES)
STOP = AgoraStop(channel_name="room", uid="42", resource_id="res", sid=SID, **NAMES)


class Response(aiohttp.ClientResponse):
    """aiohttp's response with the argument that the mock does not know of."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, stream_writer=Mock(), **named)


class Budget:
    def __init__(self) -> None:
        self.slots: list[bool] = []

    async def slot(self, priority: bool) -> None:
        self.slots.append(priority)


@pytest_asyncio.fixture
async def budget() -> Budget:
    return Budget()


@pytest_asyncio.fixture
async def recorder(budget: Budget) -> AsyncIterator[AgoraRecorder]:
    async with aiohttp.ClientSession() as session:
        account = AgoraAccount(base_url="https://agora.test", app_id="app", customer_id="id", customer_secret="secret")
        yield AgoraRecorder(AgoraClient(session, account, budget), LocalTarget(), "app")


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
    assert all(each["headers"]["Authorization"] == aiohttp.encode_basic_auth("id", "secret") for each in sent)
    assert all(each["headers"]["Content-Type"] == "application/json;charset=utf-8" for each in sent)
    assert budget.slots == [False, True, False, True]
    assert sent[3]["data"] == b'{"cname":"room","uid":"42","clientRequest":{"async_stop":false}}'
    assert sent[3]["timeout"].total == 30


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
    from dataclasses import replace

    with aioresponses() as mock:
        assert isinstance(await recorder.start(replace(START, prefix=("a-b",))), Rejected)
        assert not mock.requests
