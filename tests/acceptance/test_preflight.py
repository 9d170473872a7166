"""A server whose bucket fails while it records: what is live goes on, nothing new begins, and it clears itself."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from clients.storage.s3.settings import S3Settings
from tests.acceptance.running import SECRET, Client, RunningServer, serving, token_for
from tests.fakes.buckets import told_of
from tests.fakes.faulty_proxy import FaultyProxy, Kind, faulty_proxy
from tests.waiting import eventually

OFTEN = {
    "TAPEDECK_HEALTH__INTERVAL_SECONDS": "0.5",
    "TAPEDECK_HEALTH__COSTLY_INTERVAL_SECONDS": "1",
    "TAPEDECK_SIMULATOR__SLICE_SECONDS": "1",
    "TAPEDECK_STORAGE__CALL_ATTEMPTS_MAX": "1",
}

SAID: dict[Kind, str] = {
    "no_bucket": "there is no bucket of that name",
    "slow_down": "it is asked too often",
    "skewed": "clock and the store's are too far apart",
    "silent": "cannot be reached",
    "cut_upload": "cannot be reached",
}


@pytest_asyncio.fixture
async def proxy(strict_bucket: S3Settings) -> AsyncIterator[FaultyProxy]:
    assert strict_bucket.endpoint_url is not None
    async with faulty_proxy(strict_bucket.endpoint_url) as made:
        yield made


async def test_keys_that_are_revoked_while_it_records(strict_bucket: S3Settings, proxy: FaultyProxy) -> None:
    behind = told_of(replace(strict_bucket, endpoint_url=proxy.url))
    async with serving(**OFTEN, **behind) as server, aiohttp.ClientSession() as http:
        host, operator = Client(http, server), Client(http, server, token_for("o", operator=True))
        status, report, _ = await operator.call("POST", "/api/v1/preflight")
        assert (status, report["ok"]) == (200, True), report
        names = {"database", "redis", "agora", "storage", "storage_region", "storage_public_access", "clock", "webhook"}
        assert {check["name"] for check in report["checks"]} == names
        live = await host.start("live")
        await host.in_state(live["id"], "active", 40)

        proxy.strike("revoked")
        problem, headers = await refused(host)
        assert "the access key is not known" in problem["detail"]
        assert int(headers["Retry-After"]) >= 1
        code, out = await command(server, "preflight")
        assert code == 1
        assert "storage " in out
        assert "FAILED" in out
        _, ready, _ = await host.call("GET", "/readyz")
        assert (ready["status"], ready["checks"]["storage"]["ok"]) == ("degraded", False)
        assert (await host.recording(live["id"]))["state"] == "active"
        await host.call("POST", "/api/v1/meetings/live/recording/stop", headers={"Prefer": "wait=0"})
        assert (await host.call("GET", "/api/v1/meetings/other/recordings"))[1]["total"] == 0

        proxy.heal()
        await eventually(lambda: begins(host, "other"), 30)
        ended = await host.in_state(live["id"], "completed", 60)
        assert ended["completeness"] == "complete", ended
        code, out = await command(server, "preflight")
        assert (code, "FAILED" in out) == (0, False), out
        said = server.log.read_text()
        assert "check.recovered" in said


async def test_a_failure_of_storage_is_looked_into_at_once(strict_bucket: S3Settings, proxy: FaultyProxy) -> None:
    """Not after the half minute that a look holds."""
    behind = told_of(replace(strict_bucket, endpoint_url=proxy.url))
    seldom = {"TAPEDECK_HEALTH__INTERVAL_SECONDS": "3600", "TAPEDECK_HEALTH__COSTLY_INTERVAL_SECONDS": "3600"}
    async with serving(**{**OFTEN, **seldom}, **behind) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        live = await host.start("live")
        await host.in_state(live["id"], "active", 40)
        proxy.strike("denied")
        assert await begins(host, "before")  # nobody has noticed
        await host.call("POST", "/api/v1/meetings/live/recording/stop", headers={"Prefer": "wait=0"})
        await refused(host)
        proxy.heal()


PASSING: tuple[Kind, ...] = ("no_bucket", "slow_down", "skewed", "silent", "cut_upload")


async def test_a_fault_that_passes_loses_nothing(strict_bucket: S3Settings, proxy: FaultyProxy) -> None:
    """Each in the middle of a recording; starts are refused meanwhile, and by the name of the fault."""
    behind = told_of(replace(strict_bucket, endpoint_url=proxy.url))
    impatient = {"TAPEDECK_STORAGE__SILENCE_SECONDS_MAX": "1", "TAPEDECK_STORAGE__CALL_SECONDS_MAX": "2"}
    async with serving(**{**OFTEN, **impatient}, **behind) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        for kind in PASSING:
            live = await host.start(kind)
            await host.in_state(live["id"], "active", 40)
            proxy.strike(kind, method="PUT" if kind == "cut_upload" else None)
            problem, _ = await refused(host)
            assert SAID[kind] in problem["detail"], problem
            proxy.heal()
            await host.call("POST", f"/api/v1/meetings/{kind}/recording/stop", headers={"Prefer": "wait=0"})
            ended = await host.in_state(live["id"], "completed", 60)
            assert (ended["completeness"], ended["error"]) == ("complete", None), ended
            await eventually(lambda: works(host), 30)


async def test_a_recorder_that_may_not_write_any_more_is_named_as_the_cause(
    strict_bucket: S3Settings, proxy: FaultyProxy
) -> None:
    """It ends at its deadline and not before, and says that storage refused, though our own keys are right."""
    behind = told_of(replace(strict_bucket, endpoint_url=proxy.url))
    hasty = {
        "TAPEDECK_RECORDING__STOPPING_DEADLINE_SECONDS": "3",
        "TAPEDECK_RECORDING__PROCESSING_DEADLINE_SECONDS": "5",
        "TAPEDECK_DRAIN__EFFECTS_SECONDS": "1",  # the stop that the simulator cannot answer yet
        "TAPEDECK_SIMULATOR__SLICE_SECONDS": "3",
    }
    async with serving(**{**OFTEN, **hasty}, **behind) as server, aiohttp.ClientSession() as http:
        host = Client(http, server)
        started = await host.start("m-1")
        await host.in_state(started["id"], "active", 40)
        proxy.strike("denied", method="PUT")
        await host.call("POST", "/api/v1/meetings/m-1/recording/stop", headers={"Prefer": "wait=0"})
        processing = await host.in_state(started["id"], "processing", 40)
        ended = await host.in_state(started["id"], "failed", 40)
        assert ended["error"]["code"] == "storage_denied", ended
        assert ended["completedAt"] >= processing["deadlineAt"]


async def refused(host: Client) -> tuple[Any, Any]:
    """A start's problem and headers, once it is known that storage fails."""

    async def known() -> bool:
        return not await works(host)

    await eventually(known, 30)
    status, problem, headers = await host.call("POST", "/api/v1/meetings/other/recording/start")
    assert (status, problem["code"]) == (503, "storage_unavailable"), problem
    return problem, headers


async def works(host: Client) -> bool:
    """By the last look at storage."""
    _, ready, _ = await host.call("GET", "/readyz")
    return ready["checks"]["storage"]["ok"] is True


async def begins(host: Client, meeting: str) -> bool:
    status, _, _ = await host.call("POST", f"/api/v1/meetings/{meeting}/recording/start")
    return status == 201


async def command(server: RunningServer, *arguments: str) -> tuple[int, str]:
    """What the command line says of a running server."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("tapedeck")), *arguments, "--url", server.url,
        env={**os.environ, "TAPEDECK_JWT_SECRET": SECRET},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()
