"""A running server and an issuer whose keys change while it runs."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.scraped import scrape
from tests.fakes.issuer import IssuerKey, ec_key, key_set, rsa_key
from tests.listening import listening
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER = "3600"
FIRST, SECOND, STRANGE = rsa_key("first"), ec_key("second"), rsa_key("strange")
LIST = "/api/v1/meetings/m-1/recordings"


class Issuer:
    """What it publishes, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: tuple[IssuerKey, ...] = (FIRST,)
        self.status = 200
        self.asked = 0
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, body=key_set(*self.keys), content_type="application/json")


@pytest_asyncio.fixture(loop_scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    made, app = Issuer(), web.Application()
    app.router.add_get("/keys", made.answer)
    async with listening(app) as address:
        made.url = f"{address}/keys"
        yield made


async def status_of(http: aiohttp.ClientSession, server: RunningServer, token: str) -> int:
    status, _, _ = await Client(http, server, token).call("GET", LIST)
    return status


async def readiness(http: aiohttp.ClientSession, server: RunningServer) -> Any:
    async with http.get(f"{server.url}/readyz") as response:
        return await response.json()


async def test_keys_rotate_while_it_runs_and_unknown_ones_cause_no_storm(
    http: aiohttp.ClientSession, fresh: Fresh, issuer: Issuer
) -> None:
    server = await fresh(
        TAPEDECK_JWT_SECRET="",
        TAPEDECK_JWKS=issuer.url,
        TAPEDECK_AUTH__JWKS_RETRY_SECONDS=NEVER,
        TAPEDECK_AUTH__JWKS_REFRESH_SECONDS=NEVER,
    )
    old, new = FIRST.token(), SECOND.token()
    assert await status_of(http, server, old) == 200
    assert await status_of(http, server, token_for("hs256")) == 401
    assert issuer.asked == 1
    issuer.keys = (SECOND,)
    answers = await asyncio.gather(*(status_of(http, server, new) for _ in range(50)))
    assert set(answers) == {200}
    assert await status_of(http, server, old) == 401
    strangers = [STRANGE.token(sub=f"user-{number}") for number in range(100)]
    assert set(await asyncio.gather(*(status_of(http, server, token) for token in strangers))) == {401}
    assert issuer.asked == 2
    looks = (await scrape(http, server)).by("jwks_looks_total", "outcome")
    assert (looks[("changed",)], looks[("rationed",)]) == (2, 101)
    assert (await readiness(http, server))["checks"]["jwks"]["detail"] == "1 keys"


async def test_with_a_key_set_alone_a_meeting_is_recorded_and_played(
    http: aiohttp.ClientSession, fresh: Fresh, issuer: Issuer
) -> None:
    server = await fresh(TAPEDECK_JWT_SECRET="", TAPEDECK_JWKS=issuer.url)
    assert "tapedeck token" not in server.log.read_text(encoding="utf-8")
    host = Client(http, server, FIRST.token())
    started = await host.start("m-1")
    await host.in_state(started["id"], "active")
    await host.stop("m-1")
    _, playback, _ = await host.call("GET", f"/api/v1/recordings/{started['id']}/playback")
    assert {status for status, _ in [await host.fetch(item["url"]) for item in playback["items"]]} == {200}


async def test_an_issuer_that_is_away_is_told_and_takes_nothing_with_it(
    http: aiohttp.ClientSession, fresh: Fresh, issuer: Issuer
) -> None:
    issuer.status = 503
    quick = {f"TAPEDECK_AUTH__JWKS_{name}_SECONDS": "0.1" for name in ("RETRY", "REFRESH")}
    server = await fresh(TAPEDECK_JWKS=issuer.url, **quick)
    report = await readiness(http, server)
    assert (report["status"], report["ready"], report["checks"]["jwks"]["ok"]) == ("degraded", True, False)
    assert report["checks"]["jwks"]["detail"].endswith("it answers 503")
    token = FIRST.token()
    assert await status_of(http, server, token) == 401
    assert await status_of(http, server, token_for("hs256")) == 200

    async def is_ready(wanted: bool) -> bool:
        return (await readiness(http, server))["checks"]["jwks"]["ok"] is wanted

    issuer.status = 200
    await eventually(lambda: is_ready(True))
    assert await status_of(http, server, token) == 200
    issuer.status = 500
    await eventually(lambda: is_ready(False))
    assert await status_of(http, server, FIRST.token(sub="another")) == 200


async def test_a_file_without_keys_ends_the_start_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(rsa_key("weak", 1024)))
    server = RunningServer(tmp_path / "data", TAPEDECK_JWKS=str(tmp_path / "keys.json"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", env=server.environment(), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert (process.returncode, err.splitlines()[-1].startswith(b"tapedeck: TAPEDECK_JWKS: ")) == (2, True)
    assert b"Traceback" not in err
