"""`/dev/v1/kicking-rule`: make, list, change and end rules (channel management 1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from clients.agora.simulator.bans import Bans
from clients.agora.simulator.gateway import Gateway, json_of
from clients.agora.simulator.rules import Rule, Rules, shown
from clients.agora.simulator.rulewire import ChangedRule, EndedRule, NewRule, read
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.wire import Refused

log = structlog.get_logger(__name__)

PATH = "/dev/v1/kicking-rule"
UNKNOWN = Refused(404, None, "there is no such rule")
LOCAL_HOURS = 8
"""`updateAt` is China time that is labelled Z (1.3)."""


class RuleCalls:
    """An answer is given once the rule is on disk; it takes effect later."""

    def __init__(self, settings: SimulatorSettings, rules: Rules, bans: Bans, gateway: Gateway) -> None:
        self._delay_ms = round(settings.rule_delay_seconds * 1000)
        self._app_id = settings.app_id
        self._rules = rules
        self._bans = bans
        self._gateway = gateway

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(PATH, self._gateway.passing("rule", self.create))
        app.router.add_get(PATH, self._gateway.passing("rule", self.list), allow_head=False)
        app.router.add_put(PATH, self._gateway.passing("rule", self.change))
        app.router.add_delete(PATH, self._gateway.passing("rule", self.end))

    async def create(self, request: web.Request) -> web.Response:
        wanted = read(NewRule, json_of(request, None))
        self._check_app(wanted.appid)
        if wanted.cname is not None and wanted.uid is None:
            log.warning("simulator.rule_for_everybody", cname=wanted.cname)
        now_ms = self._bans.now_ms()
        rule = Rule(
            id=self._rules.next_id(),
            app_id=wanted.appid,
            cname=wanted.cname,
            uid=wanted.uid,
            ip=wanted.ip,
            privileges=list(wanted.privileges),
            created_at=now_ms,
            updated_at=now_ms,
            strikes_at=now_ms + self._delay_ms,
            expires_at=now_ms + round(wanted.seconds * 1000),
        )
        self._bans.add(rule)
        return web.json_response({"status": "success", "id": rule.id})

    async def list(self, request: web.Request) -> web.Response:
        app_id = request.query.get("appid", "")
        self._check_app(app_id)
        rules = [_listed(rule) for rule in self._rules.standing(app_id, self._bans.now_ms())]
        return web.json_response({"status": "success", "rules": rules})

    async def change(self, request: web.Request) -> web.Response:
        wanted = read(ChangedRule, json_of(request, None))
        rule = self._rule(wanted.appid, wanted.id)
        rule.updated_at = self._bans.now_ms()
        rule.expires_at = rule.updated_at + round(wanted.seconds * 1000)
        if wanted.seconds:
            self._rules.keep(rule)
        else:
            self._rules.remove(rule)
        result = {"id": rule.id, "ts": _z(rule.expires_at)}
        return web.json_response({"status": "success", "result": result})

    async def end(self, request: web.Request) -> web.Response:
        wanted = read(EndedRule, json_of(request, None))
        self._rules.remove(self._rule(wanted.appid, wanted.id))
        return web.json_response({"status": "success", "id": wanted.id})

    def _rule(self, app_id: str, number: int) -> Rule:
        self._check_app(app_id)
        standing = self._rules.standing(app_id, self._bans.now_ms())
        rule = next((rule for rule in standing if rule.id == number), None)
        if rule is None:
            raise UNKNOWN
        return rule

    def _check_app(self, app_id: str) -> None:
        if not app_id:
            raise Refused(400, None, "invalid appid")
        if self._app_id not in (None, app_id):
            raise Refused(401, None, "Invalid authentication credentials")


def _listed(rule: Rule) -> dict[str, Any]:
    updated = _z(rule.updated_at, LOCAL_HOURS)
    return {**shown(rule), "ts": _z(rule.expires_at), "createAt": _z(rule.created_at), "updateAt": updated}


def _z(at_ms: int, ahead_hours: int = 0) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=ahead_hours)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
