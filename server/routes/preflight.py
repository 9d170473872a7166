"""Everything looked at before it is needed: what works, what does not, and what to do about it."""

from aiohttp import hdrs, web

from server.answers import json
from server.health import Health
from server.idempotency import command_key
from server.params import parse_query
from server.policy import OPERATOR, route
from server.schemas import NoParameters


class PreflightRoutes:
    """The same looks as those of `/readyz`, taken anew."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_POST, "/api/v1/preflight", self.preflight, policy=OPERATOR)

    async def preflight(self, request: web.Request) -> web.Response:
        """200 whatever is found. Nothing is changed, so a repetition with the same key looks again."""
        parse_query(request, NoParameters)
        command_key(request, b"{}")
        return json(await self._health.preflight())
