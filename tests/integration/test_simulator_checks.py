"""What belongs together: resources, their apps and scenes, sessions and their names; and how long they are told of."""

from typing import Any

import pytest

from tests.fakes.studio import BASE, Bench, Clock, Take, start_request
from tests.integration.conftest import Begin

OTHER_APP = "/v1/apps/other/cloud_recording"


async def acquired(bench: Bench, request: dict[str, Any]) -> str:
    body = {"cname": "m-1", "uid": "77", "clientRequest": request}
    status, told = await bench.ask("POST", f"{BASE}/acquire", body)
    assert status == 200
    return str(told["resourceId"])


async def stopped(take: Take, path: str, **changes: str) -> tuple[int, Any]:
    body = {"cname": take.cname, "uid": take.uid, "clientRequest": {}, **changes}
    return await take.bench.ask("POST", f"{path}/stop", body)


@pytest.mark.parametrize("scene", [1, 2])
async def test_scene_of_the_resource_fits_the_mode(begin: Begin, scene: int) -> None:
    bench = await begin()
    status, told = await bench.begin(await acquired(bench, {"scene": scene}))
    assert (status, told["code"]) == (400, 2)
    assert "scene" in told["reason"]


async def test_start_is_what_was_announced(begin: Begin) -> None:
    bench = await begin()
    announced = {"startParameter": start_request()}
    status, told = await bench.begin(await acquired(bench, announced), outputs=["hls"])
    assert (status, told["code"]) == (400, 2)
    assert "request_hash mismatch!" in told["reason"]
    assert (await bench.begin(await acquired(bench, announced)))[0] == 200


async def test_session_is_told_of_under_its_own_resource_app_and_names_only(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record()
    other = await bench.record("m-2", "78")
    known = f"/resourceid/{take.resource}/sid/{take.sid}/mode"
    for path, refusal in (
        (f"{BASE}/resourceid/nonsense/sid/{take.sid}/mode/mix", (400, 1001)),
        (f"{BASE}/resourceid/{other.resource}/sid/{take.sid}/mode/mix", (400, 1003)),
        (f"{OTHER_APP}{known}/mix", (400, 1003)),
        (f"{BASE}{known}/individual", (400, 2)),
        (f"{BASE}/resourceid/{take.resource}/sid/{'0' * 32}/mode/mix", (404, 404)),
    ):
        for answer in (await bench.ask("GET", f"{path}/query"), await stopped(take, path)):
            assert (answer[0], answer[1]["code"]) == refusal, path
    for changes in ({"cname": "m-2"}, {"uid": "78"}):
        status, told = await stopped(take, take.path, **changes)
        assert (status, told["code"]) == (400, 432)
    assert (await take.query())[0] == 200


async def test_nothing_is_told_once_the_resource_has_expired(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock)
    resource = await acquired(bench, {"resourceExpiredHour": 1})
    _, told = await bench.begin(resource)
    take = Take(bench, resource, told["sid"], "m-1", "77")
    clock.ahead = 3_500
    assert (await take.query())[0] == 200
    clock.ahead = 3_602
    assert (await take.query())[1]["code"] == 404
    assert (await take.stop())[1]["code"] == 404
    assert (await bench.shown(take.sid))["endedAt"] is None  # the recording itself is not ended by it


async def test_each_app_has_its_own_rate(begin: Begin) -> None:
    bench = await begin(requests_per_second=2, now=lambda: 1_790_000_000.0)
    body = {"cname": "m-1", "uid": "77", "clientRequest": {}}
    for base in (BASE, OTHER_APP):
        answers = [(await bench.ask("POST", f"{base}/acquire", body))[0] for _ in range(3)]
        assert answers == [200, 200, 429]


async def test_requests_are_remembered_across_a_death(begin: Begin) -> None:
    first = await begin(faults={"start.answer_lost": 0.0})
    take = await first.record()
    await first.stop()
    second = await begin()
    take.bench = second
    await take.query()
    _, told = await second.ask("GET", "/_simulator/requests")
    assert [item["call"] for item in told["items"]] == ["query", "start", "acquire"]
    assert (await second.ask("GET", "/_simulator/requests?limit=%C2%B2"))[0] == 400
