"""The actor of one meeting: decide, commit, evolve, reply, tell, act. In this order, one command at a time.

No reply and no broadcast leaves before its commit. The last line of a step, `align`, also runs once after the state was
loaded: that is crash recovery, all of it.
"""

import asyncio
from collections.abc import Callable

import structlog

from actors.domain.commands import (
    Accepted,
    AttachFile,
    Command,
    DeleteRecording,
    ExamineAgain,
    Moment,
    ProviderReported,
)
from actors.domain.decide import Decision, actor_of, decide
from actors.domain.effects import Effect
from actors.domain.evolve import inherit, recall
from actors.domain.ids import MeetingId, NoticeId, RecordingId
from actors.domain.model import Meeting, Recording
from actors.domain.pending import next_wakeup, pending_effects, verification
from actors.domain.policy import Policy
from actors.domain.rules.notices import is_known
from actors.domain.step import Step, recorders_of, take_step
from actors.errors import KeyReused
from actors.mailbox import Answer, CommandKey, Envelope
from actors.ports import Append, Claim, CommandMark, Ports, RecorderRow

log = structlog.get_logger(__name__)

Act = Callable[[Effect], None]
"""Puts an effect in flight, unless it is already."""


class MeetingActor:
    """Owns one meeting's state under one epoch. Ends by exception when it may not, or cannot, go on."""

    def __init__(self, meeting_id: MeetingId, claim: Claim, ports: Ports, policy: Policy, act: Act) -> None:
        self.state = inherit(claim.state)
        self._meeting_id = meeting_id
        self._epoch = claim.epoch
        self._ports = ports
        self._policy = policy
        self._act = act

    @property
    def epoch(self) -> int:
        return self._epoch

    def take_up(self) -> None:
        """Go on where the last owner left off, and look at once whether what recorded still does."""
        self.align()
        query = verification(self.state)
        if query is not None:
            self._act(query)

    def align(self) -> None:
        """Put in flight what the state says must be."""
        for effect in pending_effects(self.state, self._ports.clock.now_ms()):
            self._act(effect)

    async def receive(self, envelope: Envelope) -> Step | None:
        """Work off one command. Raises what `Journal.commit` raises; the command is then not answered.

        Returns what was committed, if anything was.
        """
        if envelope.key is not None and await self._answer_from_memory(envelope, envelope.key):
            return None
        state = await self._with_what_it_is_about(envelope.command)
        now_ms = self._ports.clock.now_ms()
        moment = Moment(now_ms, self._ports.ids.recorder_uid(), self._ports.ids.jitter())
        decision = decide(state, envelope.command, moment, self._policy)
        step = None
        if decision.events or isinstance(envelope.command, ProviderReported) or _mark(envelope.key, decision):
            step = take_step(state, decision.events, now_ms, actor_of(envelope.command))
            await self._commit(envelope, decision, step)
            self.state = step.after
        await self._answer(envelope, decision, step)
        if step is not None:
            self._tell(step)
        self.align()
        return step

    async def _commit(self, envelope: Envelope, decision: Decision, step: Step) -> None:
        append = Append(
            meeting_id=self._meeting_id,
            epoch=self._epoch,
            expected_seq=self.state.seq,
            state=step.after,
            wake_at_ms=next_wakeup(step.after),
            events=step.events,
            recordings=step.recordings,
            recorders=_recorder_rows(step),
            command=_mark(envelope.key, decision),
            notices=_notices(envelope.command),
        )
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._ports.journal.commit(append)
        self._ports.observe.commit(loop.time() - began)

    async def _answer_from_memory(self, envelope: Envelope, key: CommandKey) -> bool:
        """Answer a repeated command with the recording as it is now. False if the key is new."""
        mark = await self._ports.journal.find_command(self._meeting_id, key.command_id)
        if mark is None:
            return False
        if mark.body_hash != key.body_hash:
            envelope.refuse(KeyReused(key.command_id))
            return True
        recording = await self._recording(mark.recording_id)
        envelope.answer(Answer(Accepted(mark.recording_id), recording, replayed=True))
        return True

    async def _with_what_it_is_about(self, command: Command) -> Meeting:
        """The state, with a settled recording recalled into it if the command is about one."""
        recording = None
        if isinstance(command, DeleteRecording | AttachFile | ExamineAgain):
            if self.state.recording(command.recording_id) is not None:
                return self.state
            recording = await self._ports.journal.recall(self._meeting_id, command.recording_id)
        elif isinstance(command, ProviderReported) and not is_known(self.state, command.notice):
            recording = await self._ports.journal.recorded_by(self._meeting_id, command.notice)
        return self.state if recording is None else recall(self.state, recording)

    async def _answer(self, envelope: Envelope, decision: Decision, step: Step | None) -> None:
        if envelope.future is None or decision.reply is None:
            return
        recording_id = decision.reply.recording_id
        recording = None if recording_id is None else _changed(step, recording_id)
        if recording is None and recording_id is not None:
            recording = await self._recording(recording_id)
        envelope.answer(Answer(decision.reply, recording))

    async def _recording(self, recording_id: RecordingId) -> Recording | None:
        present = self.state.recording(recording_id)
        return present or await self._ports.journal.recall(self._meeting_id, recording_id)

    def _tell(self, step: Step) -> None:
        public = [event for event in step.events if event.sequence is not None]
        if public:
            self._ports.publisher.hint(step.after, public)
        for event in step.events:
            log.info(event.event.kind, meeting=self._meeting_id, recording=event.event.recording_id, seq=event.seq)


def _changed(step: Step | None, recording_id: RecordingId) -> Recording | None:
    changed = () if step is None else step.recordings
    return next((item for item in changed if item.recording_id == recording_id), None)


def _mark(key: CommandKey | None, decision: Decision) -> CommandMark | None:
    """What was accepted is remembered, be it that it was so already: a stop that is repeated must not end the next
    recording. A refusal changed nothing, and may be tried again with the same key."""
    if key is None or not isinstance(decision.reply, Accepted):
        return None
    return CommandMark(key.command_id, key.body_hash, decision.reply.recording_id)


def _notices(command: Command) -> tuple[NoticeId, ...]:
    return (command.notice.notice_id,) if isinstance(command, ProviderReported) else ()


def _recorder_rows(step: Step) -> tuple[RecorderRow, ...]:
    return tuple(
        RecorderRow(cname=cname, uid=uid, sid=sid, recording_id=recording_id, attempt=attempt)
        for cname, uid, sid, recording_id, attempt in recorders_of(step)
    )
