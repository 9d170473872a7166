"""The control calls: what an integrator's test asks and changes (api.md 7)."""

import re
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Any

import orjson
from aiohttp import web

from clients.agora.simulator.faults import Faults, UnknownFault
from clients.agora.simulator.requestlog import RequestLog
from clients.agora.simulator.service import Service
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.wire import is_uid

VERSION = "1"
ROOT = "/_simulator"
LIMIT = re.compile(r"[0-9]{1,9}")


class Control:
    """Answers to this host only, unless it is told otherwise; `info` to everybody."""

    def __init__(self, settings: SimulatorSettings, service: Service, log: RequestLog, faults: Faults) -> None:
        self._settings = settings
        self._service = service
        self._log = log
        self._faults = faults

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{ROOT}/info", self.info)
        app.router.add_get(f"{ROOT}/sessions", self.sessions)
        app.router.add_get(f"{ROOT}/requests", self.requests)
        app.router.add_get(f"{ROOT}/faults", self.faults)
        app.router.add_put(f"{ROOT}/faults", self.put_faults)
        app.router.add_get(f"{ROOT}/channels/{{cname}}", self.channel)
        app.router.add_put(f"{ROOT}/channels/{{cname}}", self.put_channel)

    async def info(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "simulator": "tapedeck",
                "version": VERSION,
                "storage": str(self._settings.storage_root),
                "seed": self._faults.seed,
                "faults": self._faults.rates,
                "fired": dict(self._faults.fired),
            }
        )

    async def sessions(self, request: web.Request) -> web.Response:
        self._admit(request)
        cname = request.query.get("cname")
        found = (s for s in self._service.sessions.values() if cname is None or s.cname == cname)
        return web.json_response({"items": [self._service.shown(session) for session in found]})

    async def requests(self, request: web.Request) -> web.Response:
        self._admit(request)
        limit = request.query.get("limit", "100")
        if LIMIT.fullmatch(limit) is None:
            raise web.HTTPBadRequest(text="limit is a number")
        items = [{**entry, "at": _rfc3339(entry["at"])} for entry in self._log.newest(int(limit))]
        return web.json_response({"items": items})

    async def faults(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.json_response(self._faults.rates)

    async def put_faults(self, request: web.Request) -> web.Response:
        self._admit(request)
        rates = await _object(request)
        try:
            self._faults.replace(rates)
        except UnknownFault as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.json_response(self._faults.rates)

    async def channel(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.json_response({"users": self._service.users(request.match_info["cname"])})

    async def put_channel(self, request: web.Request) -> web.Response:
        self._admit(request)
        users = (await _object(request)).get("users")
        if not isinstance(users, list) or not all(is_uid(str(user)) for user in users):
            raise web.HTTPBadRequest(text='{"users": [uid, ...]}')
        self._service.put_users(request.match_info["cname"], [str(user) for user in users])
        return web.json_response({"users": self._service.users(request.match_info["cname"])})

    def _admit(self, request: web.Request) -> None:
        if not self._settings.control_open and not is_this_host(request.remote):
            raise web.HTTPForbidden(text="control calls are for this host only (--control-open)")


def is_this_host(remote: str | None) -> bool:
    """Whether an address is a loopback one, also where IPv4 comes in over an IPv6 socket."""
    try:
        address = ip_address(remote or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except (orjson.JSONDecodeError, web.RequestPayloadError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is a JSON object")
    return body


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
