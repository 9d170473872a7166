"""The actor system: finds or makes the actor of a meeting, asks it, supervises it, lets it go, drains.

`tell` is synchronous, so two callers can never make two actors of one meeting. A meeting with nothing in its mailbox has
no task; one with nothing left to do has no entry either.
"""

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from actors.capacity import Capacity
from actors.domain.commands import Command, Notice, ProviderReported, Refused, UserCommand, Wake
from actors.domain.effects import Effect, is_slow, key_of
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording
from actors.domain.policy import Policy
from actors.errors import (
    ActorError,
    CommandFailed,
    CommandOutcomeUnknown,
    DatabaseUnavailable,
    Draining,
    MeetingQuarantined,
    OwnedByAnotherNode,
)
from actors.executor import Executor
from actors.handle import Handle
from actors.lease import Lease
from actors.mailbox import Answer, CommandKey, Envelope, Mailbox
from actors.meeting import MeetingActor
from actors.ports import Fenced, JournalUnavailable, LeaseLost, OutcomeUnknown, OwnedElsewhere, Ports
from actors.supervision import RestartBudget, forgive, lift_quarantine, note_crash
from actors.watchers import Until

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSettings:
    """Limits of the shell; seconds, messages, calls."""

    mailbox_messages_max: int = 100
    calls_max: int = 200
    step_seconds_max: float = 60.0
    retry_seconds: float = 1.0
    full_pause_seconds: float = 20.0
    full_pause_seconds_max: float = 300.0
    budget: RestartBudget = field(default_factory=RestartBudget)


