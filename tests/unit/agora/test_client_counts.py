"""What the client tells of each request that went out, for the metrics."""

import aiohttp
import pytest
from aioresponses import aioresponses
from prometheus_client import CollectorRegistry

from clients.agora.client import AgoraClient
from clients.agora.observing import Unobserved
from clients.agora.sending import NoAnswer, NotConnected
from server.metrics import AgoraMetrics
from tests.unit.agora.test_client import Budget, Response, account_at

URL = "https://agora.test/v1/ncs/ip"


class Counts(Unobserved):
    """A `CallObserver` that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def answered(self, call: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.calls.append((call, outcome))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (201, "unclear"), (206, "unclear"), (302, "unclear"), (400, "refused"), (401, "unauthorized"),
     (403, "refused"), (404, "not_found"), (429, "rate_limited"), (500, "error"), (504, "error")],
)  # fmt: skip
async def test_an_answer_is_counted_by_its_status(status: int, outcome: str) -> None:
    counts = Counts()
    async with aiohttp.ClientSession() as http:
        with aioresponses() as agora:
            agora.get(URL, status=status, payload={}, response_class=Response)
            await AgoraClient(http, account_at("https://agora.test"), Budget(), counts).sender_addresses()
    assert counts.calls == [("ncs_ip", outcome)]


async def test_what_got_no_answer_is_counted_too() -> None:
    counts = Counts()
    async with aiohttp.ClientSession() as http:
        with aioresponses() as agora:
            agora.get(URL, exception=TimeoutError())
            with pytest.raises(NoAnswer):
                await AgoraClient(http, account_at("https://agora.test"), Budget(), counts).sender_addresses()
        with pytest.raises(NotConnected):
            await AgoraClient(http, account_at("http://127.0.0.1:1"), Budget(), counts).sender_addresses()
    assert counts.calls == [("ncs_ip", "no_answer"), ("ncs_ip", "no_connection")]


def test_the_metrics_are_such_an_observer() -> None:
    registry = CollectorRegistry()
    metrics = AgoraMetrics(registry)
    metrics.waited("start", 0.02)
    metrics.waiting(2)
    metrics.waiting(-1)
    metrics.answered("start", "ok", 0.5)
    assert registry.get_sample_value("tapedeck_agora_calls_total", {"call": "start", "outcome": "ok"}) == 1
    assert registry.get_sample_value("tapedeck_agora_call_seconds_sum", {"call": "start"}) == 0.5
    assert registry.get_sample_value("tapedeck_agora_call_wait_seconds_sum", {"call": "start"}) == 0.02
    assert registry.get_sample_value("tapedeck_agora_calls_waiting") == 1
