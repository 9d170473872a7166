"""What completed has a manifest beside its files, on a disk and in a bucket, and `tapedeck verify` holds them against it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import aiohttp
import pytest

from clients.storage.local import LocalStore
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import open_store
from tests.acceptance.running import Client, RunningServer, serving, token_for
from tests.acceptance.test_bucket import told_of
from tests.acceptance.test_command_line import piped
from tests.waiting import eventually

QUICK = {"TAPEDECK_SIMULATOR__SLICE_SECONDS": "1"}


@asynccontextmanager
async def bench(bucket: S3Settings | None, **environment: str) -> AsyncIterator[tuple[RunningServer, Client, Any]]:
    """A server, its operator, and its store."""
    told = {} if bucket is None else told_of(bucket)
    async with serving(**QUICK, **told, **environment) as server, aiohttp.ClientSession() as http:
        operator = Client(http, server, token_for("op", operator=True))
        if bucket is None:
            yield server, operator, LocalStore(server.data_dir / "media")
            return
        async with open_store(bucket) as store:
            yield server, operator, store


async def completed(operator: Client, meeting: str = "m-1") -> Any:
    started = await operator.start(meeting)
    await operator.in_state(started["id"], "active", 40)
    await operator.stop(meeting)
    return await operator.in_state(started["id"], "completed", 40)


async def sealed(operator: Client, recording: Any) -> Any:
    """What the history says of its manifest, once it is there."""

    async def look() -> Any:
        _, told, _ = await operator.call("GET", f"/api/v1/recordings/{recording['id']}/history?limit=500")
        return next((each["data"] for each in told["items"] if each["type"] == "media.sealed"), None)

    return await eventually(look, 40)


@pytest.fixture(params=["local", "seaweed"])
def place(request: pytest.FixtureRequest) -> S3Settings | None:
    """None: a folder."""
    found: S3Settings | None = None if request.param == "local" else request.getfixturevalue("strict_bucket")
    return found


async def test_files_are_held_against_their_manifest(place: S3Settings | None) -> None:
    async with bench(place) as (server, operator, store):
        done = await completed(operator)
        told = await sealed(operator, done)
        folder = done["storageKey"].rpartition("/")[0] + "/"
        manifest = await store.get(folder + "manifest.json")
        assert told["sha256"] == sha256(manifest).hexdigest()
        listed = {each["key"]: each for each in json.loads(manifest)["objects"]}
        found = {each.key: each for each in await store.list(folder) if each.key != folder + "manifest.json"}
        assert set(listed) == set(found)
        assert sum(each["size"] for each in listed.values()) == told["bytes"] == done["fileSize"]
        for key, each in listed.items():
            assert each["sha256"] == sha256(await store.get(key)).hexdigest()
            assert each["etag"] == found[key].etag

        code, out, _ = await piped(server, "verify", done["id"])
        assert (code, out.split(":")[0]) == (0, f"{done['id']} is as it was")
        await store.put(done["storageKey"], b"other")
        await store.put(folder + "z.ts", b"foreign")
        code, out, _ = await piped(server, "verify", done["id"], "--json")
        assert code == 1
        wrong = {each["key"]: each["finding"] for each in json.loads(out)["items"] if each["finding"] != "same"}
        assert wrong == {done["storageKey"]: "altered", folder + "z.ts": "foreign"}

        status, _, _ = await operator.call("DELETE", f"/api/v1/recordings/{done['id']}")
        assert status == 204
        assert await store.list(folder) == []


async def test_a_manifest_that_a_crash_cut_off_is_written_by_the_next_life() -> None:
    """The first life cannot: something lies where the manifest would be. It is killed between two tries."""
    patient = {"TAPEDECK_STORAGE__SEAL_DELAYS_SECONDS": "[3]"}
    async with bench(None, **patient) as (server, operator, _):
        started = await operator.start("m-1")
        await operator.in_state(started["id"], "active", 40)
        first = await eventually(lambda: _a_file(server), 40)
        obstacle = first.parent / "manifest.json"
        obstacle.mkdir()
        await operator.stop("m-1")
        done = await operator.in_state(started["id"], "completed", 40)

        async def deferred() -> bool:
            _, told, _ = await operator.call("GET", f"/api/v1/recordings/{done['id']}/history?limit=500")
            return any(each["type"] == "media.seal_deferred" for each in told["items"])

        assert await eventually(deferred, 40)
        status, told, _ = await operator.call("POST", f"/api/v1/recordings/{done['id']}/verify")
        assert (status, told["code"]) == (409, "recording_not_ready")
        await server.kill()
        obstacle.rmdir()
        await server.start()
        await sealed(operator, done)
        status, told, _ = await operator.call("POST", f"/api/v1/recordings/{done['id']}/verify")
        assert status == 200
        assert {each["finding"] for each in told["items"]} == {"same"}


async def _a_file(server: RunningServer) -> Any:
    return next((server.data_dir / "media").rglob("*.ts"), None)
