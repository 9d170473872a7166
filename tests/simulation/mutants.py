"""The protective rules, each with the text that keeps it, the text without it, and a case that then breaks a promise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands in `file` exactly once. `case`: as `cases.run_case` has it. `why`: what the rule protects from."""

    name: str
    file: str
    old: str
    new: str
    case: str
    why: str


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="journal after acting",
        file="actors/meeting.py",
        old="""            await self._commit(envelope, decision, step)
            self.state = step.after
""",
        new="""            for effect in pending_effects(step.after, self._ports.clock.now_ms()):
                self._act(effect)
            await self._commit(envelope, decision, step)
            self.state = step.after
""",
        case="crash 1",
        why="what was begun and not stored is forgotten by a crash",
    ),
    Mutant(
        name="reply before commit",
        file="actors/meeting.py",
        old="""            await self._commit(envelope, decision, step)
            self.state = step.after
        await self._answer(envelope, decision, step)
""",
        new="""            await self._answer(envelope, decision, step)
            await self._commit(envelope, decision, step)
            self.state = step.after
""",
        case="crash 1",
        why="a user may be promised what is never stored",
    ),
    Mutant(
        name="hint before commit",
        file="actors/meeting.py",
        old="""            await self._commit(envelope, decision, step)
            self.state = step.after
""",
        new="""            self._tell(step)
            await self._commit(envelope, decision, step)
            self.state = step.after
""",
        case="crash 1",
        why="subscribers may hear of what is never stored",
    ),
    Mutant(
        name="new key on retry",
        file="actors/domain/pending.py",
        old="""    if attempt.sid is None:
        return AgoraStart(
""",
        new="""    if attempt.sid is None and attempt.tries % 2:
        return AgoraAcquire(
            recording_id=live.recording_id,
            attempt=attempt.number,
            channel_name=live.spec.channel_name,
            uid=str(int(attempt.uids[0]) // 2 + 1),
        )
    if attempt.sid is None:
        return AgoraStart(
""",
        case="seed 0",
        why="only the same resource and uid cannot start twice",
    ),
    Mutant(
        name="command mark not stored",
        file="actors/meeting.py",
        old="            command=_mark(envelope.key, decision),\n",
        new="            command=None,\n",
        case="seed 0",
        why="a repeated start makes another recording",
    ),
    Mutant(
        name="inbox mark outside the transaction",
        file="actors/meeting.py",
        old="            notices=_notices(envelope.command),\n",
        new="            notices=(),\n",
        case="seed 0",
        why="a notification that was applied stays in the inbox for ever",
    ),
    Mutant(
        name="actor goes on when it is fenced",
        file="actors/system.py",
        old='''        """Nothing was written: the same command goes to the next actor, which claims first."""
        handle.actor = None
''',
        new="",
        case="seed 0",
        why="an owner whose epoch is over can write nothing any more",
    ),
    Mutant(
        name="outcome unknown taken for done",
        file="actors/system.py",
        old='''        """The user is told; a fact is kept, since it may be the only copy of an answer."""
        handle.actor = None
''',
        new="",
        case="seed 0",
        why="what may be stored must be read anew",
    ),
    Mutant(
        name="lost facts",
        file="actors/system.py",
        old="""        if envelope.future is None:
            handle.mailbox.put_back(envelope)
        else:
            envelope.refuse(error)
""",
        new="""        if envelope.future is not None:
            envelope.refuse(error)
""",
        case="seed 0",
        why="the answer of a start may be the only copy of its sid",
    ),
    Mutant(
        name="late result of an old attempt accepted",
        file="actors/domain/rules/draft.py",
        old="        if attempt is None or attempt.number != number:\n",
        new="        if attempt is None:\n",
        case="seed 0",
        why="the sid of an abandoned recorder is not the present one's",
    ),
    Mutant(
        name="ambiguous start closed without eviction",
        file="actors/domain/rules/calls.py",
        old="""    if attempt.ambiguous:
        evict(draft, recording, attempt, why)
    else:
        draft.emit(AttemptClosed(recording_id=recording.recording_id, attempt=attempt.number, reason=why))
""",
        new="""    draft.emit(AttemptClosed(recording_id=recording.recording_id, attempt=attempt.number, reason=why))
""",
        case="seed 0",
        why="a start whose answer was lost may have worked",
    ),
    Mutant(
        name="404 at once believed",
        file="actors/domain/rules/steps.py",
        old="""    return draft.now_ms - attempt.missing_since_ms > draft.policy.failover_window_ms
""",
        new="""    return True
""",
        case="seed 0",
        why="a session that moves to another machine is not found for a while",
    ),
    Mutant(
        name="404 believed the first time",
        file="actors/domain/rules/steps.py",
        old="attempt.misses < draft.policy.misses_min",
        new="attempt.misses < 1",
        case="seed 0",
        why="one answer proves nothing",
    ),
    Mutant(
        name="stop not repeated",
        file="actors/domain/rules/calls.py",
        old="""            _defer(draft, recording, attempt, "stop", outcome, draft.policy.stop_delays_ms)
        case _:
""",
        new="""            leave(draft, recording, attempt, "stop: sent")
        case _:
""",
        case="seed 0",
        why="a stop whose answer was lost may never have arrived",
    ),
    Mutant(
        name="code 49 taken as proof",
        file="actors/domain/rules/calls.py",
        old="""            leaving = Ambiguous("code 49: it is leaving already")
            _defer(draft, recording, attempt, "stop", leaving, draft.policy.stop_delays_ms)
""",
        new="""            leave(draft, recording, attempt, "stop: code 49")
""",
        case="seed 0",
        why="a recorder that is leaving may be there for long",
    ),
    Mutant(
        name="deadline of the start missing",
        file="actors/domain/rules/clock.py",
        old="""    else:
        _start_overdue(draft, live, attempt)
""",
        new="",
        case="seed 0",
        why="a start that is never answered would wait for ever",
    ),
    Mutant(
        name="verification never",
        file="actors/domain/policy.py",
        old="verify_interval_ms: int = 120_000",
        new="verify_interval_ms: int = 120_000_000",
        case="seed 0",
        why="a recorder that is gone without a word is found by asking",
    ),
    Mutant(
        name="drain stops recordings",
        file="actors/system.py",
        old="""        self._draining = True
        try:
            async with asyncio.timeout(seconds):
""",
        new="""        from actors.domain.commands import StopRecording
        from actors.domain.model import Actor, ActorKind

        for handle in list(self._directory.values()):
            if handle.actor is not None and handle.actor.state.live is not None:
                handle.mailbox.put_fact(StopRecording(by=Actor(ActorKind.SYSTEM, "deploy")))
                self._poke(handle)
        self._draining = True
        try:
            async with asyncio.timeout(seconds):
""",
        case="seed 0",
        why="a deploy is no reason to end a recording",
    ),
    Mutant(
        name="listing not needed",
        file="actors/domain/evidence.py",
        old="    if faults and not _settled(recording, policy, now_ms):\n",
        new="    if faults and recording.stored_at_ms is None and not _settled(recording, policy, now_ms):\n",
        case="seed 0",
        why="files may come after the provider's word that they have",
    ),
    Mutant(
        name="missing slices not looked for",
        file="actors/domain/evidence.py",
        old="        lost = sum(not s.present for s in self.stretches)\n",
        new="        lost = 0\n",
        case="seed 0",
        why="nobody's word is taken for it that all is there",
    ),
    Mutant(
        name="update not sent again",
        file="actors/domain/pending.py",
        old="    elif update.subscribe_again or update.layout_again:\n",
        new="    elif False:\n",
        case="seed 0",
        why="an older update may arrive after a newer one",
    ),
    Mutant(
        name="attempt opened beside an eviction",
        file="actors/domain/rules/steps.py",
        old="    if not draft.meeting.fenced or draft.now_ms < recording.check_at_ms:\n",
        new="    if draft.now_ms < recording.check_at_ms:\n",
        case="seed 0",
        why="the recorder that is being evicted may still run",
    ),
    Mutant(
        name="settling not waited for",
        file="actors/domain/rules/eviction.py",
        old="                    fence_at_ms=draft.now_ms + draft.policy.eviction_settle_ms,\n",
        new="                    fence_at_ms=draft.now_ms,\n",
        case="seed 0",
        why="a kicking rule takes its time to have effect",
    ),
    Mutant(
        name="no kicking rule",
        file="actors/domain/pending.py",
        old="    uid = unbanned(eviction)\n    if uid is not None:\n        yield (\n",
        new="    uid = unbanned(eviction)\n    if uid is None:\n        yield (\n",
        case="seed 0",
        why="a recorder whose sid is not known can only be put out",
    ),
    Mutant(
        name="rule taken for made when nothing was answered",
        file="actors/domain/rules/eviction.py",
        old="    match command.outcome:\n        case Done(banned):\n            draft.emit(\n                RecorderBanned(\n",
        new="""    from actors.domain.outcomes import Banned

    match command.outcome if isinstance(command.outcome, Done) else Done(Banned("?")):
        case Done(banned):
            draft.emit(
                RecorderBanned(
""",
        case="seed 0",
        why="a rule that was refused keeps nobody out",
    ),
    Mutant(
        name="evictee not told to stop",
        file="actors/domain/pending.py",
        old="""    if attempt.sid is not None:
        yield attempt.check_at_ms, _stop(eviction.recording_id, eviction.channel_name, attempt)
""",
        new="",
        case="seed 0",
        why="an abandoned recorder whose sid is known can be stopped",
    ),
    Mutant(
        name="evicting attempt reopened",
        file="actors/domain/rules/notices.py",
        old="    recording, attempt = attempt_of(draft.meeting, notice)\n    if recording is None or attempt is None:\n        return\n",
        new="""        live = draft.meeting.live
        if live is not None and live.attempt is None and live.want.value == "record" and notice.sid:
            from dataclasses import replace

            back = replace(live, attempt=eviction.attempt, phase=Phase.STARTING)
            draft.meeting = replace(draft.meeting, live=back, evictions=())
            accept(draft, back, eviction.attempt, notice.sid, "it came back")
            return
    recording, attempt = attempt_of(draft.meeting, notice)
    if recording is None or attempt is None:
        return
""",
        case="seed 0",
        why="eviction is a one-way door",
    ),
    Mutant(
        name="no restart",
        file="actors/domain/rules/losing.py",
        old="    elif attempt.empty_looks >= VACANT_LOOKS_MIN:\n",
        new="    elif True:\n",
        case="seed 0",
        why="a recording that is wanted goes on with another recorder",
    ),
    Mutant(
        name="lost recorder not stopped before another begins",
        file="actors/domain/rules/losing.py",
        old="    if not proven:\n        evict(draft, recording, attempt, evidence)\n",
        new="",
        case="seed 0",
        why="what is not found may be alive",
    ),
    Mutant(
        name="event 12 ignored",
        file="actors/domain/rules/notices.py",
        old="    if uid and uid not in attempt.uids:\n",
        new="    if False:\n",
        case="seed 0",
        why="a session that has moved has another uid",
    ),
    Mutant(
        name="event 12 of an evictee ignored",
        file="actors/domain/rules/eviction.py",
        old="    moved = notice.uid if notice.uid and notice.uid not in attempt.uids else None\n",
        new="    moved = None\n",
        case="seed 0",
        why="each of its uids needs a rule",
    ),
    Mutant(
        name="stray never stopped",
        file="actors/domain/rules/eviction.py",
        old="""    uids = attempt.uids if uid in attempt.uids or not uid else (*attempt.uids, uid)
    draft.emit(
""",
        new="""    return
    uids = attempt.uids
    draft.emit(
""",
        case="seed 0",
        why="what is alive after its end is nobody's, and ours",
    ),
    Mutant(
        name="deadline gives no wake-up",
        file="actors/domain/pending.py",
        old="    yield live.deadline_at_ms or live.updated_at_ms\n",
        new="",
        case="seed 0",
        why="nobody looks at the clock unless a time is set",
    ),
    Mutant(
        name="eviction gives no wake-up",
        file="actors/domain/pending.py",
        old="        times += _ends(eviction)\n",
        new="        pass\n",
        case="seed 0",
        why="what waits for an eviction would wait for ever",
    ),
    Mutant(
        name="lost place gives no wake-up",
        file="actors/domain/pending.py",
        old="            times.append(max(meeting.live.updated_at_ms, meeting.live.check_at_ms))\n",
        new="            pass\n",
        case="seed 0",
        why="a recording between two recorders must be looked at",
    ),
    Mutant(
        name="backup taken for stored",
        file="actors/domain/rules/notices.py",
        old="    BACKUPED: StorageStatus.BACKUP,\n",
        new="    BACKUPED: StorageStatus.STORED,\n",
        case="seed 0",
        why="what lies in the provider's backup is not there yet",
    ),
    Mutant(
        name="lease ignored by those who claim",
        file="actors/system.py",
        old="                self._abandon(handle, OwnedByAnotherNode())\n",
        new="                handle.mailbox.refuse_users(OwnedByAnotherNode())\n",
        case="seed 0",
        why="a meeting that another node owns is none of ours",
    ),
    Mutant(
        name="new incarnation keeps its actors",
        file="actors/heartbeat.py",
        old='        if lapsed:\n            log.warning("node.lapsed", incarnation=incarnation)\n            self._system.let_go()\n',
        new="",
        case="seed 0",
        why="what a node owned before its lease ran out it may own no more",
    ),
    Mutant(
        name="node with a taken name goes on",
        file="actors/heartbeat.py",
        old="        self._lease.lose()\n        self._system.let_go()\n        self.ousted.set()\n",
        new="",
        case="seed 0",
        why="a name is held by one process at a time",
    ),
    Mutant(
        name="answers dropped when a node lets go",
        file="actors/lease.py",
        old="        return self.age_seconds < self._settings.let_go_seconds\n",
        new="        return True\n",
        case="seed 0",
        why="without its lease a node ends its actors",
    ),
    Mutant(
        name="unowned meetings not looked for",
        file="actors/reconciler.py",
        old="        for meeting_id in await self._ports.ownership.unowned(self._settings.batch):\n            self._system.wake(meeting_id)\n",
        new="",
        case="seed 0",
        why="after a crash nobody else comes by",
    ),
    Mutant(
        name="inbox not looked through",
        file="actors/reconciler.py",
        old="        for meeting_id, notice in await self._ports.inbox.unprocessed(stale_ms, self._settings.batch):\n            self._system.report(meeting_id, notice)\n",
        new="        del stale_ms\n",
        case="seed 0",
        why="a notification that was stored before a crash must be applied after it",
    ),
    Mutant(
        name="recorders not remembered",
        file="actors/meeting.py",
        old="            recorders=_recorder_rows(step),\n",
        new="            recorders=(),\n",
        case="seed 0",
        why="who is ours is known by the rows that are written when an attempt opens",
    ),
    Mutant(
        name="call sent twice at a time",
        file="actors/system.py",
        old="        if key in handle.in_flight or self._draining:\n",
        new="        if self._draining:\n",
        case="seed 0",
        why="what is in flight is not sent again at each step",
    ),
)
