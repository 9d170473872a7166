"""What the simulator refuses, in whose words, and in which order it looks (reference 1.5, 7, 12.3)."""

from typing import Any

import aiohttp
import pytest

from tests.fakes.studio import BASE, STORAGE, Clock, start_request
from tests.integration.conftest import Begin

GOOD = {"cname": "m-1", "uid": "77", "clientRequest": {}}


async def test_gateway_speaks_with_message_and_without_code(begin: Begin) -> None:
    account = {"app_id": "app", "customer_id": "customer", "customer_secret": "secret"}
    bench = await begin(now=lambda: 1_790_000_000.0, requests_per_second=2, **account)
    path = f"{BASE}/acquire"
    wrong = aiohttp.encode_basic_auth("customer", "other")
    bad = (401, {"message": "Invalid authentication credentials"})
    assert await bench.ask("POST", path, GOOD, auth=None) == (401, {"message": "Unauthorized"})
    for header in (wrong, "Basic", "Basic !!!", "Bearer x", "Basic " + "bm9jb2xvbg=="):
        assert await bench.ask("POST", path, GOOD, auth=header) == bad
    other = "/v1/apps/other/cloud_recording/acquire"
    assert await bench.ask("POST", other, GOOD) == (400, {"message": "appid is invalid"})
    no_route = (404, {"message": "no Route matched with those values"})
    assert await bench.ask("GET", path) == no_route
    assert await bench.ask("POST", f"{BASE}/resourceid/r/sid/s/mode/mix/updatelayout", GOOD) == no_route
    for _ in range(2):
        assert (await bench.ask("POST", path, GOOD))[0] == 200
    assert await bench.ask("POST", path, GOOD) == (429, {"message": "API rate limit exceeded"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 2),
        ([], 2),
        ({**GOOD, "uid": 77}, 2),
        ({**GOOD, "uid": "0"}, 2),
        ({**GOOD, "uid": "4294967296"}, 2),
        ({"cname": "m-1", "uid": "77"}, 2),
        ({**GOOD, "cname": "müll"}, 401),
        ({**GOOD, "cname": "c" * 65}, 401),
        ({**GOOD, "clientRequest": {"scene": "0"}}, 2),
        ({**GOOD, "clientRequest": {"resourceExpiredHour": 721}}, 2),
    ],
)
async def test_acquire_refuses(begin: Begin, body: Any, code: int) -> None:
    bench = await begin()
    status, told = await bench.ask("POST", f"{BASE}/acquire", body)
    assert (status, told["code"]) == (400, code)
    assert isinstance(told["reason"], str)


@pytest.mark.parametrize(
    "changes",
    [
        {"recording": {"channelType": "1"}},
        {"recording": {"maxIdleTime": 4}},
        {"recording": {"subscribeVideoUids": ["#allstream#"]}},
        {"recording": {"subscribeAudioUids": ["host"]}},
        {"recording": {"transcodingConfig": {"width": 1920, "height": 1920}}},
        {"outputs": ["mp4"]},
        {"storageConfig": None},
        {"storageConfig": {**STORAGE, "fileNamePrefix": ["a-b"]}},
        {"storageConfig": {**STORAGE, "fileNamePrefix": ["a" * 128]}},
        {"recordingConfig": None},
    ],
)
async def test_start_refuses_and_nothing_runs(begin: Begin, changes: dict[str, Any]) -> None:
    bench = await begin()
    status, told = await bench.begin(await bench.acquire(), **changes)
    assert (status, told["code"]) == (400, 2)
    assert (await bench.ask("GET", "/_simulator/sessions"))[1] == {"items": []}


async def test_resource_is_single_use_young_and_of_its_names(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock)
    assert refusal(await bench.begin("nonsense")) == (400, 1001)
    resource = await bench.acquire()
    assert refusal(await bench.begin(resource, uid="78")) == (400, 432)
    assert refusal(await bench.begin(resource, cname="m-2")) == (400, 432)
    old = await bench.acquire("m-2", "78")
    clock.ahead = 301
    assert refusal(await bench.begin(old, "m-2", "78")) == (400, 433)
    take = await bench.record()
    assert await bench.begin(take.resource) == (201, {"code": 7, "reason": "already started"})
    assert refusal(await bench.begin(await bench.acquire())) == (400, 53)
    assert (await bench.begin(await bench.acquire(uid="79"), uid="79"))[0] == 200
    await take.has_slices(1)
    await take.stop()
    assert refusal(await bench.begin(take.resource)) == (400, 433)


