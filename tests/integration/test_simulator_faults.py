"""Trouble on order: what was done although the answer was lost, and what was not (api.md 7)."""

from typing import Any

import aiohttp
import pytest

from clients.agora.simulator import gateway
from tests.fakes.studio import BASE, Bench
from tests.integration.conftest import Begin
from tests.waiting import eventually


async def sessions(bench: Bench) -> list[dict[str, Any]]:
    return list((await bench.ask("GET", "/_simulator/sessions"))[1]["items"])


async def test_lost_answer_left_a_recorder_behind_and_code_7_proves_it(begin: Begin) -> None:
    bench = await begin(faults={"start.answer_lost": 1})
    resource = await bench.acquire()
    with pytest.raises(aiohttp.ClientError):
        await bench.begin(resource)
    await bench.ask("PUT", "/_simulator/faults", {})
    assert await bench.begin(resource) == (201, {"code": 7, "reason": "already started"})
    assert [item["uid"] for item in await sessions(bench)] == ["77"]


async def test_lost_request_did_nothing(begin: Begin) -> None:
    bench = await begin(faults={"start.request_lost": 1})
    resource = await bench.acquire()
    with pytest.raises(aiohttp.ClientError):
        await bench.begin(resource)
    assert await sessions(bench) == []
    await bench.ask("PUT", "/_simulator/faults", {})
    assert (await bench.begin(resource))[0] == 200


async def test_lost_answer_of_a_stop_stopped(begin: Begin) -> None:
    bench = await begin(faults={"stop.answer_lost": 1})
    take = await bench.record()
    await take.has_slices(1)
    with pytest.raises(aiohttp.ClientError):
        await take.stop()
    assert (await bench.shown(take.sid))["exitReason"] == "stopped"
    assert len(take.slices()) >= 1
    await bench.ask("PUT", "/_simulator/faults", {})
    assert (await take.stop())[1]["code"] == 49


@pytest.mark.parametrize(
    ("fault", "status", "told", "runs"),
    [
        ("http_429", 429, {"message": "API rate limit exceeded"}, False),
        ("http_500", 500, {"code": 500, "reason": "internal_error"}, False),
        ("http_503", 503, {"message": "service unavailable"}, False),
        ("garbage", 200, ["what", {"is": "this"}], True),
        ("code_7", 201, {"code": 7, "reason": "already started"}, True),
        ("code_53", 400, {"code": 53, "reason": "task conflict"}, True),
        ("code_433", 400, {"code": 433, "reason": "resource expired"}, False),
    ],
)
async def test_answers_that_faults_put_in_place(begin: Begin, fault: str, status: int, told: Any, runs: bool) -> None:
    bench = await begin(faults={f"start.{fault}": 1})
    assert await bench.begin(await bench.acquire()) == (status, told)
    assert bool(await sessions(bench)) is runs
    _, info = await bench.ask("GET", "/_simulator/info")
    assert info["fired"] == {f"start.{fault}": 1}


async def test_late_request_is_done_after_all_and_a_slow_one_is_answered(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "LATE_SECONDS_MAX", 0.1)
    monkeypatch.setattr(gateway, "SLOW_SECONDS", (0.05, 0.1))
    bench = await begin(faults={"start.late": 1, "query.slow": 1})
    with pytest.raises(aiohttp.ClientError):
        await bench.begin(await bench.acquire())

    async def done() -> list[dict[str, Any]]:
        return await sessions(bench)

    (item,) = await eventually(done)
    path = f"{BASE}/resourceid/{item['resourceId']}/sid/{item['sid']}/mode/mix/query"
    assert (await bench.ask("GET", path))[0] == 200


async def test_bad_gateway_is_html(begin: Begin) -> None:
    bench = await begin(faults={"query.http_502_html": 1})
    status, told = await (await bench.record()).query()
    assert status == 502
    assert "<html>" in told


async def test_running_session_is_not_found(begin: Begin) -> None:
    bench = await begin(faults={"query.http_404": 1})
    take = await bench.record()
    assert (await take.query())[1]["code"] == 404
    await bench.ask("PUT", "/_simulator/faults", {})
    assert (await take.query())[0] == 200


@pytest.mark.parametrize(("code", "status"), [(49, 400), (50, 500), (435, 206)])
async def test_stop_that_is_answered_with_a_code_has_stopped(begin: Begin, code: int, status: int) -> None:
    bench = await begin(faults={f"stop.code_{code}": 1})
    take = await bench.record()
    await take.has_slices(1)
    answer = await take.stop()
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert (await bench.shown(take.sid))["exitReason"] == "stopped"


async def test_code_65_is_done_or_not(begin: Begin) -> None:
    bench = await begin(faults={"start.code_65": 1}, seed=1)
    for number in range(8):
        uid = str(100 + number)
        status, told = await bench.begin(await bench.acquire(uid=uid), uid=uid)
        assert (status, told) == (206, {"code": 65, "reason": "request not completed"})
    assert 0 < len(await sessions(bench)) < 8


async def test_slice_and_movie_are_missing_though_they_are_listed(begin: Begin) -> None:
    bench = await begin(faults={"storage.slice_missing": 1, "storage.mp4_missing": 1})
    take = await bench.record()
    await take.has_slices(1)
    assert (await take.stop())[0] == 200
    assert "#EXTINF" in take.file(".m3u8").read_text()
    assert take.slices() == []
    assert not list(bench.root.rglob("*.mp4"))


async def test_session_dies_without_a_word_or_is_driven_out(begin: Begin) -> None:
    bench = await begin(faults={"session.dies": 1})
    dead = await bench.record()
    await bench.ask("PUT", "/_simulator/faults", {"session.evicted": 1})
    driven = await bench.record("m-2")
    await bench.stop()
    later = await begin(ahead=30.0)
    assert (await later.shown(dead.sid))["exitReason"] == "died"
    shown = await later.shown(driven.sid)
    assert shown["exitReason"] == "same uid joined"
    await later.has_files(f"{driven.sid}*.mp4")
    assert not list(later.root.rglob(f"{dead.sid}*.mp4"))


async def test_late_slice_comes_in_the_end(begin: Begin) -> None:
    bench = await begin(faults={"storage.slice_late": 1})
    take = await bench.record()
    await take.has_slices(1)
    await take.stop()
    listed = take.file(".m3u8").read_text().count("#EXTINF")
    assert len(take.slices()) < listed
    await bench.stop()
    later = await begin(ahead=60.0)
    await later.has_files(f"{take.sid}*.ts")
    assert listed >= 1
