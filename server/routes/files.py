"""Files that operators add to a recording that is over: stored beside its own, then all of it is proven again."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

import orjson
from aiohttp import hdrs, web

from actors.domain.commands import AttachFile, Refused
from actors.domain.model import Actor, ActorKind, Phase, Recording
from actors.domain.projections import OVER_PHASES
from actors.errors import CommandOutcomeUnknown, OwnedByAnotherNode
from actors.mailbox import Answer
from actors.reading import Records
from actors.system import ActorSystem
from server.answers import as_problems, etag_of, json
from server.errors import Problem, invalid
from server.idempotency import command_key
from server.params import parse_body, parse_query, read_json
from server.policy import OPERATOR_UPLOAD, PRINCIPAL, route
from server.preferences import Patience, patience_of
from server.render import Renderer
from server.routes.lookup import allowed_recording
from server.schemas import FILE_NAME, AttachBody, AttachParameters
from server.settings import HttpSettings

CHUNK_BYTES = 256 * 1024
CLOSED = {
    Phase.ABORTED: "recording_aborted",
    Phase.DELETING: "recording_deleted",
    Phase.DELETED: "recording_deleted",
}
"""What is over, and takes no file all the same."""
ELSEWHERE = "another server has a live recording of this meeting: send the file again when that is over, or have it fetched by url"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file beside those of a recording. `new`: it was not there before."""

    key: str
    size: int
    new: bool


class Files(Protocol):
    """Stores files. All raise Problem, and then nothing is stored."""

    async def receive(
        self, prefix: tuple[str, ...], name: str, chunks: AsyncIterable[bytes], content_type: str, size: int | None
    ) -> Attached: ...

    async def fetch(self, prefix: tuple[str, ...], name: str, url: str) -> Attached: ...

    async def discard(self, file: Attached) -> None: ...


class FileRoutes:
    """A file is stored first and told of afterwards: of one that nobody was told of, only its bytes stay behind."""

    def __init__(
        self, system: ActorSystem, records: Records, files: Files, renderer: Renderer, http: HttpSettings
    ) -> None:
        self._system = system
        self._records = records
        self._files = files
        self._renderer = renderer
        self._http = http

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_POST, "/api/v1/recordings/{id}/files", self.attach, policy=OPERATOR_UPLOAD)

    async def attach(self, request: web.Request) -> web.Response:
        """201 once all is proven again, 202 if that is still open when the wait is over."""
        recording = await allowed_recording(request, self._records)
        _check_open(recording)
        patience = patience_of(request, self._http.stop_wait_seconds, self._http.wait_seconds_max)
        file, said = await self._stored(request, recording)
        command = AttachFile(
            recording_id=recording.recording_id,
            key=file.key,
            file_size=file.size,
            by=Actor(ActorKind.USER, request[PRINCIPAL].sub),
        )
        with as_problems():
            try:
                answer = await self._system.ask(recording.meeting_id, command, command_key(request, said))
            except CommandOutcomeUnknown:
                raise  # it may be told of
            except OwnedByAnotherNode:
                await self._files.discard(file)
                if request.content_type == "application/json":
                    raise  # that one can fetch it, too
                raise Problem("overloaded", ELSEWHERE) from None
            except BaseException:
                await self._files.discard(file)
                raise
            if isinstance(answer.reply, Refused):
                await self._files.discard(file)
                raise Problem(answer.reply.code)
            found = await self._system.wait(recording.meeting_id, recording.recording_id, _is_proven, patience.seconds)
        return self._answer(found or recording, answer, patience)

    async def _stored(self, request: web.Request, recording: Recording) -> tuple[Attached, bytes]:
        """The file, and what a repetition of the request would say too."""
        name = parse_query(request, AttachParameters).name
        if request.content_type == "application/json":
            raw = await read_json(request, self._http.body_bytes_max)
            command_key(request, raw)
            url = parse_body(raw, AttachBody).url
            file = await self._files.fetch(recording.prefix, name or _name_in(url), url)
            return file, raw
        if name is None:
            raise invalid("/name", "say what the file is to be called")
        said = orjson.dumps([name, request.content_length])
        command_key(request, said)  # before anything is stored
        chunks = request.content.iter_chunked(CHUNK_BYTES)
        return await self._files.receive(
            recording.prefix, name, chunks, request.content_type, request.content_length
        ), said

    def _answer(self, recording: Recording, answer: Answer, patience: Patience) -> web.Response:
        replayed = {"Idempotent-Replayed": "true"} if answer.replayed else {}
        headers = {"ETag": etag_of(recording), **patience.headers, **replayed}
        status = 202 if patience.is_async or not _is_proven(recording) else 201
        return json(self._renderer.recording(recording, private=True), status, headers)


def _check_open(recording: Recording) -> None:
    """Before a long body is taken in vain. The rules ask once more."""
    if recording.phase in CLOSED:
        raise Problem(CLOSED[recording.phase])
    if recording.phase not in OVER_PHASES:
        raise Problem("recording_live")


def _is_proven(recording: Recording) -> bool:
    return recording.phase is not Phase.REPROVING


def _name_in(url: str) -> str:
    """The last part of a URL's path."""
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        raise invalid("/url", "it is no URL") from None
    if FILE_NAME.fullmatch(name) is None:
        raise invalid("/name", "the URL names no file that could be called so: say how it is to be called")
    return name
