"""Files that are added to a recording: what is taken, what is refused with which reason, and that a refusal leaves nothing."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from clients.storage.local import LocalStore
from server.attaching import Attachments
from server.config import Config
from server.media_metrics import AttachMetrics
from server.playback import UrlSigner
from server.render import Renderer
from server.routes.files import FileRoutes
from server.settings import AttachSettings
from tests.fakes.memory import MemoryRecords
from tests.listening import listening
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls
from tests.unit.server.conftest import Serve
from tests.unit.server.documented import assert_documented
from tests.waiting import eventually

NAME = "recovered.mp4"
SMALL = AttachSettings(bytes_max=1000, silence_seconds_max=3.0, at_once_max=1, private_addresses=True)


class Desk:
    """The calls, with a folder that files are added to; the proof looks elsewhere."""

    def __init__(self, calls: Calls, store: LocalStore, registry: CollectorRegistry) -> None:
        self.calls = calls
        self.store = store
        self._registry = registry

    async def send(
        self, recording_id: str, data: Any = None, name: str | None = NAME, token: str = OPERATOR, **headers: str
    ) -> tuple[int, Any, Any]:
        sent = {"Content-Type": "video/mp4", **{key.replace("_", "-"): text for key, text in headers.items()}}
        sent["Authorization"] = f"Bearer {token}"
        path = f"/api/v1/recordings/{recording_id}/files"
        query = {} if name is None else {"name": name}
        async with self.calls.edge.client.post(path, params=query, data=data, headers=sent) as response:
            told = await response.json(content_type=None)
            assert_documented("POST", path, response.status, told, response.headers)
            return response.status, told, response.headers

    async def fetch(self, recording_id: str, url: str, name: str | None = None, **headers: str) -> tuple[int, Any, Any]:
        body = aiohttp.JsonPayload({"url": url})
        return await self.send(recording_id, body, name, Content_Type="application/json", **headers)

    async def kept(self) -> dict[str, int]:
        return {each.key: each.size for each in await self.store.list("")}

    def counted(self, way: str) -> float:
        return self._registry.get_sample_value("tapedeck_attached_files_total", {"way": way}) or 0

    async def history(self, recording_id: str) -> list[str]:
        told = await self.calls.read(f"/recordings/{recording_id}/history", token=OPERATOR)
        return [item["type"] for item in told["items"]]


@pytest.fixture
async def desk(serve: Serve, tmp_path: Path) -> AsyncIterator[Desk]:
    store, registry = LocalStore(tmp_path / "media"), CollectorRegistry()

    def also(calls: Calls) -> None:
        files = Attachments(store, SMALL, AttachMetrics(registry))
        renderer = Renderer(UrlSigner(b"s", "http://here"))
        routes = FileRoutes(calls.system, MemoryRecords(calls.database), files, renderer, Config().http)
        plain = calls.add_to

        def add_to(app: web.Application) -> None:
            plain(app)
            routes.add_to(app)

        calls.add_to = add_to  # type: ignore[method-assign]

    async with serving_calls(serve, also=also) as calls:
        yield Desk(calls, store, registry)


async def test_a_file_may_be_longer_than_other_bodies(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    longer = bytes(Config().http.body_bytes_max + 1)
    _, problem, _ = await desk.send(recording["id"], io.BytesIO(longer))
    assert "attach.bytes_max" in problem["detail"]
    _, problem, _ = await desk.send(recording["id"], io.BytesIO(longer), Content_Type="application/json")
    assert f"more than {Config().http.body_bytes_max} bytes" in problem["detail"]


async def test_a_file_that_is_sent_is_stored_and_all_is_proven_again(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    status, told, headers = await desk.send(recording["id"], b"x" * 100)
    assert (status, told["state"], told["version"]) == (201, "completed", recording["version"] + 1)
    assert headers["ETag"] == f'"{recording["id"]}.{told["version"]}"'
    (key,) = await desk.kept()
    assert key == f"tapedeck/{recording['id'].replace('-', '')}/{NAME}"
    assert (await desk.kept())[key] == 100
    told = [kind for kind in await desk.history(recording["id"]) if not kind.startswith("media.seal")]
    assert told[-2:] == ["media.attached", "media.reproven"]
    assert desk.counted("sent") == 1


async def test_the_stream_tells_that_it_changed(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    told = (await desk.send(recording["id"], b"x"))[1]
    assert told["completedAt"] == recording["completedAt"]
    assert told["completeness"] == recording["completeness"]


async def test_nobody_has_to_wait_for_the_proof(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    status, _, headers = await desk.send(recording["id"], b"x", Prefer="respond-async")
    assert (status, headers["Preference-Applied"]) == (202, "respond-async")


async def test_a_repetition_with_the_same_key_adds_nothing(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    first = await desk.send(recording["id"], b"x" * 100, Idempotency_Key="k")
    again = await desk.send(recording["id"], b"x" * 100, Idempotency_Key="k")
    assert (first[0], again[0], again[2]["Idempotent-Replayed"]) == (201, 201, "true")
    assert (await desk.history(recording["id"])).count("media.attached") == 1
    assert desk.counted("sent") == 1
    status, problem, _ = await desk.send(recording["id"], b"x" * 99, "other.mp4", Idempotency_Key="k")
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert len(await desk.kept()) == 1
    status, problem, _ = await desk.send(recording["id"], b"x", "y.mp4", Idempotency_Key="a b")
    assert (status, problem["code"]) == (400, "bad_request")
    assert len(await desk.kept()) == 1
    assert desk.counted("sent") == 2  # the last one was not even read


async def test_another_file_of_that_name_is_refused(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    await desk.send(recording["id"], b"x" * 100)
    status, problem, _ = await desk.send(recording["id"], b"y" * 101)
    assert (status, problem["errors"]) == (
        422,
        [{"pointer": "/name", "detail": "there is a file of that name, of 100 bytes"}],
    )
    assert list((await desk.kept()).values()) == [100]


@pytest.mark.parametrize("state", ["active", "aborted", "deleted"])
async def test_only_what_is_over_and_there_takes_files(desk: Desk, state: str) -> None:
    calls = desk.calls
    if state == "deleted":
        recording = await calls.completed("m")
        assert (await calls.call("DELETE", f"/recordings/{recording['id']}"))[0] == 204
    elif state == "aborted":
        calls.recorder.open.clear()
        recording = await calls.start("m", Prefer="respond-async")
        await calls.call("POST", "/meetings/m/recording/stop", Prefer="wait=0")
        calls.recorder.open.set()
        await calls.in_state(recording, "aborted")
    else:
        recording = await calls.start("m")
        await calls.in_state(recording, "active")
    expected = {
        "active": (409, "recording_live"),
        "aborted": (409, "recording_aborted"),
        "deleted": (410, "recording_deleted"),
    }
    status, problem, _ = await desk.send(recording["id"], b"x")
    assert (status, problem["code"]) == expected[state]
    assert await desk.kept() == {}
    assert desk.counted("sent") == 0  # it was not even read


async def test_what_is_deleted_while_its_file_arrives_keeps_nothing(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await goes_on.wait()

    sending = asyncio.create_task(desk.send(recording["id"], body()))
    await begun.wait()
    assert (await desk.calls.call("DELETE", f"/recordings/{recording['id']}"))[0] == 204
    goes_on.set()
    status, problem, _ = await sending
    assert (status, problem["code"]) == (410, "recording_deleted")
    assert await desk.kept() == {}


REFUSED = [
    ({"Content_Type": "text/html"}, NAME, b"x", 415, "unsupported_media_type"),
    ({"Content_Type": "application/x-www-form-urlencoded"}, NAME, b"x", 415, "unsupported_media_type"),
    ({}, NAME, b"x" * 1001, 413, "payload_too_large"),
    ({}, None, b"x", 422, "validation_failed"),
    ({}, "a/b.mp4", b"x", 422, "validation_failed"),
    ({}, "..", b"x", 422, "validation_failed"),
    ({}, ".hidden.mp4", b"x", 422, "validation_failed"),
    ({}, "notes.txt", b"x", 422, "validation_failed"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "name", "body", "status", "code"), REFUSED)
async def test_what_is_no_file_is_refused_and_leaves_nothing(
    desk: Desk, headers: dict[str, str], name: str | None, body: bytes, status: int, code: str
) -> None:
    recording = await desk.calls.completed("m")
    found, problem, _ = await desk.send(recording["id"], body, name, **headers)
    assert (found, problem["code"]) == (status, code)
    assert await desk.kept() == {}
    assert "media.attached" not in await desk.history(recording["id"])


async def test_a_body_without_end_is_cut_off_at_the_limit(desk: Desk) -> None:
    recording = await desk.calls.completed("m")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    status, problem, _ = await desk.send(recording["id"], body())
    assert (status, problem["code"]) == (413, "payload_too_large")
    assert await desk.kept() == {}


async def test_a_body_that_does_not_come_is_given_up(desk: Desk) -> None:
    recording = await desk.calls.completed("m")

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    status, problem, _ = await desk.send(recording["id"], body())
    assert (status, problem["code"]) == (400, "bad_request")
    assert await desk.kept() == {}


async def test_so_many_are_on_their_way_and_no_more(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await goes_on.wait()

    sending = asyncio.create_task(desk.send(recording["id"], body()))
    await begun.wait()

    async def refused() -> Any:
        status, problem, headers = await desk.send(recording["id"], b"x", "other.mp4")
        return (problem["code"], int(headers["Retry-After"]) > 0) if status == 503 else None

    assert await eventually(refused) == ("overloaded", True)
    goes_on.set()
    assert (await sending)[0] == 201


async def test_it_is_for_operators(desk: Desk) -> None:
    recording = await desk.calls.completed("m")
    assert (await desk.send(recording["id"], b"x", token=host()))[0] == 403
    assert (await desk.send("01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11", b"x"))[0] == 404
    assert await desk.kept() == {}


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """A server of others, with a film and a page."""
    app = web.Application()

    async def film(request: web.Request) -> web.Response:
        return web.Response(body=b"f" * 500, content_type="video/mp4")

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="hello", content_type="text/html")

    app.router.add_get("/film.mp4", film)
    app.router.add_get("/page.mp4", page)
    async with listening(app) as url:
        yield url


async def test_a_file_is_fetched(desk: Desk, elsewhere: str) -> None:
    recording = await desk.calls.completed("m")
    status, _, _ = await desk.fetch(recording["id"], f"{elsewhere}/film.mp4?token=1", Idempotency_Key="k")
    assert status == 201
    ((key, size),) = (await desk.kept()).items()
    assert (key.rpartition("/")[2], size) == ("film.mp4", 500)
    assert desk.counted("fetched") == 1
    _, _, headers = await desk.fetch(recording["id"], f"{elsewhere}/film.mp4?token=1", Idempotency_Key="k")
    assert headers["Idempotent-Replayed"] == "true"
    assert (await desk.fetch(recording["id"], f"{elsewhere}/film.mp4", "b.mp4"))[0] == 201
    assert len(await desk.kept()) == 2


BAD = [
    ("{}/page.mp4", None, "/url", "it is of the type text/html"),
    ("{}/gone.mp4", None, "/url", "the source answers 404"),
    ("file:///etc/passwd.mp4", None, "/url", "no http or https URL"),
    ("http://[::1/a.mp4", None, "/url", "it is no URL"),
    ("{}/", None, "/name", "say how it is to be called"),
    ("{}/film.mp4", "a.txt", "/name", "names no type of media"),
]


@pytest.mark.parametrize(("url", "name", "pointer", "said"), BAD)
async def test_what_cannot_be_fetched_is_refused_with_the_reason(
    desk: Desk, elsewhere: str, url: str, name: str | None, pointer: str, said: str
) -> None:
    recording = await desk.calls.completed("m")
    status, problem, _ = await desk.fetch(recording["id"], url.format(elsewhere), name)
    assert status == 422
    assert problem["errors"][0]["pointer"] == pointer
    assert said in problem["errors"][0]["detail"]
    assert await desk.kept() == {}


async def test_nothing_is_fetched_from_our_own_network(elsewhere: str, tmp_path: Path) -> None:
    files = Attachments(LocalStore(tmp_path), AttachSettings(), AttachMetrics(CollectorRegistry()))
    with pytest.raises(Exception, match="an address that is not public"):
        await files.fetch(("r",), "film.mp4", f"{elsewhere}/film.mp4")
