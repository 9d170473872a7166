"""Wires the simulator: one aiohttp application, in a process of its own or inside a server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from clients.agora.simulator.bans import Bans
from clients.agora.simulator.calls import Calls
from clients.agora.simulator.channels import Channels
from clients.agora.simulator.control import Control
from clients.agora.simulator.faults import Faults
from clients.agora.simulator.gateway import Gateway
from clients.agora.simulator.life import Lives
from clients.agora.simulator.listcalls import ListCalls
from clients.agora.simulator.members import Members
from clients.agora.simulator.reports import Reports
from clients.agora.simulator.requestlog import RequestLog
from clients.agora.simulator.rulecalls import RuleCalls
from clients.agora.simulator.rules import Rules
from clients.agora.simulator.service import Service
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.shelves import Shelves
from clients.agora.simulator.state import State
from clients.agora.simulator.studio import Studio
from clients.agora.simulator.webhooks import Webhooks
from clients.storage.local import LocalStore


def build_simulator(
    settings: SimulatorSettings,
    store: LocalStore,
    now: Callable[[], float] = time.time,
    struck: Callable[[str], None] | None = None,
) -> web.Application:
    """The service. Its start takes up what a death left, its cleanup leaves everything on disk. Raises UnknownFault.

    `struck` is told the name of each fault that strikes.
    """
    faults = Faults(settings.faults, settings.seed, struck)
    state = State(settings.state_dir)

    def now_ms() -> int:
        return round(now() * 1000)

    shelves = Shelves(store, amazon=settings.amazon)
    studio = Studio(shelves, settings.state_dir, settings.media, faults)
    webhooks = Webhooks(settings, state, faults, now_ms)
    channels, rules = Channels(state, round(settings.list_lag_seconds * 1000), now_ms()), Rules(state)
    reports = Reports(state, webhooks, channels, now_ms)
    lives = Lives(settings, studio, reports, now_ms)
    service = Service(settings, state, channels, rules, reports, lives, faults, now_ms)
    bans = Bans(rules, service)
    log = RequestLog(state)
    gateway = Gateway(settings, faults, log, now)

    async def run(app: web.Application) -> AsyncIterator[None]:
        await studio.prepare()
        bans.strike()
        service.resume()
        tasks = [asyncio.create_task(work) for work in (webhooks.run(), service.beat(), bans.run())]
        yield
        await gateway.stop()
        await lives.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await webhooks.stop()
        studio.close()
        await shelves.close()
        state.close()

    @web.middleware
    async def route_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return gateway.refuse_route(request)
        return await handler(request)

    app = web.Application(middlewares=[route_errors], client_max_size=1024 * 1024)
    app.cleanup_ctx.append(run)
    Calls(settings, state, service, lives, reports, gateway).add_to(app)
    RuleCalls(settings, rules, bans, gateway).add_to(app)
    ListCalls(Members(settings, channels, service), gateway).add_to(app)
    Control(settings, service, log, faults).add_to(app)
    return app
