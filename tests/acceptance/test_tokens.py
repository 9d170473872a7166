"""Tokens on a running server: what each caller may do, and where a token counts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from server.app import media_key
from server.auth import mint_token
from server.playback import UrlSigner
from tests.acceptance.running import SECRET, Client, RunningServer, serving, token_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEWER = "the-secret-that-follows-and-is-long-enough"
CALLERS = {
    "host": mint_token(SECRET, sub="h", meetings={"tok": "HOST"}),
    "co-host": mint_token(SECRET, sub="c", meetings={"tok": "CO_HOST"}),
    "participant": mint_token(SECRET, sub="p", meetings={"tok": "PARTICIPANT"}),
    "service": mint_token(SECRET, sub="s", meetings={"*": "HOST"}),
    "muted service": mint_token(SECRET, sub="m", meetings={"*": "HOST", "tok": "PARTICIPANT"}),
    "operator": mint_token(SECRET, sub="o", meetings={}, operator=True),
    "stranger": mint_token(SECRET, sub="x", meetings={"other": "HOST"}),
    "nobody": mint_token(SECRET, sub="n", meetings={}),
}
RECORDING, MEETING = "/api/v1/recordings/{id}", "/api/v1/meetings/tok"
EVERYBODY = [200, 200, 200, 200, 200, 200, 404, 404]
TABLE = [
    ("GET", f"{MEETING}/recordings", EVERYBODY),
    ("GET", RECORDING, EVERYBODY),
    ("GET", f"{RECORDING}/playback", EVERYBODY),
    ("GET", f"{RECORDING}/history", [200, 200, 403, 200, 403, 200, 404, 404]),
    ("POST", f"{RECORDING}/stop", [200, 200, 403, 200, 403, 200, 404, 404]),
    ("POST", f"{MEETING}/end", [200, 200, 403, 200, 403, 403, 404, 404]),
    ("POST", f"{MEETING}/recording/stop", [409, 409, 403, 409, 403, 403, 404, 404]),
    ("GET", f"{MEETING}/recording", [404] * 8),
    ("GET", "/api/v1/recordings", [403, 403, 403, 403, 403, 200, 403, 403]),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recording(http: aiohttp.ClientSession, server: RunningServer) -> Any:
    """A finished one of the meeting `tok`."""
    return await recorded(Client(http, server, CALLERS["host"]))


async def recorded(host: Client) -> Any:
    started = await host.start("tok")
    await host.in_state(started["id"], "active")
    return await host.stop("tok")


@pytest.mark.parametrize(("method", "path", "row"), TABLE)
async def test_who_may_do_what(
    http: aiohttp.ClientSession, server: RunningServer, recording: Any, method: str, path: str, row: list[int]
) -> None:
    calls = (Client(http, server, token).call(method, path.format(id=recording["id"])) for token in CALLERS.values())
    answers = await asyncio.gather(*calls)
    assert dict(zip(CALLERS, [status for status, _, _ in answers], strict=True)) == dict(zip(CALLERS, row, strict=True))


@pytest.mark.parametrize(
    ("caller", "status"),
    [("participant", 403), ("muted service", 403), ("operator", 403), ("stranger", 404), ("nobody", 404)],
)
async def test_who_may_not_start_leaves_nothing_behind(
    http: aiohttp.ClientSession, server: RunningServer, operator: Client, recording: Any, caller: str, status: int
) -> None:
    path = "/api/v1/meetings/tok/recording/start"
    got, problem, _ = await Client(http, server, CALLERS[caller]).call("POST", path)
    assert (got, problem["code"]) == (status, "forbidden" if status == 403 else "not_found")
    _, listed, _ = await operator.call("GET", "/api/v1/meetings/tok/recordings")
    assert [each["id"] for each in listed["items"]] == [recording["id"]]


@pytest.mark.parametrize(("caller", "status"), [("co-host", 403), ("participant", 403), ("stranger", 404)])
async def test_who_may_not_delete(
    http: aiohttp.ClientSession, server: RunningServer, recording: Any, caller: str, status: int
) -> None:
    got, _, _ = await Client(http, server, CALLERS[caller]).call("DELETE", f"/api/v1/recordings/{recording['id']}")
    assert got == status


async def test_an_operator_stops_by_id_and_deletes(
    http: aiohttp.ClientSession, server: RunningServer, host: Client, operator: Client
) -> None:
    started = await host.start("tok-operated")
    await host.in_state(started["id"], "active")
    path = f"/api/v1/recordings/{started['id']}"
    status, stopped, _ = await operator.call("POST", f"{path}/stop", headers={"Prefer": "wait=25"})
    assert (status, stopped["endReason"], stopped["stoppedBy"]) == (200, "operator", "operator-1")
    assert (await operator.call("DELETE", path))[0] == 204


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rotated() -> AsyncIterator[RunningServer]:
    """A server with a new secret before the old one, where hosts only may play."""
    environment = {"TAPEDECK_JWT_SECRET": f"{NEWER}, {SECRET}", "TAPEDECK_ACCESS__PLAYBACK_ROLES": '["HOST"]'}
    async with serving(**environment) as running:
        yield running


async def test_a_rotation_of_secrets_ends_no_token_and_no_playback(
    http: aiohttp.ClientSession, rotated: RunningServer
) -> None:
    old = Client(http, rotated, CALLERS["host"])
    new = Client(http, rotated, mint_token(NEWER, sub="h", meetings={"tok": "HOST"}))
    path = f"/api/v1/recordings/{(await recorded(old))['id']}/playback"
    status, playback, _ = await new.call("GET", path)
    assert (status, len(playback["items"])) == (200, 2)
    for item in playback["items"]:
        url = URL(item["url"])
        given = {name: value for name, value in url.query.items() if name not in ("expires", "signature")}
        key = url.path.removeprefix("/media/")
        for secret, expected in ((NEWER, 200), (SECRET, 200), (SECRET + "x", 403)):
            signer = UrlSigner(media_key(secret), rotated.url)
            signed = signer.sign(key, int(url.query["expires"]), **given)
            assert (signed == item["url"]) is (secret == NEWER)
            assert (await new.fetch(signed))[0] == expected


async def test_the_roles_that_may_play_are_a_setting(http: aiohttp.ClientSession, rotated: RunningServer) -> None:
    path = f"/api/v1/recordings/{(await recorded(Client(http, rotated, CALLERS['host'])))['id']}"
    answers = [
        await Client(http, rotated, CALLERS[name]).call("GET", f"{path}/playback")
        for name in ("host", "co-host", "participant", "operator")
    ]
    assert [status for status, _, _ in answers] == [200, 403, 403, 200]
    assert (await Client(http, rotated, CALLERS["participant"]).call("GET", path))[0] == 200


async def status_of(http: aiohttp.ClientSession, url: str, authorization: str | None = None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with http.get(url, headers=headers) as response:
        return response.status


async def test_the_query_opens_streams_and_nothing_else_and_is_never_logged(
    http: aiohttp.ClientSession, server: RunningServer, recording: Any
) -> None:
    token = token_for("query-1", operator=True)
    api = f"{server.url}/api/v1"
    for stream in ("events", "meetings/tok/events"):
        assert await status_of(http, f"{api}/{stream}?access_token={token}") == 200
        assert await status_of(http, f"{api}/{stream}?access_token={token}", "Bearer x") == 401
        assert await status_of(http, f"{api}/{stream}?access_token={token}&access_token={token}") == 422
        assert await status_of(http, f"{api}/{stream}?access_token={token}x&other=1") == 401
    for path in ("recordings", f"recordings/{recording['id']}", "meetings/tok/recordings", "meetings/tok/recording"):
        assert await status_of(http, f"{api}/{path}?access_token={token}") == 401
        assert await status_of(http, f"{api}/{path}?access_token={token}", f"Bearer {token}") == 422
    await status_of(http, f"{server.url}/nothing?access_token={token}")
    await status_of(http, f"{server.url}/readyz?access%5Ftoken={token}")
    log = server.log.read_text(encoding="utf-8")
    assert '"sub":"query-1"' in log.replace(" ", "")
    assert token.split(".")[1] not in log
    assert token.split(".")[2] not in log


async def test_on_behalf_of_is_for_service_tokens(http: aiohttp.ClientSession, server: RunningServer) -> None:
    caller = Client(http, server, token_for("u", meeting="behalf"))
    status, _, _ = await caller.call("POST", "/api/v1/meetings/behalf/recording/start", {"onBehalfOf": "x"})
    assert status == 403


@pytest.mark.parametrize(
    ("length", "status"), [(8000, 401), (8300, 431), (12_000, 431)], ids=["8 kB", "above the limit", "far above"]
)
async def test_a_long_token(http: aiohttp.ClientSession, server: RunningServer, length: int, status: int) -> None:
    padded = mint_token(SECRET + "x", sub="u", meetings={f"meeting-{number}": "HOST" for number in range(length)})
    assert await status_of(http, f"{server.url}/api/v1/recordings", f"Bearer {padded[:length]}") == status
