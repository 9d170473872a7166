"""What the core needs of the provider, on the fake of the simulation and, over HTTP, on the simulator alike."""

import pytest

from actors.domain.model import Layout, Subscription
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Done,
    Leaving,
    NotFound,
    Rekeyed,
    ResourceUnusable,
    Started,
    Stopped,
    Updated,
)
from clients.agora.requests import ALL_STREAMS, LAYOUTS
from tests.contract.provider import (
    GONE_SECONDS,
    PICTURE,
    PREFIX,
    PROOF_SECONDS,
    ROOM,
    SPEC,
    UID,
    Provider,
    Session,
    acquire,
    record,
    start,
    told,
)
from tests.waiting import eventually


async def test_a_recording_from_acquire_to_stop(provider: Provider) -> None:
    session = await record(provider)
    assert await session.stop() == Stopped("uploaded")


async def test_a_start_sent_twice_starts_once(provider: Provider) -> None:
    resource_id = await acquire(provider)
    assert isinstance(await start(provider, resource_id), Started)
    assert await start(provider, resource_id) == AlreadyRunning(7)


async def test_a_uid_records_once_whatever_the_resource(provider: Provider) -> None:
    assert isinstance(await start(provider, await acquire(provider)), Started)
    assert await start(provider, await acquire(provider)) == AlreadyRunning(53)


async def test_another_uid_records_too(provider: Provider) -> None:
    first = await start(provider, await acquire(provider))
    second = await start(provider, await acquire(provider, "7"), "7")
    assert isinstance(first, Started)
    assert isinstance(second, Started)
    assert first.sid != second.sid


async def test_a_resource_serves_one_session(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await start(provider, session.resource_id), ResourceUnusable)


async def test_a_resource_lives_five_minutes(provider: Provider) -> None:
    in_time, late = await acquire(provider), await acquire(provider, "7")
    provider.later(290)
    assert isinstance(await start(provider, in_time), Started)
    provider.later(11)
    assert isinstance(await start(provider, late, "7"), ResourceUnusable)


async def test_a_resource_is_of_one_uid(provider: Provider) -> None:
    assert isinstance(await start(provider, await acquire(provider), "7"), ResourceUnusable)


async def test_a_resource_that_nobody_made(provider: Provider) -> None:
    assert isinstance(await start(provider, "unheard-of"), ResourceUnusable)


async def test_a_second_stop_finds_it_leaving_and_then_gone(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert await session.stop() == Leaving()
    provider.later(GONE_SECONDS)
    assert await session.stop() == NotFound()
    assert await session.query() == NotFound()


async def test_a_session_that_never_was(provider: Provider) -> None:
    session = Session(provider, await acquire(provider), "0" * 32)
    assert await session.query() == NotFound()
    assert await session.stop() == NotFound()


async def test_a_change_holds_until_the_next_one(provider: Provider) -> None:
    session = await record(provider, PICTURE)
    assert await provider.made(session.sid) == ([ALL_STREAMS], [ALL_STREAMS], LAYOUTS["best_fit"], "#000000")
    for _ in range(2):
        assert await session.update(Subscription(audio=("1", "2"), video=None)) == Done(Updated())
        assert await session.update_layout(Layout("vertical", "7", "#112233")) == Done(Updated())
        assert await provider.made(session.sid) == (["1", "2"], [ALL_STREAMS], LAYOUTS["vertical"], "#112233")
    assert await session.update(Subscription(audio=None, video=("3",))) == Done(Updated())
    assert await session.update_layout(Layout("floating")) == Done(Updated())
    assert await provider.made(session.sid) == ([ALL_STREAMS], ["3"], LAYOUTS["floating"], "#000000")


async def test_keys_are_given_to_what_records_and_to_nothing_else(provider: Provider) -> None:
    session = await record(provider)
    for _ in range(2):
        assert await session.rekey() == Done(Rekeyed(None))
    await session.stop()
    assert isinstance(await session.rekey(), Ambiguous)


async def test_what_has_ended_cannot_be_changed(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await session.update(Subscription(audio=("1",))), Ambiguous)
    assert isinstance(await session.update_layout(Layout("vertical")), Ambiguous)


async def test_after_a_stop_the_uid_is_free(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await start(provider, await acquire(provider)), Started)


async def test_an_empty_room_ends_it(provider: Provider) -> None:
    session = await record(provider)
    await provider.vacate()
    provider.later(SPEC.max_idle_seconds + 1)
    await provider.vacate()
    await eventually(told(session, 41, 11))
    provider.later(GONE_SECONDS)
    await eventually(session.is_gone)


async def test_a_room_that_fills_again_goes_on(provider: Provider) -> None:
    session = await record(provider)
    await provider.vacate()
    provider.later(SPEC.max_idle_seconds - 5)
    await provider.occupy()
    provider.later(10)
    await provider.occupy()
    assert await session.captures()


async def test_its_notifications_carry_sid_uid_and_room(provider: Provider) -> None:
    session = await record(provider)
    await eventually(told(session, 40))
    await session.stop()
    await eventually(told(session, 40, 41, 42, 30, 31, 11))
    came = await provider.notices()
    assert {(each.sid, each.uid, each.cname) for each in came} == {(session.sid, UID, ROOM)}
    assert len({each.sequence for each in came}) == len({each.notice_id for each in came}) == len(came)


async def test_what_was_recorded_is_to_be_found(provider: Provider) -> None:
    session = await record(provider)
    provider.later(20)
    await session.stop()
    outcome = await provider.media.examine(PREFIX)
    assert isinstance(outcome, Done)
    (playlist,), (movie,) = outcome.value.playlists, outcome.value.movies
    seconds = sum(each.duration_seconds for each in playlist.slices)
    assert playlist.ended
    assert seconds == pytest.approx(PROOF_SECONDS + 20, abs=2)
    assert movie.duration_seconds == pytest.approx(seconds, abs=0.2)
    assert all(each.size for each in playlist.slices)
    assert await provider.media.examine(("tapedeck", "another")) != outcome
