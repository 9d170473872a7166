"""acquire, start, query, update, updateLayout, stop: the order of checks and the answers of the reference (2-6, 12)."""

import secrets
import uuid
from typing import Any

from aiohttp import web

from clients.agora.simulator.gateway import Gateway, json_of
from clients.agora.simulator.life import NOTHING, Lives
from clients.agora.simulator.reports import REFUSED, Reports
from clients.agora.simulator.service import Service
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.state import State
from clients.agora.simulator.wire import (
    AcquireRequest,
    LayoutRequest,
    Refused,
    StartRequest,
    StopRequest,
    UpdateRequest,
    Wire,
    checked,
    names_of,
)

MODES = ("individual", "mix", "web")
BASE = "/v1/apps/{appid}/cloud_recording"
OF_RESOURCE = BASE + "/resourceid/{resourceid}"
OF_SESSION = OF_RESOURCE + "/sid/{sid}/mode/{mode}"
NOT_FOUND = Refused(404, 404, "failed to find worker")
LEAVING = Refused(400, 49, "invalid operation")
UNPARSABLE = Refused(400, 1001, "the resource id cannot be parsed")
MISMATCH = Refused(400, 432, "appid, cname or uid does not match the resource id")
OF_ANOTHER = Refused(400, 1003, "appid or sid does not match the resource id")
DEFAULT_EXPIRED_HOUR = 72
HOUR_MS = 3_600_000
KEYS_MS_MIN = 4 * HOUR_MS
"""So long temporary keys must still hold when they are told (reference 3.5)."""


