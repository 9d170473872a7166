"""The fault `session.failover`: the machine is lost, and another goes on with its own uid and files (reference 4.3, 7.5)."""

from typing import Any

import av
import pytest

from clients.agora.simulator import service
from tests.fakes.studio import RATE, Bench, Clock, Receiver, Take, samples_of, seconds_heard
from tests.integration.conftest import Begin
from tests.waiting import eventually

Hook = tuple[Receiver, str]
LOST_MS, GAP_MS = 4_000, 60_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is lost after 4 s, and the next one joins a minute later."""
    monkeypatch.setattr(service, "DOOM_MS", (LOST_MS, LOST_MS))
    monkeypatch.setattr(service, "GAP_MS", (GAP_MS, GAP_MS))


async def lost(take: Take) -> str:
    """Wait until the machine is lost; the next recorder's uid."""

    async def another() -> str | None:
        uid = str((await take.bench.shown(take.sid))["uid"])
        return None if uid == take.uid else uid

    return await eventually(another) or ""


async def leap(bench: Bench, clock: Clock, ahead_ms: int, users: list[str]) -> None:
    """Let the time pass; that somebody is put into the channel makes its session look at the clock."""
    clock.ahead = ahead_ms / 1000
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": users})


async def moved(bench: Bench, clock: Clock, **request: Any) -> tuple[Take, str]:
    """A session whose second recorder has captured a slice, and that one's uid."""
    take = await bench.record(**request)
    await take.has_slices(1)
    await leap(bench, clock, LOST_MS, ["1001"])
    uid = await lost(take)
    await leap(bench, clock, LOST_MS + GAP_MS, ["1001"])
    await bench.has_files(f"bak0_{take.sid}*.ts")
    return take, uid


async def test_another_recorder_goes_on(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock, faults={"session.failover": 1})
    take, uid = await moved(bench, clock)
    assert (await take.query())[1]["serverResponse"]["status"] == 5
    status, told = await take.stop()
    assert (status, told["sid"], told["uid"]) == (200, take.sid, "77")
    stem = f"{take.sid}_m-1"
    names = [item["fileName"] for item in told["serverResponse"]["fileList"]]
    assert names == [f"{stem}.m3u8", f"bak0_{stem}.m3u8", f"bak0_{stem}_0.mp4"]
    await hook.has(take.sid, 12, 31, 11)
    events = hook.events(take.sid)
    (failover,) = [event for event in events if event["eventType"] == 12]
    assert failover["payload"]["details"] == {"msgName": "session_failover", "newUid": int(uid)}
    assert failover["notifyMs"] >= failover["payload"]["sendts"]  # it is told by the one that goes on
    for event_type in (40, 42, 4):
        assert {e["payload"]["uid"] for e in events if e["eventType"] == event_type} == {"77", uid}
    assert {e["payload"]["uid"] for e in events if e["eventType"] in (12, 41, 31, 11)} == {uid}


async def test_what_the_lost_machine_had_not_uploaded_is_lost(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, faults={"session.failover": 1})
    take, _ = await moved(bench, clock)
    before_it = sum(name.endswith(".ts") for name in (await bench.shown(take.sid))["files"])
    await take.has_slices(before_it + 1)  # long enough to hold a whole second
    _, told = await take.stop()
    before, after, _ = told["serverResponse"]["fileList"]
    assert "ENDLIST" not in (bench.root / "p" / "q" / before["fileName"]).read_text()
    assert "ENDLIST" in (bench.root / "p" / "q" / after["fileName"]).read_text()
    assert after["sliceStartTime"] == before["sliceStartTime"] + LOST_MS + GAP_MS
    first = samples_of(*sorted(bench.root.rglob(f"{take.sid}*.ts")))
    slices = sorted(bench.root.rglob(f"bak0_{take.sid}*.ts"))
    second = samples_of(*slices)
    with av.open(str(slices[0])) as container:  # its times begin anew
        assert container.start_time / av.time_base < 1
    assert len(first) / RATE == pytest.approx(LOST_MS // 1000 - 1, abs=1.1)
    assert seconds_heard(second, after["sliceStartTime"] / 1000)
    (movie,) = bench.root.rglob("*.mp4")
    assert len(samples_of(movie)) == len(second)


async def test_nobody_is_found_in_between_though_it_lives_on(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, list_lag_seconds=0.0, faults={"session.failover": 1})
    take = await bench.record()
    await take.has_slices(1)
    await leap(bench, clock, LOST_MS, ["1001"])
    uid = await lost(take)
    for answer in (await take.query(), await take.stop()):
        assert (answer[0], answer[1]["code"]) == (404, 404)
    path = "/dev/v1/channel/user/app/m-1"
    assert (await bench.ask("GET", path))[1]["data"]["users"] == [1001]
    assert (await bench.begin(take.resource))[1]["code"] == 7
    await leap(bench, clock, LOST_MS + GAP_MS, ["1001"])
    assert (await take.query())[0] == 200
    assert (await bench.ask("GET", path))[1]["data"]["audience"] == [int(uid)]
    assert (await bench.shown(take.sid))["endedAt"] is None


async def test_rule_for_the_old_uid_misses_the_new_one(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, rule_delay_seconds=0.0, faults={"session.failover": 1})
    take, uid = await moved(bench, clock)
    rule = {"appid": "app", "cname": "m-1", "privileges": ["join_channel"]}
    await bench.ask("POST", "/dev/v1/kicking-rule", {**rule, "uid": 77})
    assert (await (await bench.record(uid="78")).query())[0] == 200
    assert (await take.query())[0] == 200
    await bench.ask("POST", "/dev/v1/kicking-rule", {**rule, "uid": int(uid)})

    async def out() -> bool:
        return (await bench.shown(take.sid))["exitReason"] == "banned"

    await eventually(out)


async def test_move_and_end_while_the_simulator_was_dead(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    first = await begin(webhook_url=url, people_seconds=80.0, faults={"session.failover": 1})
    take = await first.record(recording={"maxIdleTime": 5})
    await take.has_slices(1)
    await first.stop()
    second = await begin(webhook_url=url, people_seconds=80.0, ahead=100.0)
    await second.has_files(f"bak0_{take.sid}*.mp4")
    shown = await second.shown(take.sid)
    assert shown["exitReason"] == "idle"
    await hook.has(take.sid, 12, 41, 31, 11)
    assert sum(name.endswith(".m3u8") for name in shown["files"]) == 2


async def test_end_in_between_leaves_the_first_files_alone(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock, faults={"session.failover": 1})
    take = await bench.record(recording={"maxIdleTime": 5})
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": []})
    await take.has_slices(1)
    await leap(bench, clock, 10_000, [])
    await hook.has(take.sid, 41, 31, 11)
    told = next(e["payload"]["details"] for e in hook.events(take.sid) if e["eventType"] == 31)
    assert [item["fileName"] for item in told["fileList"]] == [f"{take.sid}_m-1.m3u8"]
    assert not list(bench.root.rglob("*.mp4"))
    assert [e["payload"]["uid"] for e in hook.events(take.sid) if e["eventType"] == 40] == ["77"]


async def test_machine_is_lost_at_its_time_whatever_else_happens(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "DOOM_MS", (1_000, 1_000))
    bench = await begin(slice_seconds=60.0, faults={"session.failover": 1})
    assert await lost(await bench.record()) != "77"
