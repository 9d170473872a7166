"""Notifications about people, misfit calls and storage in trouble (reference 9.4, 9.5)."""

from typing import Any

from tests.fakes.studio import Clock, Receiver
from tests.integration.conftest import Begin
from tests.waiting import eventually

Hook = tuple[Receiver, str]


def details(hook: Receiver, sid: str, *types: int) -> list[dict[str, Any]]:
    """What events of these types say, by the order of their happening."""
    found = [event["payload"] for event in hook.events(sid) if event["eventType"] in types]
    return [payload["details"] for payload in sorted(found, key=lambda payload: payload["sequence"])]


async def test_people_are_told_as_they_come_and_go(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url)
    take = await bench.record()
    await hook.has(take.sid, 40, 43)
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": ["1001", "5"]})

    async def everything() -> bool:
        return hook.types(take.sid).count(43) == 4

    await eventually(everything)
    told = [(item["streamUid"], item["state"]) for item in details(hook, take.sid, 43)]
    assert told == [(1001, 0), (1002, 0), (1002, 1), (5, 0)]
    await take.has_slices(1)
    await take.stop()
    await hook.has(take.sid, 41, 31)
    told = [(item["streamUid"], item["state"]) for item in details(hook, take.sid, 43)]
    assert told[4:] == [(1001, 1), (5, 1)]
    assert 44 not in hook.types(take.sid)
    assert hook.types(take.sid).index(41) < len(hook.types(take.sid)) - 1 - hook.types(take.sid)[::-1].index(43)


async def test_pictures_are_told_too(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url)
    picture = {"width": 64, "height": 48, "fps": 1, "bitrate": 100}
    take = await bench.record(recording={"streamTypes": 2, "transcodingConfig": picture})
    await hook.has(take.sid, 40, 43, 44)


async def test_calls_that_do_not_fit_are_told(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url)
    take = await bench.record()
    await take.has_slices(1)
    assert (await bench.begin(take.resource))[1]["code"] == 7
    await take.stop()
    assert (await take.stop())[1]["code"] == 49

    async def twice() -> bool:
        return hook.types(take.sid).count(3) == 2

    await eventually(twice)
    first, second = details(hook, take.sid, 3)
    assert (first["status"], first["recordingMode"], first["fileList"]) == (5, 1, f"{take.sid}_m-1.m3u8")
    assert second["status"] == 7


async def test_progress_each_minute_never_falls(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock)
    take = await bench.record()
    for minutes in (1, 2):
        await take.has_slices(1)
        clock.ahead = 61.0 * minutes
        await bench.ask("PUT", "/_simulator/channels/m-1", {"users": ["1001"]})  # makes it look at the clock

        async def told(count: int = minutes) -> bool:
            return hook.types(take.sid).count(33) == count

        await eventually(told)
    first, second = (item["progress"] for item in details(hook, take.sid, 33))
    assert 9_000 < first <= second < 10_000


async def test_backup_cloud_is_told_and_its_slices_follow(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url, faults={"storage.backup": 1})
    take = await bench.record()
    await take.has_slices(2)
    status, told = await take.stop()
    assert (status, told["serverResponse"]["uploadingStatus"]) == (200, "backuped")
    assert take.slices() == []
    await hook.has(take.sid, 30, 32, 11)
    assert 31 not in hook.types(take.sid)
    listed = take.file(".m3u8").read_text().count("#EXTINF")
    await bench.stop()
    later = await begin(webhook_url=url, ahead=90.0)

    async def all_there() -> bool:
        return len(list(later.root.rglob(f"{take.sid}*.ts"))) == listed

    await eventually(all_there)


async def test_backup_that_never_ends(begin: Begin) -> None:
    bench = await begin(faults={"storage.backup_forever": 1})
    take = await bench.record()
    await take.has_slices(1)
    assert (await take.stop())[1]["serverResponse"]["uploadingStatus"] == "backuped"
    await bench.stop()
    later = await begin(ahead=90.0)
    assert not list(later.root.rglob(f"{take.sid}*.ts"))
    assert (await later.shown(take.sid))["status"] == 8


async def test_storage_that_takes_nothing_ends_the_session(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url, leaving_seconds=0.0, faults={"storage.denied": 1})
    take = await bench.record()
    await hook.has(take.sid, 1, 41, 11)
    assert (await bench.shown(take.sid))["exitReason"] == "storage refused"
    assert {31, 32} & set(hook.types(take.sid)) == set()
    (trouble,) = details(hook, take.sid, 1)
    assert (trouble["module"], trouble["errorCode"], trouble["errorLevel"]) == (1, 47, 5)
    assert details(hook, take.sid, 11)[0]["exitStatus"] == 1
    assert (await take.query())[1]["code"] == 404
    assert not [path for path in bench.root.rglob(f"{take.sid}*") if path.is_file()]


async def test_storage_that_refuses_at_the_stop_leaves_an_empty_list(begin: Begin) -> None:
    bench = await begin(slice_seconds=60, faults={"storage.denied": 1})
    take = await bench.record(outputs=["hls"])

    async def is_up() -> bool:
        return bool((await take.query())[1]["serverResponse"]["status"] == 4)

    await eventually(is_up)
    status, told = await take.stop()
    assert status == 200
    assert told["serverResponse"] == {"fileListMode": "string", "fileList": "", "uploadingStatus": "backuped"}
