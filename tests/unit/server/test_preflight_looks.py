"""Local storage tried out, and the way of notifications."""

import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from actors.domain.ids import MeetingId
from clients.agora.webhooks import parse, verify
from clients.storage.local import LocalStore
from server.checks import Look, Trouble
from server.metrics import WebhookMetrics
from server.preflight.folder import RIGHTS, ROOM, FolderProbe
from server.preflight.webhook import REACH, SAME, webhook_look
from server.routes.webhooks import WebhookRoutes
from tests.listening import listening
from tests.unit.server.conftest import Edge, Serve
from tests.unit.server.test_webhooks import Desk

SECRET = "the-providers-and-ours"


def never() -> float:
    """Nothing has come of the provider."""
    return -1.0


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "media")


async def trouble_of(look: Look) -> tuple[str, str]:
    with pytest.raises(Trouble) as raised:
        await look()
    return str(raised.value), raised.value.advice


async def test_a_folder_that_works_holds_nothing_afterwards(store: LocalStore, tmp_path: Path) -> None:
    assert "a file was written, read and deleted" in await FolderProbe(store, "r", 0).look()
    assert [path.name for path in (tmp_path / "media").rglob("*")] == [".aside"]


async def test_a_folder_without_room(store: LocalStore) -> None:
    said, todo = await trouble_of(FolderProbe(store, "r", 2**60).look)
    assert "below 1152921504606846976 (storage.min_free_bytes): no recording starts" in said
    assert todo == ROOM


async def test_a_folder_that_is_not_there(store: LocalStore, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "media")
    assert (await trouble_of(FolderProbe(store, "r", 0).look))[1] == RIGHTS


FAILING = [("write_bytes", "a file cannot be written"), ("read_bytes", "what was written cannot be read"),
           ("unlink", "what was written cannot be deleted")]  # fmt: skip


@pytest.mark.parametrize(("step", "said"), FAILING)
async def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, said: str) -> None:
    rung: list[bool] = []
    store = LocalStore(tmp_path / "media", lambda: rung.append(True))
    real = getattr(Path, step)

    def full(path: Path, *args: Any, **kwargs: Any) -> Any:
        if step == "unlink" and ".aside" in str(path):
            return real(path, *args, **kwargs)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, step, full)
    found, todo = await trouble_of(FolderProbe(store, "r", 0).look)
    assert found == f"{said}: the store does not work: No space left on device"
    assert todo == RIGHTS
    assert rung == [True]


async def test_what_is_not_there_is_no_failure_of_the_folder(tmp_path: Path) -> None:
    rung: list[bool] = []
    store = LocalStore(tmp_path / "media", lambda: rung.append(True))
    with pytest.raises(Exception, match="no such object"):
        await store.get("r/a")
    assert rung == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
async def desk(serve: Serve) -> Desk:
    """Takes notifications that are signed with our secret."""
    made = Desk()
    routes = WebhookRoutes(
        made,  # type: ignore[arg-type]
        made,
        made,
        WebhookMetrics(CollectorRegistry()),
        verify=lambda body, headers: verify(body, headers, SECRET),
        parse=lambda body: parse(body, 0),
        bytes_max=10_000,
    )
    edge: Edge = await serve(routes.add_to)
    made.url = f"http://127.0.0.1:{edge.port}/api/v1/webhooks/agora"
    made.owner = MeetingId("m")
    return made


async def test_a_notification_to_ourselves_arrives_and_changes_nothing(desk: Desk, http: aiohttp.ClientSession) -> None:
    came = "a signed notification came back to this server; "
    assert await webhook_look(http, desk.url, SECRET, never)() == came + "none of the provider's own has come yet"
    assert await webhook_look(http, desk.url, SECRET, lambda: 12.3)() == came + "the provider's last came 12 s ago"
    assert (desk.reported, desk.database.inbox) == ([], {})


async def test_another_secret(desk: Desk, http: aiohttp.ClientSession) -> None:
    said, todo = await trouble_of(webhook_look(http, desk.url, "another one", never))
    assert (said, todo) == ("who answers at the address for notifications has another secret", SAME)


async def test_no_secret(http: aiohttp.ClientSession) -> None:
    said, todo = await trouble_of(webhook_look(http, "http://127.0.0.1:1", None, never))
    assert "polling alone carries" in said
    assert todo == "Set AGORA_WEBHOOK_SECRET."


async def test_nobody_is_there(http: aiohttp.ClientSession) -> None:
    said, todo = await trouble_of(webhook_look(http, "http://127.0.0.1:1", SECRET, never))
    assert said == "the address for notifications cannot be reached: ClientConnectorError"
    assert todo == REACH


ANSWERS = [
    (200, "<html>welcome</html>"),
    (200, '{"test": "tapedeck-preflight-of-before"}'),
    (200, "[]"),
    (404, "{}"),
    (302, ""),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
async def test_somebody_else_is_there(http: aiohttp.ClientSession, status: int, body: str) -> None:
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"})

    app.router.add_route("*", "/{path:.*}", answer)
    async with listening(app) as url:
        said, todo = await trouble_of(webhook_look(http, url, SECRET, never))
    assert said == f"who answers at the address for notifications is not Tapedeck (status {status})"
    assert todo == REACH
