"""The metrics of a running server against what its clients saw, and against what the provider says of the same calls."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from scripts.metrics import PAGE
from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.scraped import Scraped, scrape
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
STATUS_OF = {"ok": 200, "not_found": 404}


class Site:
    """A provider that doubles notifications and spoils the signature of some, a server, and its caller."""

    def __init__(self, simulator: Simulator, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.server = server
        self.http = http
        self.host = Client(http, server)

    async def scrape(self) -> Scraped:
        return await scrape(self.http, self.server)


@pytest_asyncio.fixture(loop_scope="module")
async def site(fresh: Fresh, http: aiohttp.ClientSession, tmp_path_factory: Any) -> AsyncIterator[Site]:
    port = free_port()
    webhooks = ("--webhook-url", f"http://127.0.0.1:{port}/api/v1/webhooks/agora", "--webhook-secret", "known")
    faults = ("--fault", "webhook.doubled=1", "--fault", "webhook.bad_signature=0.3", "--seed", "4")
    async with Simulator(tmp_path_factory.mktemp("metrics"), *webhooks, *faults) as simulator:
        environment = simulator.environment(PORT=str(port), AGORA_WEBHOOK_SECRET="known")
        yield Site(simulator, await fresh(**environment), http)


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


async def test_they_are_what_a_client_saw(site: Site) -> None:
    host = site.host
    started = await host.start("mt-1", {}, **{"Idempotency-Key": "k-1"})
    active = await host.in_state(started["id"], "active")
    assert (await host.call("POST", "/api/v1/meetings/mt-1/recording/start", {}, {"Idempotency-Key": "k-1"}))[0] == 201
    for _ in range(3):
        assert (await host.call("POST", "/api/v1/meetings/mt-1/recording/start"))[0] == 409
    during = await site.scrape()
    assert during("recordings", state="active") == 1
    assert during("recordings", state="stopping") == 0
    assert 0 < during("oldest_recording_seconds", state="active") < 60
    assert during("live_recorders", purpose="recording") == 1
    assert during("time_to_active_seconds_count") == 1
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/history")
    times = {item["type"]: item["time"] for item in history["items"]}
    assert during("time_to_active_seconds_sum") == pytest.approx(
        seconds_between(active["createdAt"], times["recording.active"])
    )
    ended = await host.stop("mt-1")
    assert (await host.call("POST", "/api/v1/meetings/mt-1/recording/stop"))[0] == 409

    after = await site.scrape()
    assert +after.by("recordings", "state") == {("completed",): 1}
    assert after("live_recorders", purpose="recording") == 0
    assert after("recordings_ended_total", state="completed") == 1
    assert after("stop_to_end_seconds_count", state="completed") == 1
    assert after("stop_to_end_seconds_sum", state="completed") == pytest.approx(
        seconds_between(ended["stopRequestedAt"], ended["completedAt"])
    )
    assert after.by("commands_total", "kind", "outcome") == {
        ("StartRecording", "accepted"): 1,
        ("StartRecording", "replayed"): 1,
        ("StartRecording", "recording_already_active"): 3,
        ("StopRecording", "accepted"): 1,
        ("StopRecording", "no_active_recording"): 1,
    }
    assert after("mailbox_depth_count") == 7
    start_route = "/api/v1/meetings/{meetingId}/recording/start"
    assert after("http_requests_total", method="POST", route=start_route, status="409") == 3
    assert after("commit_seconds_count") > 5
    assert after("quarantined_meetings") == 0
    assert after("overdue_deadlines", state="processing") == 0

    assert 0 <= after("agora_call_budget_left") <= after("limit", setting="agora.requests_per_second") == 10
    await the_provider_agrees(site)


async def the_provider_agrees(site: Site) -> None:
    """Calls by name and status, and notifications by what became of them."""

    async def same_calls() -> bool:
        asked = await site.simulator.control(site.http, "requests?limit=1000")
        theirs = Counter((item["call"], item["status"]) for item in asked["items"])
        found = (await site.scrape()).by("agora_calls_total", "call", "outcome")
        ours = Counter({(call, STATUS_OF[outcome]): count for (call, outcome), count in found.items()})
        return ours == theirs and {call for call, _ in ours} >= {"ncs_ip", "acquire", "start", "stop"}

    async def same_notifications() -> bool:
        fired = (await site.simulator.control(site.http, "info"))["fired"]
        found = await site.scrape()
        came = found.by("http_requests_total", "route")[("/api/v1/webhooks/agora",)]
        results = found.by("webhooks_total", "result")
        assert sum(results.values()) == came
        return (
            results[("bad_signature",)] == fired["webhook.bad_signature"]
            and results[("repeated",)] > 0
            and results[("stored",)] >= 3
        )

    await eventually(same_calls, 30)
    await eventually(same_notifications, 30)
    assert 0 <= (await site.scrape())("seconds_since_last_webhook") < 60


async def test_streams_are_counted_while_they_are_open(
    host: Client, server: RunningServer, http: aiohttp.ClientSession
) -> None:
    async def subscribers() -> dict[tuple[str, ...], int]:
        return (await scrape(http, server)).by("subscribers", "transport")

    async def are(websockets: int, sse: int) -> bool:
        return await subscribers() == {("websocket",): websockets, ("sse",): sse}

    assert await are(0, 0)
    url, headers = f"{server.url}/api/v1/meetings/mt-2/events", {"Authorization": f"Bearer {host.token}"}
    async with http.ws_connect(url, headers=headers) as socket, http.get(url, headers=headers) as events:
        await socket.receive_json()
        await events.content.readuntil(b"\n\n")
        assert await are(1, 1)
        async with http.get(
            f"{server.url}/api/v1/events", headers={"Authorization": f"Bearer {operator()}"}
        ) as all_of_them:
            await all_of_them.content.readuntil(b"\n\n")
            assert await are(1, 2)

    async def gone() -> bool:
        return await are(0, 0)

    await eventually(gone)


def operator() -> str:
    return token_for("operator-1", operator=True)


async def test_the_page_tells_of_exactly_what_is_served(server: RunningServer, http: aiohttp.ClientSession) -> None:
    served = (await scrape(http, server)).families
    told = re.findall(r"^\| `(\w+?)(?:_total)?` \| (\w+) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert served == dict(told)
    assert all(name.startswith("tapedeck_") for name in served)
