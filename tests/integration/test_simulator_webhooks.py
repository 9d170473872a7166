"""Notifications as they come over the wire: signed, numbered, in disorder, again when they are refused (reference 9)."""

import hashlib
import hmac
from typing import Any

import pytest

from clients.agora.simulator import webhooks
from tests.fakes.studio import Bench, Clock, Receiver
from tests.integration.conftest import Begin
from tests.waiting import eventually

Hook = tuple[Receiver, str]


async def whole_recording(bench: Bench, hook: Receiver) -> str:
    take = await bench.record()
    await take.has_slices(1)
    await take.stop()
    await hook.has(take.sid, 40, 42, 4, 41, 30, 31, 11)
    return take.sid


def signature(body: bytes, digest: Any, secret: bytes = b"hush") -> str:
    return hmac.new(secret, body, digest).hexdigest()


async def test_envelope_and_signatures(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    sid = await whole_recording(await begin(webhook_url=url), hook)
    for body, headers in hook.posts:
        assert headers["Agora-Signature"] == signature(body, hashlib.sha1)
        assert headers["Agora-Signature-V2"] == signature(body, hashlib.sha256)
        assert headers["Content-Type"] == "application/json"
    events = hook.events()
    assert sorted(event["payload"]["sequence"] for event in events) == list(range(len(events)))
    for event in events:
        payload = event["payload"]
        assert (event["productId"], event["sid"]) == (3, sid)
        assert (payload["cname"], payload["uid"], payload["sid"]) == ("m-1", "77", sid)
        assert payload["details"]["msgName"]
    by_type = {event["eventType"]: event["payload"] for event in events}
    assert by_type[4]["details"]["fileList"] == f"{sid}_m-1.m3u8"
    assert by_type[41]["details"]["leaveCode"] == 24
    assert [item["fileName"] for item in by_type[31]["details"]["fileList"]] == [
        f"{sid}_m-1.m3u8",
        f"{sid}_m-1_0.mp4",
    ]
    assert hook.types().index(11) < hook.types().index(31)
    assert hook.types().index(4) < hook.types().index(42)


async def test_short_recording_tells_of_its_playlist_too(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url, slice_seconds=60)
    take = await bench.record()

    async def is_up() -> bool:
        return bool((await take.query())[1]["serverResponse"]["status"] == 4)

    await eventually(is_up)
    assert (await take.stop())[0] == 200
    await hook.has(take.sid, 40, 42, 4, 41, 30, 31, 11)


async def test_refused_post_comes_again_under_the_same_id(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    hook.statuses = {40: [500, 201]}
    bench = await begin(webhook_url=url)
    take = await bench.record()

    async def thrice() -> bool:
        return hook.types(take.sid).count(40) == 3

    await eventually(thrice)
    posts = [event for event in hook.events() if event["eventType"] == 40]
    assert len({event["noticeId"] for event in posts}) == 1
    assert len({event["payload"]["sequence"] for event in posts}) == 1
    assert posts[0]["notifyMs"] < posts[2]["notifyMs"]


async def test_lost_doubled_and_badly_signed(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url, faults={"webhook.lost": 1})
    lost = await bench.record("m-0")
    await lost.has_slices(1)
    await bench.ask("PUT", "/_simulator/faults", {"webhook.doubled": 1, "webhook.bad_signature": 1})
    sid = await whole_recording(bench, hook)
    assert 40 not in hook.types(lost.sid)

    async def doubled() -> bool:
        return hook.types(sid).count(11) == 2

    await eventually(doubled)
    assert len({event["noticeId"] for event in hook.events(sid) if event["eventType"] == 11}) == 1
    body, headers = hook.posts[0]
    assert headers["Agora-Signature-V2"] != signature(body, hashlib.sha256)


async def test_reordered_and_late_ones_are_kept_until_they_are_sent(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url, faults={"webhook.late": 1, "webhook.reordered": 1})
    take = await bench.record()
    await take.has_slices(1)
    await take.stop()
    await bench.stop()
    await begin(webhook_url=url, ahead=60)
    await hook.has(take.sid, 40, 42, 4, 41, 30, 31, 11)


async def test_what_waits_survives_a_start_without_a_receiver(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    first = await begin(webhook_url=url, faults={"webhook.late": 1})
    take = await first.record()
    await take.has_slices(1)
    await first.stop()
    second = await begin(webhook_url=None)
    await second.stop()
    await begin(webhook_url=url, ahead=60)
    await hook.has(take.sid, 40, 42)


async def test_given_up_after_four_posts(begin: Begin, receiver: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "GAPS_MS", (0, 10, 20))
    hook, url = receiver
    hook.statuses = {40: [503] * 9}
    take = await (await begin(webhook_url=url)).record()

    async def four() -> bool:
        return hook.types(take.sid).count(40) == 4

    await eventually(four)
    await take.has_slices(1)
    await take.stop()
    await hook.has(take.sid, 4, 42, 41, 30, 31, 11)
    assert hook.types(take.sid).count(40) == 4


async def test_progress_each_minute(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock, slice_seconds=15)
    take = await bench.record()
    for _ in range(2):
        clock.ahead += 61
        await bench.ask("PUT", "/_simulator/channels/m-1", {"users": ["5"]})
        seen = hook.types(take.sid).count(33)

        async def one_more(seen: int = seen) -> bool:
            return hook.types(take.sid).count(33) > seen

        await eventually(one_more)
    assert hook.types(take.sid).count(33) == 2
