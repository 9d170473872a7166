"""What changes a recording: start, stop, update, end, delete. Each becomes one command, and waits for its outcome if asked to."""

from collections.abc import Callable

from aiohttp import hdrs, web

from actors.domain.commands import Accepted, DeleteRecording, Refused, StartRecording, StopRecording
from actors.domain.erasure import Lock
from actors.domain.ids import MeetingId
from actors.domain.model import Actor, ActorKind, EndReason, Failure, FailureCode, Phase, Recording, State, Want
from actors.domain.projections import OVER_PHASES, erasure_of, is_told
from actors.mailbox import Answer
from actors.ports import Ids, JournalUnavailable
from actors.reading import Records
from actors.system import ActorSystem
from server.answers import REPLAYED, as_problems, etag_of, json
from server.auth import Principal
from server.config import Config
from server.errors import Problem, invalid
from server.idempotency import command_key
from server.openings import Openings
from server.params import meeting_id_of, parse_body, parse_query, read_json
from server.policy import (
    HOSTS,
    MEETING_HOST,
    PRINCIPAL,
    RECORDING_CONTROL,
    RECORDING_DELETE,
    route,
)
from server.preferences import Patience, patience_of
from server.render import Renderer, rfc3339
from server.routes.lookup import allowed_recording
from server.schemas import NoParameters, StartBody, StopBody, UpdateBody

PREFIX = "tapedeck"
"""The first folder of every recording's files, by which they are told from what is not ours."""
RETRY_SECONDS = 5
"""By then a recording that stops or starts may have done so."""
REFUSED_BY_PROVIDER = (FailureCode.PROVIDER_REJECTED, FailureCode.PROVIDER_UNAUTHORIZED)


