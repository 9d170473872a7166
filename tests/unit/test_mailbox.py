"""Two lanes, bounded, nothing twice."""

import asyncio

import pytest

from actors.domain.commands import Accepted, Notice, ProviderReported, StopRecording, Wake
from actors.domain.ids import NoticeId, RecordingId
from actors.domain.model import Actor, ActorKind
from actors.errors import Draining, MailboxFull
from actors.mailbox import Answer, Envelope, Mailbox

STOP = StopRecording(by=Actor(ActorKind.USER, "u"))


def notice(notice_id: str) -> ProviderReported:
    return ProviderReported(
        Notice(notice_id=NoticeId(notice_id), event_type=40, sid="s", uid="1", cname="c", sequence=0, at_ms=0)
    )


def asked() -> Envelope:
    return Envelope(STOP, None, asyncio.get_running_loop().create_future())


async def test_facts_overtake_users_and_keep_their_order() -> None:
    box = Mailbox(10)
    first = asked()
    box.put_user(first)
    box.put_fact(notice("a"))
    box.put_fact(notice("b"))
    taken = [box.take(), box.take(), box.take(), box.take()]
    assert [item and item.command for item in taken] == [notice("a"), notice("b"), STOP, None]


async def test_a_full_lane_refuses_at_once_and_facts_still_come_in() -> None:
    box = Mailbox(1)
    box.put_user(asked())
    with pytest.raises(MailboxFull):
        box.put_user(asked())
    box.put_fact(Wake())
    assert len(box) == 2


async def test_a_wake_up_or_a_notice_is_queued_once() -> None:
    box = Mailbox(1)
    for _ in range(3):
        box.put_fact(Wake())
        box.put_fact(notice("a"))
    assert len(box) == 2
    box.take()
    box.take()
    box.put_fact(Wake())
    box.put_fact(notice("a"))
    assert len(box) == 2


async def test_what_is_put_back_comes_first() -> None:
    box = Mailbox(5)
    first, second = asked(), asked()
    box.put_user(first)
    box.put_user(second)
    taken = box.take()
    assert taken is first
    box.put_back(first)
    assert box.take() is first
    assert box.take() is second


async def test_a_caller_who_left_is_no_trouble() -> None:
    left = asked()
    assert left.future is not None
    left.future.cancel()
    left.answer(Answer(Accepted(RecordingId("r")), None))
    left.refuse(Draining())


async def test_refused_users_get_the_error_and_facts_stay() -> None:
    box = Mailbox(5)
    user = asked()
    box.put_user(user)
    box.put_fact(Wake())
    box.refuse_users(Draining())
    assert user.future is not None
    with pytest.raises(Draining):
        await user.future
    assert len(box) == 1
