"""Health, readiness and metrics, as an operator's tools ask for them."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from actors.ports import JournalUnavailable
from clients.postgres.standing import Group, Standing
from server.checks import Check, Trouble
from server.config import Config
from server.gauges import ServerMetrics, StateMetrics
from server.health import Health
from server.metrics import ActorMetrics
from server.routes.operations import OperationRoutes
from server.scrape import Scrape
from server.settings import HealthSettings
from tests.unit.server.conftest import Edge, Serve
from tests.unit.server.documented import assert_documented
from tests.waiting import eventually

MODE = {"agora": "simulated", "storage": "local", "database": "embedded", "redis": "embedded"}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def now_ms(self) -> int:
        return self.ms


class Thing:
    """Something to look at: works, fails or hangs."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.looks = 0

    async def __call__(self) -> str:
        self.looks += 1
        await self.goes_on.wait()
        if self.trouble is not None:
            raise self.trouble
        return "answers"


class Site:
    """The routes over two things, of which the database is vital, and a database that is asked how things stand."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.database, self.agora = Hands(), Thing(), Thing()
        self.registry = CollectorRegistry()
        self.actors, self.server = ActorMetrics(self.registry), ServerMetrics(self.registry)
        self.standing: Standing | None = Standing(
            {"active": Group(2, 60.0, 1)}, {"completed": 7}, recorders=2, evicting=1, calls_left=9.5
        )
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.reads = 0
        settings = HealthSettings(timeout_seconds=0.2)
        checks = [Check("database", self.database, vital=True), Check("agora", self.agora, costs=True)]
        self.health = Health(MODE, self.clock, settings, self.server.checked, checks)
        self.scrapes = Scrape(StateMetrics(self.registry), self.read, folder, lambda: 1000, 0.2)
        self.edge: Edge

    async def read(self) -> Standing:
        self.reads += 1
        await self.goes_on.wait()
        if self.standing is None:
            raise JournalUnavailable("gone")
        return self.standing

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.edge.client.get(path) as response:
            told = await response.json(content_type=None)
            assert_documented("GET", path, response.status, told, response.headers)
            return response.status, told

    async def scrape(self) -> dict[str, float]:
        async with self.edge.client.get("/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            families = text_string_to_metric_families(await response.text())
            return {f"{s.name}{sorted(s.labels.items())}": s.value for family in families for s in family.samples}


@pytest.fixture
async def site(serve: Serve, tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.edge = await serve(OperationRoutes(made.health, made.registry, made.scrapes.refresh).add_to)
    return made


async def test_the_process_is_alive_whatever_else_is_not(site: Site) -> None:
    site.database.trouble = OSError("gone")
    assert await site.get("/healthz") == (200, {"status": "alive"})


async def test_it_is_ready_when_everything_answers(site: Site) -> None:
    status, report = await site.get("/readyz")
    assert (status, report["status"], report["ready"], report["mode"]) == (200, "ready", True, MODE)
    assert set(report["checks"]) == {"database", "agora"}
    assert report["checks"]["database"] == {"ok": True, "detail": "answers", "since": "2026-09-21T14:13:20.000Z"}


async def test_without_the_provider_it_is_degraded_and_still_ready(site: Site) -> None:
    site.agora.trouble = Trouble("the credentials are refused")
    status, report = await site.get("/readyz")
    assert (status, report["status"], report["ready"]) == (200, "degraded", True)
    assert report["checks"]["agora"]["detail"] == "the credentials are refused"


async def test_without_the_database_it_is_not(site: Site) -> None:
    site.database.trouble = OSError("gone")
    status, report = await site.get("/readyz")
    assert (status, report["status"], report["ready"]) == (503, "unready", False)


async def test_a_server_that_leaves_is_not(site: Site) -> None:
    site.health.leave()
    site.clock.ms += 1000
    status, report = await site.get("/readyz")
    assert (status, report["status"]) == (503, "unready")
    assert report["checks"]["server"]["ok"] is False
    assert report["checks"]["server"]["since"] == "2026-09-21T14:13:20.000Z"


async def test_what_a_broken_part_says_is_kept_from_strangers(site: Site) -> None:
    site.database.trouble = OSError("cannot reach postgresql://user:hush-hush@host/db")
    _, report = await site.get("/readyz")
    assert report["checks"]["database"]["detail"] == "does not work: OSError"


async def test_what_hangs_is_not_waited_for_and_recovers_by_itself(site: Site) -> None:
    site.database.goes_on.clear()
    status, report = await site.get("/readyz")
    assert status == 503
    assert report["checks"]["database"] == {**report["checks"]["database"], "ok": False}
    assert "no answer" in report["checks"]["database"]["detail"]
    await site.get("/readyz")
    assert site.database.looks == 1
    site.database.goes_on.set()

    async def recovered() -> bool:
        status, _ = await site.get("/readyz")
        return status == 200

    await eventually(recovered)


async def test_it_says_since_when(site: Site) -> None:
    await site.get("/readyz")
    site.clock.ms += 1000
    site.database.trouble = OSError("gone")
    for _ in range(2):
        _, report = await site.get("/readyz")
        assert report["checks"]["database"]["since"] == "2026-09-21T14:13:21.000Z"
        site.clock.ms += 1000


async def test_a_look_that_costs_is_taken_rarely(site: Site) -> None:
    await asyncio.gather(*(site.get("/readyz") for _ in range(5)))
    assert site.agora.looks == 1
    site.clock.ms += 29_999
    await site.get("/readyz")
    assert site.agora.looks == 1
    site.clock.ms += 1
    await site.get("/readyz")
    assert site.agora.looks == 2


async def test_while_there_is_trouble_it_is_taken_more_often(site: Site) -> None:
    site.agora.trouble = Trouble("refused")
    await site.get("/readyz")
    site.agora.trouble = None
    site.clock.ms += 9_999
    assert (await site.get("/readyz"))[1]["status"] == "degraded"
    site.clock.ms += 1
    assert (await site.get("/readyz"))[1]["status"] == "ready"


async def test_many_who_ask_at_once_share_one_look(site: Site) -> None:
    site.agora.goes_on.clear()
    await asyncio.gather(*(site.get("/readyz") for _ in range(5)))
    assert site.agora.looks == 1


async def test_it_looks_also_when_nobody_asks_and_says_what_changed(site: Site) -> None:
    site.database.trouble = Trouble("gone")
    site.health.settings = HealthSettings(interval_seconds=0.01)
    with structlog.testing.capture_logs() as logs:
        watching = asyncio.create_task(site.health.watch())

        async def looked() -> bool:
            return site.database.looks > 2

        await eventually(looked)
        site.database.trouble = None

        async def recovered() -> bool:
            return site.health.checks[0].ok is True

        await eventually(recovered)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert logs == [
        {"event": "check.failed", "log_level": "warning", "check": "database", "detail": "gone"},
        {"event": "check.recovered", "log_level": "info", "check": "database", "detail": "answers"},
    ]
    assert (await site.scrape())["tapedeck_check_ok[('check', 'database')]"] == 1


async def test_metrics_tell_what_was_counted(site: Site) -> None:
    site.actors.command("StartRecording", "accepted")
    site.actors.command("StartRecording", "accepted")
    site.actors.commit(0.02)
    site.actors.quarantined(1)
    site.actors.mailbox(3)
    site.actors.call("AgoraStart", "Done")
    site.actors.fact("Wake", "nothing")
    site.server.engine_restarted("valkey")
    found = await site.scrape()
    assert found["tapedeck_commands_total[('kind', 'StartRecording'), ('outcome', 'accepted')]"] == 2
    assert found["tapedeck_facts_total[('kind', 'Wake'), ('outcome', 'nothing')]"] == 1
    assert found["tapedeck_commit_seconds_count[]"] == 1
    assert found["tapedeck_commit_seconds_sum[]"] == pytest.approx(0.02)
    assert found["tapedeck_quarantined_meetings[]"] == 1
    assert found["tapedeck_mailbox_depth_sum[]"] == 3
    assert found["tapedeck_effects_total[('call', 'AgoraStart'), ('outcome', 'Done')]"] == 1
    assert found["tapedeck_engine_restarts_total[('engine', 'valkey')]"] == 1


async def test_gauges_are_filled_when_they_are_read(site: Site) -> None:
    found = await site.scrape()
    assert found["tapedeck_recordings[('state', 'active')]"] == 2
    assert found["tapedeck_oldest_recording_seconds[('state', 'active')]"] == 60
    assert found["tapedeck_overdue_deadlines[('state', 'active')]"] == 1
    assert found["tapedeck_recordings[('state', 'stopping')]"] == 0
    assert found["tapedeck_recordings[('state', 'completed')]"] == 7
    assert found["tapedeck_recordings[('state', 'failed')]"] == 0
    assert found["tapedeck_live_recorders[('purpose', 'recording')]"] == 2
    assert found["tapedeck_live_recorders[('purpose', 'evicting')]"] == 1
    assert found["tapedeck_agora_call_budget_left[]"] == 9.5
    assert found["tapedeck_database_read[]"] == 1
    assert found["tapedeck_data_dir_free_bytes[]"] > 0
    assert found["tapedeck_storage_free_bytes[]"] == 1000


async def test_what_takes_too_long_to_count_is_not_told(site: Site) -> None:
    site.standing = Standing({"active": Group(2, 60.0, 1)}, None, recorders=2, evicting=1, calls_left=9.5)
    found = await site.scrape()
    assert found["tapedeck_recordings[('state', 'active')]"] == 2
    assert math.isnan(found["tapedeck_recordings[('state', 'completed')]"])


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_scrape_works_without_the_database(site: Site, hangs: bool) -> None:
    await site.scrape()
    if hangs:
        site.goes_on.clear()
    else:
        site.standing = None
    found, *_ = await asyncio.gather(*(site.scrape() for _ in range(5)))
    assert found["tapedeck_database_read[]"] == 0
    assert not [name for name in found if name.startswith(("tapedeck_recordings[", "tapedeck_live_recorders["))]
    assert math.isnan(found["tapedeck_agora_call_budget_left[]"])
    assert found["tapedeck_storage_free_bytes[]"] == 1000
    assert site.reads <= (2 if hangs else 6)
    site.goes_on.set()
    site.standing = Standing({}, {}, recorders=0, evicting=0, calls_left=10)

    async def recovered() -> bool:
        return (await site.scrape())["tapedeck_database_read[]"] == 1

    await eventually(recovered)


async def test_limits_stand_beside_what_they_limit(site: Site) -> None:
    site.server.limits(Config())
    found = await site.scrape()
    assert found["tapedeck_limit[('setting', 'streams.subscribers_max')]"] == 20000
    assert found["tapedeck_limit[('setting', 'agora.requests_per_second')]"] == 10
    assert found["tapedeck_limit[('setting', 'storage.min_free_bytes')]"] == 2**30
    assert not [name for name in found if "delays" in name or "port" in name or "timeout" in name]
