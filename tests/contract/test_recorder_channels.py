"""Kicking rules and lists of members, on the fake of the simulation and, over HTTP, on the simulator alike."""

from dataclasses import replace

from actors.domain.media import MediaReport
from actors.domain.outcomes import Done, Members, NotFound, Stopped
from tests.contract.provider import (
    GONE_SECONDS,
    LIST_SECONDS,
    PREFIX,
    RULE_SECONDS,
    SPEC,
    UID,
    Provider,
    ban,
    begin_session,
    members,
    record,
    told,
)
from tests.waiting import eventually

PEOPLE = ("1001", "1002")
OTHER = "7"


async def test_a_ban_ends_a_running_one(provider: Provider) -> None:
    session = await record(provider)
    provider.later(20)
    await ban(provider)
    provider.later(RULE_SECONDS)
    await eventually(told(session, 41, 11))
    provider.later(GONE_SECONDS)
    await eventually(session.is_gone)
    assert await session.stop() == NotFound()


async def test_what_it_had_captured_is_kept(provider: Provider) -> None:
    session = await record(provider)
    provider.later(20)
    await ban(provider)
    provider.later(RULE_SECONDS)
    await eventually(told(session, 31))
    outcome = await provider.media.examine(PREFIX)
    assert isinstance(outcome, Done)
    (playlist,), (movie,) = outcome.value.playlists, outcome.value.movies
    assert playlist.ended
    assert movie.duration_seconds is not None
    assert movie.duration_seconds > 15


async def test_a_start_under_a_rule_does_not_record(provider: Provider) -> None:
    await ban(provider)
    provider.later(RULE_SECONDS)
    await members(provider)
    session = await begin_session(provider)
    await eventually(told(session, 1, 41, 11))
    assert await session.query() == NotFound()
    assert await session.stop() == NotFound()
    provider.later(20)
    assert {each.event_type for each in await provider.notices()} == {1, 41, 11}
    outcome = await provider.media.examine(PREFIX)
    assert isinstance(outcome, Done)
    assert outcome.value == MediaReport((), (), ())


async def test_a_start_before_the_rule_strikes_is_put_out_by_it(provider: Provider) -> None:
    await ban(provider)
    session = await begin_session(provider)
    provider.later(RULE_SECONDS)
    await eventually(told(session, 41, 11))


async def test_another_uid_is_untouched(provider: Provider) -> None:
    session, other = await record(provider), await record(provider, uid=OTHER)
    await ban(provider)
    provider.later(RULE_SECONDS)
    await eventually(told(session, 41, 11))
    assert await other.captures()
    third = await record(provider, uid="8")
    assert await third.stop() == Stopped("uploaded")
    assert await other.stop() == Stopped("uploaded")


async def test_a_rule_may_be_made_twice_and_ends_by_itself(provider: Provider) -> None:
    await ban(provider, seconds=60)
    await ban(provider, seconds=60)
    provider.later(RULE_SECONDS + 61)
    session = await record(provider)
    assert await session.captures()


async def test_a_list_shows_people_and_recorders_and_after_a_while_who_has_left(provider: Provider) -> None:
    provider.later(LIST_SECONDS)
    assert await members(provider) == Members(PEOPLE, PEOPLE)
    session = await record(provider)
    provider.later(LIST_SECONDS)
    await session.query()
    there = (*PEOPLE, UID)
    assert await members(provider) == Members(there, there)
    await session.stop()
    provider.later(LIST_SECONDS)
    assert await members(provider) == Members(PEOPLE, PEOPLE)


async def test_in_a_live_channel_a_recorder_is_no_host(provider: Provider) -> None:
    await record(provider, replace(SPEC, channel_type="live_broadcasting"))
    provider.later(LIST_SECONDS)
    assert await members(provider) == Members((*PEOPLE, UID), PEOPLE)


async def test_a_channel_that_nobody_is_in_is_none(provider: Provider) -> None:
    await provider.vacate()
    provider.later(LIST_SECONDS)
    assert await members(provider) == Members((), ())
