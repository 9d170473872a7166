"""For those who run the server: is it alive, is it ready, and what has it counted."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from server.answers import json
from server.health import Health
from server.policy import PUBLIC, route


class OperationRoutes:
    """`refresh` fills the gauges that are read on demand, before each scrape."""

    def __init__(self, health: Health, registry: CollectorRegistry, refresh: Callable[[], Awaitable[None]]) -> None:
        self._health = health
        self._registry = registry
        self._refresh = refresh

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_GET, "/healthz", self.healthz, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/readyz", self.readyz, policy=PUBLIC)
        route(app, hdrs.METH_GET, "/metrics", self.metrics, policy=PUBLIC)

    async def healthz(self, request: web.Request) -> web.Response:
        """The process is alive."""
        return json({"status": "alive"})

    async def readyz(self, request: web.Request) -> web.Response:
        """200 if it can do its work, be it with something missing; 503 if not."""
        report = await self._health.report()
        return json(report, 200 if report["ready"] else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text format."""
        await self._refresh()
        return web.Response(body=generate_latest(self._registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})