class CommandRoutes:
    """The handlers hold no state; `openings` tells whether another recording may begin."""

    def __init__(
        self,
        system: ActorSystem,
        records: Records,
        ids: Ids,
        renderer: Renderer,
        config: Config,
        openings: Openings,
    ) -> None:
        self._system = system
        self._records = records
        self._ids = ids
        self._renderer = renderer
        self._config = config
        self._openings = openings

    def add_to(self, app: web.Application) -> None:
        meeting, recording = "/api/v1/meetings/{meetingId}", "/api/v1/recordings/{id}"
        route(app, hdrs.METH_POST, f"{meeting}/recording/start", self.start, policy=MEETING_HOST)
        route(app, hdrs.METH_POST, f"{meeting}/recording/stop", self.stop, policy=MEETING_HOST)
        route(app, hdrs.METH_PATCH, f"{meeting}/recording", self.update, policy=MEETING_HOST)
        route(app, hdrs.METH_POST, f"{meeting}/end", self.end, policy=MEETING_HOST)
        route(app, hdrs.METH_POST, f"{recording}/stop", self.stop_one, policy=RECORDING_CONTROL)
        route(app, hdrs.METH_DELETE, recording, self.delete, policy=RECORDING_DELETE)

    async def start(self, request: web.Request) -> web.Response:
        """201 once the provider accepted the recorder, 202 if that is still open when the wait is over."""
        parse_query(request, NoParameters)
        meeting_id = MeetingId(meeting_id_of(request))
        raw = await read_json(request, self._config.http.body_bytes_max)
        body = parse_body(raw, StartBody)
        patience = self._patience(request, self._config.http.start_wait_seconds)
        with as_problems():
            obstacle = await self._openings.obstacle()
            command = self._start_command(request, meeting_id, body, obstacle)
            answer = await self._system.ask(meeting_id, command, command_key(request, raw))
            if obstacle is not None and answer.reply == Refused(obstacle.code, retryable=True):
                raise obstacle
            recording = await self._outcome(meeting_id, answer, _is_answered, patience.seconds)
        return self._started(recording, answer, patience)

    async def stop(self, request: web.Request) -> web.Response:
        """200 with the recording, in its final state if that is reached within the wait."""
        meeting_id = MeetingId(meeting_id_of(request))
        return await self._stop(request, meeting_id, EndReason.STOP_REQUESTED, None)

    async def stop_one(self, request: web.Request) -> web.Response:
        """As stop, but only ever this recording; 200 too when it is over already."""
        recording = await allowed_recording(request, self._records)
        return await self._stop(request, recording.meeting_id, self._reason(request, recording), recording)

    async def update(self, request: web.Request) -> web.Response:
        """200 once the provider has taken the change, or with the outcome still open when the wait is over."""
        parse_query(request, NoParameters)
        meeting_id = MeetingId(meeting_id_of(request))
        body = parse_body(await read_json(request, self._config.http.body_bytes_max), UpdateBody)
        patience = self._patience(request, self._config.http.update_wait_seconds)
        with as_problems():
            answer = await self._system.ask(meeting_id, body.to_command(_user(request, None)))
            recording = await self._outcome(meeting_id, answer, _until_told(answer.recording), patience.seconds)
        return self._updated(recording, answer, patience)

    async def end(self, request: web.Request) -> web.Response:
        """The meeting is over: stops what is live, and is never refused for want of it."""
        parse_query(request, NoParameters)
        meeting_id = MeetingId(meeting_id_of(request))
        answer, patience = await self._ask_to_stop(request, meeting_id, EndReason.MEETING_ENDED, None)
        recording = None
        if isinstance(answer.reply, Accepted):
            with as_problems():
                recording = await self._outcome(meeting_id, answer, _is_settled, patience.seconds)
        shown = None if recording is None else self._render(recording)
        return json({"recording": shown}, 200, {**patience.headers, **_replayed(answer)})

    async def delete(self, request: web.Request) -> web.Response:
        """Objects first, then the tombstone: 204 when it stands, 202 while that goes on, 409 if the store holds a lock on it."""
        parse_query(request, NoParameters)
        recording = await allowed_recording(request, self._records)
        command = DeleteRecording(recording_id=recording.recording_id, by=_user(request, None))
        with as_problems():
            answer = await self._system.ask(recording.meeting_id, command)
            wait_seconds = self._config.http.delete_wait_seconds
            recording = await self._outcome(recording.meeting_id, answer, _is_not_being_deleted, wait_seconds)
        if recording.lock is not None:
            raise self._locked(recording, recording.lock)
        return web.Response(status=204 if recording.phase is Phase.DELETED else 202)

    async def _stop(
        self, request: web.Request, meeting_id: MeetingId, reason: EndReason, only: Recording | None
    ) -> web.Response:
        parse_query(request, NoParameters)
        answer, patience = await self._ask_to_stop(request, meeting_id, reason, only)
        with as_problems():
            recording = await self._outcome(meeting_id, answer, _is_settled, patience.seconds)
        status = 202 if patience.is_async else 200
        headers = {"ETag": etag_of(recording), **patience.headers, **_replayed(answer)}
        return json(self._render(recording), status, headers)

    async def _ask_to_stop(
        self, request: web.Request, meeting_id: MeetingId, reason: EndReason, only: Recording | None
    ) -> tuple[Answer, Patience]:
        raw = await read_json(request, self._config.http.body_bytes_max)
        body = parse_body(raw, StopBody)
        command = StopRecording(
            by=_user(request, body.on_behalf_of),
            reason=reason,
            recording_id=None if only is None else only.recording_id,
        )
        with as_problems():
            answer = await self._system.ask(meeting_id, command, command_key(request, raw))
        return answer, self._patience(request, self._config.http.stop_wait_seconds)

    def _start_command(
        self, request: web.Request, meeting_id: MeetingId, body: StartBody, obstacle: Problem | None
    ) -> StartRecording:
        if body.channel_name is None and len(meeting_id) > 63:
            raise Problem(
                "validation_failed",
                "a meeting id of 64 characters is too long for a channel: name one",
                errors=[("/channelName", "is needed, since the meeting id has 64 characters")],
            )
        recording_id = self._ids.recording_id()
        config = self._config
        return StartRecording(
            recording_id=recording_id,
            prefix=(PREFIX, recording_id.replace("-", "")),
            spec=body.to_spec(
                meeting_id,
                config.agora.channel_type,
                config.recording.max_duration_seconds,
                config.recording.max_idle_seconds,
            ),
            by=_user(request, body.on_behalf_of),
            barred=None if obstacle is None else obstacle.code,
        )

    def _patience(self, request: web.Request, default_seconds: float) -> Patience:
        return patience_of(request, default_seconds, self._config.http.wait_seconds_max)

    async def _outcome(
        self, meeting_id: MeetingId, answer: Answer, until: Callable[[Recording], bool], seconds: float
    ) -> Recording:
        """The recording once `until` holds or the wait is over. Raises the Problem that a refusal is.

        What was accepted is stored, so a database that goes away meanwhile ends the wait, and is no 503: that would say
        that nothing was stored (api.md 1).
        """
        if isinstance(answer.reply, Refused):
            raise await self._refusal(meeting_id, answer.reply)
        if not seconds and answer.recording is not None:
            return answer.recording
        try:
            recording = await self._system.wait(meeting_id, answer.reply.recording_id, until, seconds)
        except JournalUnavailable:
            recording = answer.recording
        if recording is None:
            raise Problem("not_found", "there is no such recording")
        return recording

    def _started(self, recording: Recording, answer: Answer, patience: Patience) -> web.Response:
        shown = self._render(recording)
        told = {**patience.headers, **_replayed(answer)}
        never = recording.end_reason is EndReason.NEVER_STARTED
        failure = recording.error if recording.outcome is State.FAILED else recording.trouble if never else None
        if recording.sid is None and failure is not None:
            raise self._failed(recording, failure, told)
        if recording.sid is None and recording.want is Want.STOP:
            raise Problem("recording_aborted", headers=told, extra={"recording": shown})
        headers = {"Location": f"/api/v1/recordings/{recording.recording_id}", "ETag": etag_of(recording), **told}
        return json(shown, 202 if recording.sid is None or patience.is_async else 201, headers)

    def _updated(self, recording: Recording, answer: Answer, patience: Patience) -> web.Response:
        refusal = _refusal_since(answer.recording, recording)
        if refusal is not None:
            raise self._failed(recording, refusal, patience.headers)
        if recording.want is Want.STOP and not is_told(recording):
            raise Problem("recording_not_active", extra={"recording": self._render(recording)})
        headers = {"ETag": etag_of(recording), **patience.headers}
        return json(self._render(recording), 202 if patience.is_async else 200, headers)

    def _failed(self, recording: Recording, failure: Failure | None, headers: dict[str, str]) -> Problem:
        assert failure is not None, "what failed says why"
        known = failure.code in REFUSED_BY_PROVIDER
        code = failure.code.value if known else FailureCode.PROVIDER_REJECTED.value
        return Problem(code, failure.message, headers=headers, extra={"recording": self._render(recording)})

    def _locked(self, recording: Recording, lock: Lock) -> Problem:
        until = rfc3339(lock.until_ms)
        why = "somebody holds it, without an end" if until is None else f"it is locked until {until}"
        extra = {"lockedUntil": until, "recording": self._render(recording)}
        return Problem("recording_locked", f"The store keeps its media: {why}. Nothing was deleted.", extra=extra)

    async def _refusal(self, meeting_id: MeetingId, refused: Refused) -> Problem:
        recording = None
        if refused.recording_id is not None:
            recording = await self._records.recording(refused.recording_id)
        elif refused.code == "no_active_recording":
            recording = await self._records.latest(meeting_id)
        if refused.pointer is not None:
            return invalid(refused.pointer, "goes with streams audio_video only")
        return Problem(
            refused.code,
            retryable=refused.retryable,
            retry_after_seconds=RETRY_SECONDS if refused.retryable else None,
            extra={} if recording is None else {"recording": self._render(recording)},
        )

    def _reason(self, request: web.Request, recording: Recording) -> EndReason:
        host = request[PRINCIPAL].role_in(recording.meeting_id) in HOSTS
        return EndReason.STOP_REQUESTED if host else EndReason.OPERATOR

    def _render(self, recording: Recording) -> dict[str, object]:
        return self._renderer.recording(recording, private=True)


