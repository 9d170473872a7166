"""What the shell was not told in time: notices are taken up once, and meetings that stay due hide no others."""

import asyncio
from dataclasses import replace

from actors.domain.commands import Accepted, Notice
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Phase
from actors.reconciler import Reconciler, ReconcilerSettings
from tests.fakes.shell import M, World, virtual


async def recorded(world: World) -> tuple[RecordingId, list[Notice]]:
    """A recording that runs, and what the provider has to say of it by then."""
    started = (await world.start()).reply.recording_id
    await world.system.wait(M, started, lambda item: item.sid is not None, 60)
    await asyncio.sleep(2)
    world.agora.advance(world.now_ms())
    return started, world.agora.take_notices(world.now_ms() + 10_000)


def test_a_notice_is_applied_once_and_marked_in_the_same_commit() -> None:
    async def story() -> None:
        world = World()
        started, notices = await recorded(world)
        inbox = world.ports.inbox
        for notice in [*notices, *notices]:
            await inbox.store(notice, b"", world.now_ms())
            world.system.report(M, notice)
        await asyncio.sleep(1)
        assert world.database.recordings[started].phase is Phase.ACTIVE
        assert world.database.unprocessed_count() == 0
        assert [item.event.kind for item in world.hints].count("recording.active") == 1

    virtual(story)


def test_a_notice_that_fails_is_set_aside_and_holds_nothing_up() -> None:
    async def story() -> None:
        world = World()
        _, (first, *_) = await recorded(world)
        await world.ports.inbox.store(first, b"", world.now_ms())
        world.journal.failures = [ValueError("bug"), ValueError("bug")]
        world.system.report(M, first)
        await asyncio.sleep(1)
        assert world.database.unprocessed_count() == 0
        assert isinstance((await world.stop()).reply, Accepted)

    virtual(story)


def test_the_reconciler_finds_notices_that_nobody_reported() -> None:
    async def story() -> None:
        world = World()
        started, notices = await recorded(world)
        for notice in notices:
            await world.ports.inbox.store(notice, b"", world.now_ms())
        reconciler = Reconciler(world.system, world.ports, replace(ReconcilerSettings(), inbox_age_ms=0))
        await reconciler.look()
        await asyncio.sleep(1)
        assert world.database.recordings[started].phase is Phase.ACTIVE
        assert world.database.unprocessed_count() == 0

    virtual(story)


def test_meetings_that_stay_due_hide_no_others() -> None:
    async def story() -> None:
        world = World()
        woken: list[MeetingId] = []
        world.system.wake = woken.append  # type: ignore[method-assign]
        meetings = [MeetingId(f"m-{number}") for number in range(5)]
        for meeting in meetings:
            await world.system.ask(meeting, world.start_command())
        await asyncio.sleep(400)
        woken.clear()
        await Reconciler(world.system, world.ports, replace(ReconcilerSettings(), batch=2)).look()
        assert woken == meetings

    virtual(story)
