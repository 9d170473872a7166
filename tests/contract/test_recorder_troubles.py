"""What may befall a session, on the fake of the simulation and, over HTTP, on the simulator alike."""

from actors.domain.media import MediaReport
from actors.domain.outcomes import Done, Leaving, NotFound, NothingRecorded, Seen, Stopped
from tests.contract.provider import GONE_SECONDS, PREFIX, UID, Provider, Session, begin_session, told
from tests.waiting import eventually

UP_BUT_NOT_IN = 3
"""`status` of a recorder that never comes up (reference 4.1)."""


async def struck(provider: Provider, fault: str) -> Session:
    """A session that the fault has struck."""
    await provider.doom(fault)
    session = await begin_session(provider)
    await provider.fate(session.sid)
    return session


async def files(provider: Provider) -> MediaReport:
    outcome = await provider.media.examine(PREFIX)
    assert isinstance(outcome, Done)
    return outcome.value


async def test_a_move_to_another_machine(provider: Provider) -> None:
    session = await struck(provider, "failover")
    await eventually(told(session, 12))
    await eventually(session.captures)
    assert await session.stop() == Stopped("uploaded")
    await eventually(told(session, 40, 41, 31, 11))
    came = [each for each in await provider.notices() if each.sid == session.sid]
    (moved,) = [each for each in came if each.event_type == 12]
    new_uid = str(moved.details["newUid"])
    assert moved.uid == new_uid != UID
    assert {each.uid for each in came if each.event_type in (41, 31, 11)} == {new_uid}


async def test_a_move_leaves_two_playlists_and_the_first_one_open(provider: Provider) -> None:
    session = await struck(provider, "failover")
    await eventually(told(session, 12))
    await eventually(session.captures)
    provider.later(20)
    await session.stop()
    found = await files(provider)
    ended = {each.key.rpartition("/")[2].partition("_")[0]: each.ended for each in found.playlists}
    assert ended == {"bak0": True} or ended == {
        "bak0": True,
        session.sid: False,
    }  # it may have been lost before a slice
    (movie,) = found.movies
    assert movie.key.rpartition("/")[2].startswith("bak0_")


async def test_one_that_dies_says_nothing_and_leaves_its_files_open(provider: Provider) -> None:
    session = await struck(provider, "dies")
    await eventually(session.is_gone)
    assert await session.stop() == NotFound()
    assert not {11, 12, 31, 41} & {each.event_type for each in await provider.notices()}
    found = await files(provider)
    assert not any(each.ended for each in found.playlists)
    assert not found.movies


async def test_one_that_is_driven_out_keeps_its_files(provider: Provider) -> None:
    session = await struck(provider, "evicted")
    await eventually(told(session, 41, 31, 11))
    assert await session.stop() in (Leaving(), NotFound())
    provider.later(GONE_SECONDS)
    await eventually(session.is_gone)
    found = await files(provider)
    assert [each.ended for each in found.playlists] == [True]
    assert len(found.movies) == 1


async def test_one_that_never_comes_up(provider: Provider) -> None:
    session = await struck(provider, "never_active")
    seen = await session.query()
    assert isinstance(seen, Seen)
    assert seen.status == UP_BUT_NOT_IN
    assert await session.stop() == NothingRecorded()
    await eventually(told(session, 41, 11))
    assert not {40, 42, 31} & {each.event_type for each in await provider.notices()}
    assert await files(provider) == MediaReport((), (), ())