class Calls:
    """The REST API. Resources are single-use and kept on disk, like everything that is answered."""

    def __init__(
        self,
        settings: SimulatorSettings,
        state: State,
        service: Service,
        lives: Lives,
        reports: Reports,
        gateway: Gateway,
    ) -> None:
        self._settings = settings
        self._state = state
        self._service = service
        self._lives = lives
        self._reports = reports
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{BASE}/acquire", self._gateway.passing("acquire", self.acquire))
        app.router.add_post(f"{OF_RESOURCE}/mode/{{mode}}/start", self._gateway.passing("start", self.start))
        app.router.add_get(f"{OF_SESSION}/query", self._gateway.passing("query", self.query), allow_head=False)
        app.router.add_post(f"{OF_SESSION}/update", self._gateway.passing("update", self.update))
        app.router.add_post(f"{OF_SESSION}/updateLayout", self._gateway.passing("updateLayout", self.update_layout))
        app.router.add_post(f"{OF_SESSION}/stop", self._gateway.passing("stop", self.stop))
        app.router.add_get("/v1/ncs/ip", self._gateway.passing("ncs_ip", self.sender_addresses), allow_head=False)

    async def acquire(self, request: web.Request) -> web.Response:
        cname, uid, client_request = names_of(json_of(request), "Acquire")
        checked(AcquireRequest, client_request, "Acquire")
        if len(self._service.running()) >= self._settings.max_recorders:
            raise Refused(400, 406, "vendor_over_load")
        resource_id = secrets.token_urlsafe(240)
        names = {"cname": cname, "uid": uid, "appid": request.match_info["appid"]}
        resource = {**names, "at": self._service.now_ms(), "request": client_request}
        self._state.put("resources", resource_id, resource)
        return web.json_response({"cname": cname, "uid": uid, "resourceId": resource_id})

    async def start(self, request: web.Request) -> web.Response:
        self._check_mode(request)
        resource_id = request.match_info["resourceid"]
        resource = self._state.get("resources", resource_id)
        if resource is None:
            raise UNPARSABLE
        cname, uid, client_request = names_of(json_of(request), "Start")
        if (resource["cname"], resource["uid"], resource["appid"]) != (cname, uid, request.match_info["appid"]):
            raise MISMATCH
        self._check_unused(resource)
        if resource["request"].get("scene", 0) != 0:
            raise Refused(400, 2, "Start: the scene of the resource does not fit mode mix!")
        if any(session.recorder_uid == uid for session in self._service.running(cname)):
            raise Refused(400, 53, "task conflict")
        checked(StartRequest, client_request, "Start")
        self._check_keys(client_request["storageConfig"], "Start")
        if resource["request"].get("startParameter") not in (None, {}, client_request):
            raise Refused(400, 2, "Start: request_hash mismatch!")
        session = self._open(resource_id, resource, client_request)
        return web.json_response({**_names(session), "sid": session.sid})

    async def query(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session.ended_at is not None and self._gone(session):
            raise NOT_FOUND
        status = {"status": self._service.status_of(session), "sliceStartTime": session.started_at}
        return web.json_response({**_names(session), "serverResponse": {**status, **session.file_list()}})

    async def update(self, request: web.Request) -> web.Response:
        session, wanted = self._live(request, UpdateRequest, "Update")
        subscription = wanted.get("streamSubscribe") or {}
        if subscription.get("videoUidList") is not None and not session.has_video:
            raise Refused(400, 2, "Update: a video list with streamTypes 0")
        storage = wanted.get("storageConfig")
        if storage is not None:
            self._check_keys(storage, "Update")
            session.rekey(storage)
        session.subscribe(subscription)
        return self._updated(session)

    async def update_layout(self, request: web.Request) -> web.Response:
        session, wanted = self._live(request, LayoutRequest, "UpdateLayout")
        session.arrange(wanted)
        return self._updated(session)

    def _live(self, request: web.Request, model: type[Wire], call: str) -> tuple[Session, dict[str, Any]]:
        """The session of an update, which must be a live one (reference 5), and its `clientRequest`."""
        session = self._session(request)
        client_request = self._names_checked(request, session, call)
        checked(model, client_request, call)
        if session.ended_at is not None:
            raise NOT_FOUND
        return session, client_request

    def _updated(self, session: Session) -> web.Response:
        self._reports.keep(session)
        return web.json_response(_names(session))

    async def stop(self, request: web.Request) -> web.Response:
        session = self._session(request)
        client_request = self._names_checked(request, session, "Stop")
        checked(StopRequest, client_request, "Stop")
        if session.ended_at is not None:
            if self._gone(session):
                raise NOT_FOUND
            self._reports.misfit(session, self._service.status_of(session))
            raise LEAVING
        empty = session.mute
        self._lives.end(session, NOTHING if empty else "stopped")
        if client_request.get("async_stop") is True:
            return self._stopped(session)
        if not await self._lives.uploaded(session, self._settings.stop_seconds_max):
            raise Refused(500, 50, "the upload takes longer than 20 s")
        if not session.captured and not session.denied:
            raise Refused(206, 435, "no recorded data")
        return self._stopped(session)

    async def sender_addresses(self, request: web.Request) -> web.Response:
        return web.json_response({"data": {"service": {"hosts": [{"primaryIP": "127.0.0.1"}]}}})

    def _stopped(self, session: Session) -> web.Response:
        safe = "backuped" if session.backuped or session.denied else "uploaded"
        uploading = safe if session.finished else "unknown"
        files = {**session.file_list(), "uploadingStatus": uploading}
        return web.json_response({**_names(session), "serverResponse": files})

    def _open(self, resource_id: str, resource: dict[str, Any], client_request: dict[str, Any]) -> Session:
        session = Session(
            sid=uuid.uuid4().hex,
            cname=resource["cname"],
            uid=resource["uid"],
            resource_id=resource_id,
            request=client_request,
            started_at=self._service.now_ms(),
            app_id=resource["appid"],
            slice_ms=round(self._settings.slice_seconds * 1000),
        )
        with self._state.together():
            self._state.put("resources", resource_id, {**resource, "sid": session.sid})
            self._service.open(session)
        return session

    def _check_mode(self, request: web.Request) -> None:
        mode = request.match_info["mode"]
        if mode not in MODES:
            raise Refused(400, 2, "invalid mode value!")
        if mode != "mix":
            raise Refused(400, 2, f"this simulator records in mode mix, not {mode}")

    def _check_unused(self, resource: dict[str, Any]) -> None:
        sid = resource.get("sid")
        session = None if sid is None else self._service.sessions.get(sid)
        if session is not None and session.ended_at is None:
            self._reports.misfit(session, self._service.status_of(session))
            raise Refused(201, 7, "already started")
        age_ms = self._service.now_ms() - resource["at"]
        if sid is not None or age_ms > self._settings.resource_seconds * 1000:
            raise Refused(400, 433, "the resource id is older than 5 minutes, or was used")

    def _check_keys(self, storage: dict[str, Any], call: str) -> None:
        ends_at = storage.get("stsExpiration")
        if ends_at is not None and ends_at * 1000 < self._service.now_ms() + KEYS_MS_MIN:
            raise Refused(400, 2, f"{call}: invalid stsExpiration value! It is less than 4 hours away")

    def _session(self, request: web.Request) -> Session:
        """The session of a call's path. Nothing of it is told once its resource has expired (reference 2)."""
        self._check_mode(request)
        resource = self._state.get("resources", request.match_info["resourceid"])
        if resource is None:
            raise UNPARSABLE
        session = self._service.sessions.get(request.match_info["sid"])
        wrong_sid = session is not None and session.resource_id != request.match_info["resourceid"]
        if wrong_sid or resource["appid"] != request.match_info["appid"]:
            raise OF_ANOTHER
        if session is None or session.dead or self._expired(session, resource):
            raise NOT_FOUND
        if session.is_moving(self._service.now_ms()):
            raise NOT_FOUND
        return session

    def _expired(self, session: Session, resource: dict[str, Any]) -> bool:
        hours = resource["request"].get("resourceExpiredHour", DEFAULT_EXPIRED_HOUR)
        return self._service.now_ms() > session.started_at + int(hours) * HOUR_MS

    def _names_checked(self, request: web.Request, session: Session, call: str) -> dict[str, Any]:
        """`clientRequest` of a call about a session, whose names must be the session's, or its present recorder's."""
        cname, uid, client_request = names_of(json_of(request), call)
        if cname != session.cname or uid not in (session.uid, session.recorder_uid):
            raise MISMATCH
        return client_request

    def _gone(self, session: Session) -> bool:
        """Leaving takes a moment after the last file; then there is no worker to be found, as where none came to be."""
        assert session.ended_at is not None
        if session.exit_reason == REFUSED:
            return True
        left_ms = session.ended_at + self._settings.leaving_seconds * 1000
        return session.finished and self._service.now_ms() >= left_ms


def _names(session: Session) -> dict[str, str]:
    return {
        "cname": session.cname,
        "uid": session.uid,
        "resourceId": session.resource_id,
        "sid": session.sid,
    }