class ActorSystem:
    """All meetings of this node, as long as its lease lets it have them."""

    def __init__(self, ports: Ports, policy: Policy, settings: SystemSettings, lease: Lease) -> None:
        self._ports = ports
        self._policy = policy
        self._settings = settings
        self._lease = lease
        self.capacity = Capacity(settings.full_pause_seconds, settings.full_pause_seconds_max, self._now)
        self._executor = Executor(
            ports.recorder, ports.media, ports.observe, self.capacity, settings.calls_max, lease.calm
        )
        self._directory: dict[MeetingId, Handle] = {}
        self._detached: set[asyncio.Task[None]] = set()
        self._slow: set[asyncio.Task[Any]] = set()
        """Calls that leaving does not wait for."""
        self._draining = False
        self._closed = False

    @property
    def draining(self) -> bool:
        return self._draining

    @property
    def standing(self) -> bool:
        """Whether this node's lease lets it have meetings."""
        return self._lease.held

    @property
    def meetings(self) -> int:
        """How many meetings have an entry: those that are not settled, or are being worked on."""
        return len(self._directory)

    async def ask(self, meeting_id: MeetingId, command: UserCommand, key: CommandKey | None = None) -> Answer:
        """Have a user's command carried out; returns once what it changed is durable.

        A caller who leaves only stops waiting: the command still runs. Raises an `ActorError`.
        """
        outcome = "left"
        try:
            answer = await self._ask(meeting_id, command, key)
            outcome = _outcome_of(answer)
        except ActorError as error:
            outcome = error.code
            raise
        else:
            return answer
        finally:
            self._ports.observe.command(type(command).__name__, outcome)

    async def _ask(self, meeting_id: MeetingId, command: UserCommand, key: CommandKey | None) -> Answer:
        if self._draining:
            raise Draining
        handle = self._find(meeting_id)
        if self._quarantined(handle):
            raise MeetingQuarantined(meeting_id)
        envelope = Envelope(command, key, asyncio.get_running_loop().create_future())
        assert envelope.future is not None
        handle.mailbox.put_user(envelope)
        self._ports.observe.mailbox(len(handle.mailbox))
        self._poke(handle)
        return await envelope.future

    async def wait(
        self, meeting_id: MeetingId, recording_id: RecordingId, until: Until, seconds: float
    ) -> Recording | None:
        """The recording as of the first commit in which `until` holds, or as it is when the time is over.

        None if there is no such recording. Raises JournalUnavailable if it cannot be read.
        """
        handle = self._find(meeting_id)
        future = handle.watchers.add(recording_id, until)
        try:
            recording = await self._ports.journal.recall(meeting_id, recording_id)
            if recording is None or until(recording):
                return recording
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return await self._ports.journal.recall(meeting_id, recording_id)
        finally:
            handle.watchers.remove(future)
            self._passivate(handle)

    def wake(self, meeting_id: MeetingId) -> None:
        """Have the meeting look at the clock."""
        self._tell(meeting_id, Wake())

    def report(self, meeting_id: MeetingId, notice: Notice) -> None:
        """Have a stored notification applied. Only hastens: the reconciler finds it too."""
        self._tell(meeting_id, ProviderReported(notice))

    async def drain(self, seconds: float) -> None:
        """Take no more commands, finish what is at hand, give every meeting back.

        Never stops a recording: calls that are cut off stand in the journal as intent, and the next owner repeats them.
        """
        self._draining = True
        try:
            async with asyncio.timeout(seconds):
                while busy := self._busy() - self._slow:
                    await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            log.warning("drain.cut_short", tasks=len(self._busy()))
        await self._close()

    def let_go(self) -> None:
        """End all actors and calls without a word to anybody: another node may have the meetings by now."""
        for handle in list(self._directory.values()):
            self._abandon(handle, DatabaseUnavailable())

    async def _close(self) -> None:
        self._closed = True
        for handle in self._directory.values():
            handle.watchers.release()
        for task in (tasks := self._busy()):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for handle in list(self._directory.values()):
            handle.mailbox.refuse_users(Draining())
            self._release(handle)
        await asyncio.gather(*self._detached, return_exceptions=True)

    def _busy(self) -> set[asyncio.Task[object]]:
        tasks: set[asyncio.Task[object]] = set()
        for handle in self._directory.values():
            tasks.update(task for task in handle.in_flight.values() if not task.done())
            if handle.task is not None:
                tasks.add(handle.task)
        return tasks

    # --- directory ---

    def _find(self, meeting_id: MeetingId) -> Handle:
        handle = self._directory.get(meeting_id)
        if handle is None:
            handle = Handle(meeting_id, Mailbox(self._settings.mailbox_messages_max))
            self._directory[meeting_id] = handle
        return handle

    def _tell(self, meeting_id: MeetingId, command: Command) -> None:
        if self._closed or (self._draining and meeting_id not in self._directory):
            return
        handle = self._find(meeting_id)
        handle.mailbox.put_fact(command)
        self._poke(handle)

    def _poke(self, handle: Handle) -> None:
        """Have the mailbox worked off, unless it is being, or there is nothing in it."""
        if handle.task is None and len(handle.mailbox) and not self._closed:
            if self._quarantined(handle):
                return
            handle.task = asyncio.create_task(self._work_off(handle), name=f"meeting {handle.meeting_id}")

    def _passivate(self, handle: Handle) -> None:
        """Forget an idle meeting. There is no await between the look and the removal, so no message is lost."""
        if handle.idle and self._directory.get(handle.meeting_id) is handle:
            del self._directory[handle.meeting_id]
            self._release(handle)

    def _release(self, handle: Handle) -> None:
        if handle.actor is not None:
            epoch, handle.actor = handle.actor.epoch, None
            self._detach(self._ports.ownership.release(handle.meeting_id, epoch))

    def _detach(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that nobody waits for; if the database is away, the reconciler comes by it again."""
        task = asyncio.create_task(_unless_away(work))
        self._detached.add(task)
        task.add_done_callback(self._detached.discard)

    # --- working off ---

    async def _work_off(self, handle: Handle) -> None:
        """Until the mailbox is empty, or the actor has to end."""
        envelope: Envelope | None = None
        pause = 0.0
        try:
            actor = handle.actor or await self._activate(handle)
            while (envelope := handle.mailbox.take()) is not None:
                await self._receive(handle, actor, envelope)
        except asyncio.CancelledError:
            if envelope is not None:
                envelope.refuse(CommandOutcomeUnknown())
            raise
        except Exception as error:
            pause = self._failed(handle, envelope, error)
        handle.task = None
        self._go_on(handle, pause)

    async def _activate(self, handle: Handle) -> MeetingActor:
        if not self.standing:
            raise LeaseLost
        claim = await self._ports.ownership.claim(handle.meeting_id)

        def act(effect: Effect) -> None:
            self._act(handle, effect)

        handle.actor = MeetingActor(handle.meeting_id, claim, self._ports, self._policy, act)
        handle.actor.take_up()
        return handle.actor

    async def _receive(self, handle: Handle, actor: MeetingActor, envelope: Envelope) -> None:
        handle.worked_off(envelope)
        async with asyncio.timeout(self._settings.step_seconds_max):
            step = await actor.receive(envelope)
        if envelope.future is None:
            self._ports.observe.fact(type(envelope.command).__name__, "done" if step else "nothing")
        if step is not None:
            handle.watchers.notify(step.recordings)

    def _go_on(self, handle: Handle, pause: float) -> None:
        if self._closed:
            return
        if pause and len(handle.mailbox):
            asyncio.get_running_loop().call_later(pause, self._poke, handle)
        else:
            self._poke(handle)
        self._passivate(handle)

    # --- failing ---

    def _failed(self, handle: Handle, envelope: Envelope | None, error: Exception) -> float:
        """What becomes of the meeting and of the command that was at hand; the seconds until the next try."""
        meeting = handle.meeting_id
        match error:
            case OwnedElsewhere():
                log.info("actor.owned_elsewhere", meeting=meeting, node=error.node)
                self._ports.observe.claim_refused("elsewhere")
                self._abandon(handle, OwnedByAnotherNode(error.node))
            case LeaseLost():
                self._ports.observe.claim_refused("lease")
                handle.mailbox.refuse_users(DatabaseUnavailable())
                return self._settings.retry_seconds
            case Fenced():
                log.warning("actor.fenced", meeting=meeting)
                self._return(handle, envelope)
            case OutcomeUnknown() | TimeoutError():
                log.warning("actor.outcome_unknown", meeting=meeting, error=str(error))
                self._fail(handle, envelope, CommandOutcomeUnknown())
            case JournalUnavailable():
                log.warning("actor.database_unavailable", meeting=meeting, error=str(error))
                self._fail(handle, envelope, DatabaseUnavailable())
                handle.mailbox.refuse_users(DatabaseUnavailable())
                return self._settings.retry_seconds
            case _:
                log.exception("actor.failed", meeting=meeting, command=envelope and type(envelope.command).__name__)
                self._crashed(handle, envelope)
        return 0.0

    def _abandon(self, handle: Handle, error: ActorError) -> None:
        """The meeting is not ours: end what is at hand for it. All of it stands in the journal, for its next owner."""
        handle.actor = None
        handle.mailbox.forget_facts()
        handle.mailbox.refuse_users(error)
        if lift_quarantine(handle, math.inf):
            self._ports.observe.quarantined(-1)
        task, handle.task = handle.task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        calls, handle.in_flight = handle.in_flight, {}
        for call in calls.values():
            call.cancel()
        self._passivate(handle)

    def _return(self, handle: Handle, envelope: Envelope | None) -> None:
        """Nothing was written: the same command goes to the next actor, which claims first."""
        handle.actor = None
        if envelope is not None:
            handle.mailbox.put_back(envelope)

    def _fail(
        self, handle: Handle, envelope: Envelope | None, error: CommandOutcomeUnknown | DatabaseUnavailable
    ) -> None:
        """The user is told; a fact is kept, since it may be the only copy of an answer."""
        handle.actor = None
        if envelope is None:
            return
        if envelope.future is None:
            handle.mailbox.put_back(envelope)
        else:
            envelope.refuse(error)

    def _crashed(self, handle: Handle, envelope: Envelope | None) -> None:
        """Again from the journal; a command that fails twice is set aside, and too many failures quarantine."""
        handle.actor = None
        if envelope is not None:
            envelope.crashes += 1
            if envelope.crashes < 2:
                handle.mailbox.put_back(envelope)
            else:
                self._set_aside(handle, envelope)
        if note_crash(handle, self._now(), self._settings.budget):
            log.error("meeting.quarantined", meeting=handle.meeting_id, times=handle.quarantines)
            handle.mailbox.refuse_users(MeetingQuarantined(handle.meeting_id))
            self._ports.observe.quarantined(1)
        asyncio.get_running_loop().call_later(self._settings.budget.window_seconds, self._forgive, handle)

    def _forgive(self, handle: Handle) -> None:
        forgive(handle, self._now(), self._settings.budget)
        self._passivate(handle)

    def _set_aside(self, handle: Handle, envelope: Envelope) -> None:
        """A stored notification that fails would otherwise come back from the inbox for ever."""
        log.error("command.set_aside", meeting=handle.meeting_id, command=type(envelope.command).__name__)
        envelope.refuse(CommandFailed())
        if isinstance(envelope.command, ProviderReported):
            self._detach(self._ports.inbox.set_aside(envelope.command.notice.notice_id))

    def _quarantined(self, handle: Handle) -> bool:
        if lift_quarantine(handle, self._now()):
            self._ports.observe.quarantined(-1)
        return handle.quarantined_until is not None

    # --- effects ---

    def _act(self, handle: Handle, effect: Effect) -> None:
        key = key_of(effect)
        if key in handle.in_flight or self._draining:
            return
        task = asyncio.create_task(self._executor.perform(effect), name=f"{key[0]} {handle.meeting_id}")
        handle.in_flight[key] = task
        if is_slow(effect):
            self._slow.add(task)
            task.add_done_callback(self._slow.discard)

        def landed(done: asyncio.Task[Command]) -> None:
            # In flight until its answer is worked off: the state does not know it yet, and would have it sent again.
            if handle.in_flight.get(key) is not done:
                return
            if done.cancelled() or done.exception() is not None:
                del handle.in_flight[key]
            else:
                handle.mailbox.put_fact(done.result(), key)
                self._poke(handle)

        task.add_done_callback(landed)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _outcome_of(answer: Answer) -> str:
    """What a command came to, in a word: for counting."""
    if isinstance(answer.reply, Refused):
        return answer.reply.code
    return "replayed" if answer.replayed else "accepted"


async def _unless_away(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except JournalUnavailable as error:
        log.info("database.away", error=str(error))
