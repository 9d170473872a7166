"""The preflight: the looks of `/readyz` taken anew, with what to do; and starts that are refused while storage fails."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.checks import Check, Trouble
from server.health import Health
from server.routes.preflight import PreflightRoutes
from server.settings import HealthSettings
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls
from tests.unit.server.conftest import Edge, Serve, bearer
from tests.unit.server.documented import assert_documented
from tests.unit.server.test_operations import Hands, Thing
from tests.waiting import eventually

PATH = "/api/v1/preflight"


class Site:
    """A health of three checks: of storage, which costs; of something cheap; and one that only warns."""

    def __init__(self) -> None:
        self.clock, self.storage, self.redis, self.access = Hands(), Thing(), Thing(), Thing()
        self.seconds: list[tuple[str, bool]] = []
        settings = HealthSettings(timeout_seconds=0.05, costly_timeout_seconds=1.0)
        checks = [
            Check("storage", self.storage, costs=True),
            Check("redis", self.redis, "See that Redis runs."),
            Check("access", self.access, warns=True),
        ]
        self.health = Health({}, self.clock, settings, self._checked, checks)
        self.edge: Edge

    def _checked(self, name: str, ok: bool, seconds: float) -> None:
        assert seconds >= 0
        self.seconds.append((name, ok))

    async def preflight(self, **headers: str) -> tuple[int, Any]:
        sent = {**bearer(operator=True), **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.edge.client.post(PATH, headers=sent) as response:
            told = await response.json(content_type=None)
            assert_documented("POST", PATH, response.status, told, response.headers)
            return response.status, told

    async def checks(self) -> dict[str, Any]:
        _, report = await self.preflight()
        return {check["name"]: check for check in report["checks"]}


@pytest.fixture
async def site(serve: Serve) -> Site:
    made = Site()
    made.edge = await serve(PreflightRoutes(made.health).add_to)
    return made


async def test_it_says_of_each_check_what_was_found(site: Site) -> None:
    assert await site.preflight() == (
        200,
        {
            "ok": True,
            "checks": [
                {
                    "name": name,
                    "ok": True,
                    "detail": "answers",
                    "since": "2026-09-21T14:13:20.000Z",
                    "severity": severity,
                    "advice": None,
                }
                for name, severity in (("storage", "error"), ("redis", "error"), ("access", "warning"))
            ],
        },
    )
    assert sorted(site.seconds) == [("access", True), ("redis", True), ("storage", True)]


async def test_it_says_what_to_do(site: Site) -> None:
    site.storage.trouble = Trouble("the keys cannot write", "Let them.")
    site.redis.trouble = Trouble("is away")
    status, report = await site.preflight()
    assert (status, report["ok"]) == (200, False)
    checks = {check["name"]: check for check in report["checks"]}
    assert (checks["storage"]["ok"], checks["storage"]["detail"]) == (False, "the keys cannot write")
    assert (checks["storage"]["advice"], checks["redis"]["advice"]) == ("Let them.", "See that Redis runs.")


async def test_a_warning_does_not_count_and_is_for_operators(site: Site) -> None:
    site.access.trouble = Trouble("is not blocked", "Block it.")
    status, report = await site.preflight()
    assert (status, report["ok"], report["checks"][2]["ok"]) == (200, True, False)
    readiness = await site.health.report()
    assert (readiness["status"], set(readiness["checks"])) == ("ready", {"storage", "redis"})


async def test_it_is_for_operators(site: Site) -> None:
    async with site.edge.client.post(PATH, headers=bearer({"*": "HOST"})) as response:
        assert response.status == 403
    assert (await site.preflight(Idempotency_Key="a b"))[0] == 400


async def test_it_looks_anew_whatever_was_found_before(site: Site) -> None:
    await site.preflight()
    assert (await site.checks())["storage"]["ok"] is True
    assert site.storage.looks == 2
    await site.health.report()
    assert site.storage.looks == 2  # one that costs is not due yet


async def test_a_look_that_is_under_way_is_not_taken_for_a_new_one(site: Site) -> None:
    site.storage.goes_on.clear()
    await site.health.report()
    assert site.storage.looks == 1
    asked = asyncio.create_task(site.health.preflight())
    await asyncio.sleep(0)
    site.storage.goes_on.set()
    assert (await asked)["ok"] is True
    assert site.storage.looks == 2


async def test_a_slow_look_keeps_nobody_and_counts_as_failed_only_when_it_is_late(site: Site) -> None:
    await site.health.report()
    site.clock.ms += 30_000
    site.storage.goes_on.clear()
    assert (await site.health.report())["status"] == "ready"  # after 0.05 s, of 1
    checks = await site.checks()
    assert (checks["storage"]["ok"], checks["storage"]["detail"]) == (False, "no answer within 1 s")
    assert site.storage.looks == 2  # and no other one beside it
    site.storage.goes_on.set()

    async def works() -> bool:
        return site.health.trouble_with("storage") is None

    await eventually(works)


async def test_trouble_elsewhere_has_it_looked_at_at_once(site: Site) -> None:
    await site.health.report()
    site.storage.trouble = Trouble("the keys are gone")
    for _ in range(3):
        site.health.suspect("storage")

    async def failed() -> bool:
        return site.health.trouble_with("storage") == "the keys are gone"

    await eventually(failed)
    assert site.storage.looks == 2
    site.health.suspect("storage")  # it is known, and looked at again soon
    await asyncio.sleep(0)
    assert (site.storage.looks, site.redis.looks) == (2, 1)


async def test_what_fails_is_looked_at_again_sooner_and_clears_itself(site: Site) -> None:
    site.storage.trouble = Trouble("gone")
    assert (await site.health.report())["status"] == "degraded"
    site.storage.trouble = None
    site.clock.ms += 9_999
    assert (await site.health.report())["status"] == "degraded"
    site.clock.ms += 1
    assert (await site.health.report())["status"] == "ready"
    assert site.health.trouble_with("storage") is None


async def test_what_has_not_been_looked_at_is_no_trouble(site: Site) -> None:
    assert site.health.trouble_with("storage") is None


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


async def test_while_storage_fails_nothing_starts_and_what_is_live_goes_on(calls: Calls) -> None:
    live = await calls.start("live")
    await calls.in_state(live, "active")
    calls.broken = "the recorder's keys cannot write"
    status, problem, headers = await calls.call("POST", "/meetings/other/recording/start", token=host())
    assert (status, problem["code"], problem["retryable"]) == (503, "storage_unavailable", True)
    assert "the recorder's keys cannot write" in problem["detail"]
    assert headers["Retry-After"] == "10"
    assert (await calls.read("/recordings", token=OPERATOR))["total"] == 1
    assert (await calls.stop("live"))["id"] == live["id"]
    calls.broken = None
    await calls.start("other")
