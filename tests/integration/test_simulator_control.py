"""The control calls of api.md 7."""

import asyncio
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from clients.agora.simulator.control import Control
from clients.agora.simulator.faults import Faults
from clients.agora.simulator.settings import SimulatorSettings
from tests.integration.conftest import Begin


async def test_info_faults_and_requests(begin: Begin) -> None:
    bench = await begin(faults={"query.slow": 0.0}, seed=7)
    status, info = await bench.ask("GET", "/_simulator/info", auth=None)
    assert (status, info["simulator"], info["seed"], info["fired"]) == (200, "tapedeck", 7, {})
    assert (info["storage"], info["faults"]) == (str(bench.root), {"query.slow": 0.0})
    status, told = await bench.ask("PUT", "/_simulator/faults", {"start.nonsense": 1})
    assert status == 400
    assert "start.answer_lost" in told
    assert (await bench.ask("PUT", "/_simulator/faults", {"start.slow": 2}))[0] == 400
    assert (await bench.ask("PUT", "/_simulator/faults", b"["))[0] == 400
    assert await bench.ask("GET", "/_simulator/faults") == (200, {"query.slow": 0.0})
    take = await bench.record()
    await take.query()
    _, told = await bench.ask("GET", "/_simulator/requests?limit=2")
    assert [(item["call"], item["status"], item["fault"]) for item in told["items"]] == [
        ("query", 200, None),
        ("start", 200, None),
    ]
    assert (await bench.ask("GET", "/_simulator/requests?limit=x"))[0] == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"\\ud800": 1}', b'{"start.slow": NaN}', b'{"start.slow": 1e999}'],
)
async def test_a_body_that_is_none_is_refused_and_changes_nothing(begin: Begin, body: bytes) -> None:
    bench = await begin(faults={"query.slow": 0.0})
    assert (await bench.ask("PUT", "/_simulator/faults", body))[0] == 400
    assert await bench.ask("GET", "/_simulator/faults") == (200, {"query.slow": 0.0})


@pytest.mark.parametrize("header", [{"Content-Encoding": "gzip"}, {"Content-Type": "application/json; charset=none"}])
async def test_what_a_header_says_of_a_body_breaks_nothing(begin: Begin, header: dict[str, str]) -> None:
    bench = await begin()
    url = bench.server.make_url("/_simulator/faults")
    async with aiohttp.request("PUT", url, data=b"nothing", headers=header) as answer:
        assert answer.status == 400


async def test_control_is_for_this_host_unless_it_is_open(tmp_path: Path) -> None:
    far = Mock()
    far.get_extra_info = {"peername": ("192.0.2.1", 4)}.get
    request = make_mocked_request("GET", "/_simulator/faults", transport=far)
    faults = Faults({}, 1)
    folders = {"state_dir": tmp_path, "storage_root": tmp_path}
    shut = Control(SimulatorSettings(**folders), Mock(), Mock(), faults)
    with pytest.raises(web.HTTPForbidden):
        await shut.faults(request)
    assert (await shut.info(request)).status == 200
    opened = Control(SimulatorSettings(**folders, control_open=True), Mock(), Mock(), faults)
    assert (await opened.faults(request)).status == 200


async def test_sessions_by_channel(begin: Begin) -> None:
    bench = await begin()
    await bench.record("m-1")
    take = await bench.record("m-2")
    _, told = await bench.ask("GET", "/_simulator/sessions?cname=m-2")
    (item,) = told["items"]
    assert (item["sid"], item["cname"], item["uid"], item["mode"]) == (take.sid, "m-2", "77", "mix")
    assert (item["resourceId"], item["endedAt"], item["exitReason"]) == (take.resource, None, None)
    assert (await bench.ask("PUT", "/_simulator/channels/m-2", {"users": ["me"]}))[0] == 400


async def test_many_sessions_at_once(begin: Begin) -> None:
    bench = await begin(max_recorders=60)
    takes = await asyncio.gather(*(bench.record(f"m-{number}", str(100 + number)) for number in range(40)))
    await asyncio.gather(*(take.has_slices(1) for take in takes))
    stopped = await asyncio.gather(*(take.stop() for take in takes))
    assert {status for status, _ in stopped} == {200}
    assert len(list(bench.root.rglob("*.mp4"))) == 40
