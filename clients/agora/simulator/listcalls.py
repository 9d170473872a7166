"""Who is in a channel, and which channels there are (channel management 2)."""

from typing import Any

from aiohttp import web

from clients.agora.simulator.gateway import Gateway
from clients.agora.simulator.members import COMMUNICATION, LIVE, Members
from clients.agora.simulator.wire import Refused, is_uid

ROOT = "/dev/v1/channel"
OF_CHANNEL = ROOT + "/user/{appid}/{cname}"
AUDIENCE_MAX = 10_000
PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 100, 500
DIGITS_MAX = 9
WEB, LINUX = 7, 6
"""`platform` of people, and of recorders."""
COMMUNICATION_USER, HOST, AUDIENCE = 1, 2, 3
"""`role` of a member."""
NO_CHANNEL = {"channel_exist": False}


class ListCalls:
    def __init__(self, members: Members, gateway: Gateway) -> None:
        self._members = members
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        for path, handle in (
            (f"{ROOT}/{{appid}}", self.channels),
            (OF_CHANNEL, self.users),
            (f"{OF_CHANNEL}/hosts_only", self.hosts),
            (f"{ROOT}/user/property/{{appid}}/{{uid}}/{{cname}}", self.status),
        ):
            app.router.add_get(path, self._gateway.passing("users", handle), allow_head=False)

    async def channels(self, request: web.Request) -> web.Response:
        number = _number(request, "page_no", 0, 0)
        size = _number(request, "page_size", PAGE_SIZE_DEFAULT, 1)
        if size > PAGE_SIZE_MAX:
            raise Refused(400, None, "invalid page_size")
        found = self._members.channels(request.match_info["appid"])
        page = found[number * size : (number + 1) * size]
        items = [{"channel_name": cname, "user_count": count} for cname, count in page]
        return _success({"channels": items, "total_size": len(found)})

    async def users(self, request: web.Request) -> web.Response:
        view = self._members.view(request.match_info["appid"], request.match_info["cname"])
        people, recorders = view.uids(recorders=False), view.uids(recorders=True)
        if not view.members:
            return _success(NO_CHANNEL)
        channel = {"channel_exist": True, "mode": view.mode}
        if view.mode == COMMUNICATION:
            users = [*people, *recorders]
            return _success({**channel, "total": len(users), "users": users})
        audience = {"audience": recorders[:AUDIENCE_MAX], "audience_total": len(recorders)}
        return _success({**channel, "broadcasters": people, **audience})

    async def hosts(self, request: web.Request) -> web.Response:
        """Of a live channel only; one of communication is not seen (2.2)."""
        view = self._members.view(request.match_info["appid"], request.match_info["cname"])
        if view.mode != LIVE:
            return _success(NO_CHANNEL)
        return _success({"channel_exist": True, "mode": LIVE, "broadcasters": view.uids(recorders=False)})

    async def status(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        if not is_uid(uid):
            raise Refused(400, None, "invalid uid")
        view = self._members.view(request.match_info["appid"], request.match_info["cname"])
        member = next((member for member in view.members if member.uid == uid), None)
        if member is None:
            return _success({"in_channel": False})
        live = AUDIENCE if member.is_recorder else HOST
        return _success(
            {
                "join": member.joined_at // 1000,
                "uid": int(uid),
                "in_channel": True,
                "platform": LINUX if member.is_recorder else WEB,
                "role": live if view.mode == LIVE else COMMUNICATION_USER,
            }
        )


def _success(data: dict[str, Any]) -> web.Response:
    return web.json_response({"success": True, "data": data})


def _number(request: web.Request, name: str, default: int, least: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > DIGITS_MAX or int(text) < least:
        raise Refused(400, None, f"invalid {name}")
    return int(text)
