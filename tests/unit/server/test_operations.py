"""Health, readiness, metrics and the document, as an operator's tools ask for them."""

import asyncio
from typing import Any

import pytest
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from server import health
from server.health import Check, Health
from server.metrics import ActorMetrics, StateMetrics
from server.routes.operations import OperationRoutes
from tests.unit.server.conftest import Edge, Serve
from tests.unit.server.documented import assert_documented

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
        self.hangs = False
        self.looks = 0

    async def __call__(self) -> str:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        return "answers"


class Site:
    """The routes over two things, of which the database is vital."""

    def __init__(self) -> None:
        self.clock, self.database, self.agora = Hands(), Thing(), Thing()
        self.registry = CollectorRegistry()
        self.state, self.actors = StateMetrics(self.registry), ActorMetrics(self.registry)
        checks = [Check("database", self.database, vital=True), Check("agora", self.agora, every_ms=30_000)]
        self.health = Health(MODE, self.clock, checks)
        self.edge: Edge

    async def refresh(self) -> None:
        self.state.recordings({"active": (2, 60.0)})
        self.state.free_bytes(1000)

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
async def site(serve: Serve) -> Site:
    made = Site()
    made.edge = await serve(OperationRoutes(made.health, made.registry, made.refresh).add_to)
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
    site.agora.trouble = ConnectionError("no route")
    status, report = await site.get("/readyz")
    assert (status, report["status"], report["ready"]) == (200, "degraded", True)
    assert report["checks"]["agora"]["detail"] == "ConnectionError: no route"


async def test_without_the_database_it_is_not(site: Site) -> None:
    site.database.trouble = OSError("gone")
    status, report = await site.get("/readyz")
    assert (status, report["status"], report["ready"]) == (503, "unready", False)


async def test_a_server_that_leaves_is_not(site: Site) -> None:
    site.health.draining = True
    status, report = await site.get("/readyz")
    assert (status, report["status"]) == (503, "unready")


async def test_what_hangs_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    site.database.hangs = True
    status, report = await site.get("/readyz")
    assert status == 503
    assert report["checks"]["database"] == {**report["checks"]["database"], "ok": False}
    assert "no answer" in report["checks"]["database"]["detail"]


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


async def test_many_who_ask_at_once_share_one_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.2)
    site.agora.hangs = True
    await asyncio.gather(*(site.get("/readyz") for _ in range(5)))
    assert site.agora.looks == 1


async def test_metrics_tell_what_was_counted(site: Site) -> None:
    site.actors.command("StartRecording", "done")
    site.actors.command("StartRecording", "done")
    site.actors.commit(0.02)
    site.actors.quarantined(1)
    site.actors.mailbox(3)
    site.actors.call("AgoraStart", "Done")
    site.state.engine_restarted("valkey")
    found = await site.scrape()
    assert found["tapedeck_commands_total[('kind', 'StartRecording'), ('outcome', 'done')]"] == 2
    assert found["tapedeck_commit_seconds_count[]"] == 1
    assert found["tapedeck_commit_seconds_sum[]"] == pytest.approx(0.02)
    assert found["tapedeck_quarantined_meetings[]"] == 1
    assert found["tapedeck_mailbox_depth_sum[]"] == 3
    assert found["tapedeck_effects_total[('call', 'AgoraStart'), ('outcome', 'Done')]"] == 1
    assert found["tapedeck_engine_restarts_total[('engine', 'valkey')]"] == 1


async def test_gauges_are_filled_when_they_are_read(site: Site) -> None:
    site.state.recordings({"stopping": (1, 1.0)})
    found = await site.scrape()
    assert found["tapedeck_recordings[('state', 'active')]"] == 2
    assert found["tapedeck_oldest_recording_seconds[('state', 'active')]"] == 60
    assert found["tapedeck_data_dir_free_bytes[]"] == 1000
    assert not [name for name in found if "stopping" in name]


async def test_the_document_is_served_as_it_is(site: Site) -> None:
    status, document = await site.get("/openapi.json")
    assert status == 200
    validate(document)


async def test_each_code_has_its_page(site: Site) -> None:
    async with site.edge.client.get("/errors/recording_live") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "recording_live" in await response.text()
    assert (await site.get("/errors/nonsense"))[1]["code"] == "not_found"