def _is_answered(recording: Recording) -> bool:
    """The provider has spoken, or there is nothing to wait for any more."""
    return recording.sid is not None or recording.want is Want.STOP or _is_settled(recording)


def _is_settled(recording: Recording) -> bool:
    return recording.phase in OVER_PHASES


def _until_told(before: Recording | None) -> Callable[[Recording], bool]:
    """The recorder has what is wanted, or the provider refused it since `before`, or it is being stopped."""

    def holds(recording: Recording) -> bool:
        stopped = recording.want is Want.STOP
        return stopped or is_told(recording) or _refusal_since(before, recording) is not None

    return holds


def _refusal_since(before: Recording | None, recording: Recording) -> Failure | None:
    """A change that is wanted anew forgets the refusal of the last one; what is repeated was refused to somebody else."""
    known = _refusal_of(before)
    return None if known is not None else _refusal_of(recording)


def _refusal_of(recording: Recording | None) -> Failure | None:
    attempt = None if recording is None else recording.attempt
    return None if attempt is None else attempt.update.refusal


def _is_not_being_deleted(recording: Recording) -> bool:
    return recording.phase is Phase.DELETED or erasure_of(recording) is None


def _replayed(answer: Answer) -> dict[str, str]:
    return {REPLAYED: "true"} if answer.replayed else {}


def _user(request: web.Request, on_behalf_of: str | None) -> Actor:
    principal: Principal = request[PRINCIPAL]
    if on_behalf_of is not None and not principal.is_service:
        raise Problem("forbidden", "onBehalfOf is for service tokens, those with a role in every meeting (*)")
    return Actor(ActorKind.USER, on_behalf_of or principal.sub)