async def test_recorders_are_limited(begin: Begin) -> None:
    bench = await begin(max_recorders=1)
    take = await bench.record()
    status, told = await bench.ask("POST", f"{BASE}/acquire", GOOD)
    assert (status, told) == (400, {"code": 406, "reason": "vendor_over_load"})
    await take.stop()
    await bench.acquire()


async def test_stop_and_query_after_the_end(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock)
    take = await bench.record()
    await take.has_slices(1)
    assert (await take.stop())[0] == 200
    assert await take.stop() == (400, {"code": 49, "reason": "invalid operation"})
    clock.ahead = 60
    gone = (404, {"code": 404, "reason": "failed to find worker"})
    assert await take.stop() == gone
    assert await take.query() == gone
    update = {"cname": "m-1", "uid": "77", "clientRequest": {}}
    assert await bench.ask("POST", f"{take.path}/updateLayout", update) == gone


async def test_update_and_layout_of_a_running_session(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record()
    names = {"cname": "m-1", "uid": "77", "resourceId": take.resource, "sid": take.sid}
    body = {"cname": "m-1", "uid": "77", "clientRequest": {"mixedVideoLayout": 1}}
    assert await bench.ask("POST", f"{take.path}/updateLayout", body) == (200, names)
    assert await bench.ask("POST", f"{take.path}/update", {**body, "clientRequest": {}}) == (200, names)
    for call, wrong in (
        ("updateLayout", {"backgroundColor": "red"}),
        ("update", {"streamSubscribe": {"audioUidList": {"subscribeAudioUids": ["me"]}}}),
        ("update", {"streamSubscribe": {"videoUidList": {"subscribeVideoUids": ["1"]}}}),
    ):
        assert refusal(await bench.ask("POST", f"{take.path}/{call}", {**body, "clientRequest": wrong})) == (400, 2)
    other = {**body, "uid": "78"}
    assert refusal(await bench.ask("POST", f"{take.path}/updateLayout", other)) == (400, 432)
    for call in ("update", "updateLayout"):
        await bench.ask("PUT", "/_simulator/faults", {f"{call}.code_65": 1})
        assert refusal(await bench.ask("POST", f"{take.path}/{call}", body)) == (206, 65)


async def test_an_update_replaces_what_it_names(begin: Begin) -> None:
    first = await begin()
    secret = {"decryptionMode": 1, "secret": "hush"}
    take = await first.record(recording={"unSubscribeAudioUids": ["5"], **secret})

    async def updated(call: str, **wanted: Any) -> None:
        body = {"cname": "m-1", "uid": "77", "clientRequest": wanted}
        assert (await first.ask("POST", f"{take.path}/{call}", body))[0] == 200

    await updated("updateLayout", mixedVideoLayout=1, backgroundColor="#112233")
    await updated("updateLayout", mixedVideoLayout=2, maxResolutionUid="9")
    await updated("update", streamSubscribe={"audioUidList": {"subscribeAudioUids": ["1"]}})
    await updated("update", streamSubscribe={})
    await first.stop()
    shown = await (await begin()).shown(take.sid)
    assert shown["recordingConfig"] == {
        "channelType": 1,
        "streamTypes": 0,
        "maxIdleTime": 300,
        "decryptionMode": 1,
        "subscribeAudioUids": ["1"],
        "transcodingConfig": {"mixedVideoLayout": 2, "maxResolutionUid": "9"},
    }
    assert shown["recordingFileConfig"] == {"avFileType": ["hls", "mp4"]}


async def test_session_that_never_comes_up_has_nothing(begin: Begin) -> None:
    bench = await begin(faults={"session.never_active": 1})
    take = await bench.record()
    status, told = await take.query()
    assert (status, told["serverResponse"]["status"]) == (200, 3)
    assert refusal(await take.stop()) == (206, 435)


async def test_sender_addresses_and_modes(begin: Begin) -> None:
    bench = await begin()
    status, told = await bench.ask("GET", "/v1/ncs/ip")
    assert (status, told["data"]["service"]["hosts"]) == (200, [{"primaryIP": "127.0.0.1"}])
    body = {"cname": "m-1", "uid": "77", "clientRequest": start_request()}
    path = f"{BASE}/resourceid/{await bench.acquire()}/mode/composite/start"
    assert refusal(await bench.ask("POST", path, body)) == (400, 2)


def refusal(answer: tuple[int, Any]) -> tuple[int, int]:
    return answer[0], answer[1]["code"]
