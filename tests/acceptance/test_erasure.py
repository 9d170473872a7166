"""A deletion on a real server and a bucket that checks everything: all versions, locks, refusals and deaths in the middle."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from actors.domain.media import StoredObject
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from server.preflight.probe import FOLDER as PROBES
from tests.acceptance.running import Client, RunningServer, serving
from tests.fakes.buckets import S3Server, new_bucket, told_of
from tests.fakes.faulty_proxy import FaultyProxy, Kind, faulty_proxy
from tests.waiting import eventually

QUICK = {
    "TAPEDECK_SIMULATOR__SLICE_SECONDS": "1",
    "TAPEDECK_HTTP__DELETE_WAIT_SECONDS": "2",
    "TAPEDECK_STORAGE__RECEIPT_KEYS_MAX": "2",
    "TAPEDECK_STORAGE__CALL_ATTEMPTS_MAX": "1",
    "TAPEDECK_STORAGE__ERASE_DELAYS_SECONDS": "[0.2]",
}


@pytest_asyncio.fixture
async def keeping(seaweed: S3Server) -> S3Settings:
    """A bucket that keeps all versions, and takes locks."""
    return await new_bucket(seaweed, locking=True)


async def completed(host: Client) -> Any:
    """One of which all is there, its manifest too."""
    started = await host.start("m-1")
    await host.in_state(started["id"], "active", 40)
    await host.stop("m-1")
    ended = await host.in_state(started["id"], "completed", 40)

    async def sealed() -> bool:
        _, history, _ = await host.call("GET", f"/api/v1/recordings/{ended['id']}/history")
        return any(item["type"] == "media.sealed" for item in history["items"])

    await eventually(sealed)
    return ended


async def files_in(store: S3Store) -> list[StoredObject]:
    """Of recordings: the server tries the store by objects of its own."""
    return [found for found in await store.list("") if PROBES not in found.key]


async def versions(store: S3Store) -> set[tuple[str, str]]:
    pages = [page async for page in store.version_pages("")]
    return {(each.key, each.version) for page in pages for each in page if PROBES not in each.key}


async def receipt(host: Client, recording_id: str) -> list[tuple[str, str | None]]:
    """Names and versions of all that was listed before it was removed."""
    _, history, _ = await host.call("GET", f"/api/v1/recordings/{recording_id}/history")
    pages = [item["data"]["objects"] for item in history["items"] if item["type"] == "media.listed"]
    assert all(len(page) <= 2 for page in pages)
    return [(each["name"], each["version"]) for page in pages for each in page]


@asynccontextmanager
async def behind_a_proxy(
    bucket: S3Settings, **more: str
) -> AsyncIterator[tuple[RunningServer, Client, FaultyProxy, S3Store]]:
    assert bucket.endpoint_url is not None
    async with (
        faulty_proxy(bucket.endpoint_url) as proxy,
        serving(**{**QUICK, **more}, **told_of(replace(bucket, endpoint_url=proxy.url))) as server,
        aiohttp.ClientSession() as http,
        open_store(bucket) as store,
    ):
        yield server, Client(http, server), proxy, store


async def test_a_hold_refuses_with_nothing_deleted_and_afterwards_all_versions_go(keeping: S3Settings) -> None:
    async with (
        serving(**QUICK, **told_of(keeping)) as server,
        aiohttp.ClientSession() as http,
        open_store(keeping) as store,
    ):
        host = Client(http, server)
        ended = await completed(host)
        path, key = f"/api/v1/recordings/{ended['id']}", ended["storageKey"]
        await store.put(key, b"written over")
        found = await versions(store)
        assert len(found) > len(await files_in(store))

        async def hold(status: str) -> None:
            await store._line.client.put_object_legal_hold(Bucket=store._bucket, Key=key, LegalHold={"Status": status})  # type: ignore[typeddict-item]

        await hold("ON")
        status, problem, _ = await host.call("DELETE", path)
        assert (status, problem["code"], problem["lockedUntil"]) == (409, "recording_locked", None), problem
        assert await versions(store) == found
        assert await host.recording(ended["id"]) == ended
        await hold("OFF")

        until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
        await store._line.client.put_object_retention(Bucket=store._bucket, Key=key, Retention=retention)  # type: ignore[arg-type]
        status, problem, _ = await host.call("DELETE", path)
        assert (status, problem["lockedUntil"]) == (409, until.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        assert await versions(store) == found
        locked = (key, (await store._line.client.head_object(Bucket=store._bucket, Key=key))["VersionId"])
        await store._line.client.delete_object(
            Bucket=store._bucket, Key=key, VersionId=locked[1], BypassGovernanceRetention=True
        )

        assert (await host.call("DELETE", path))[0] == 204
        assert await versions(store) == set()
        folder = key.rpartition("/")[0]
        told = await receipt(host, ended["id"])
        assert {(f"{folder}/{name}", version) for name, version in told} == found - {locked}


async def test_what_is_refused_in_the_middle_goes_on_by_itself(strict_bucket: S3Settings) -> None:
    async with behind_a_proxy(strict_bucket) as (_, host, proxy, store):
        ended = await completed(host)
        names = {each.key.rpartition("/")[2] for each in await files_in(store)}
        proxy.strike("revoked", method="POST", query="delete")
        status, _, _ = await host.call("DELETE", f"/api/v1/recordings/{ended['id']}")
        assert (status, (await host.recording(ended["id"]))["state"]) == (202, "completed")
        _, refused, _ = await host.call("GET", f"/api/v1/recordings/{ended['id']}/playback")
        assert refused["code"] == "recording_deleted"
        proxy.heal()
        await host.in_state(ended["id"], "deleted")
        assert await files_in(store) == []
        assert {name for name, _ in await receipt(host, ended["id"])} == names


@pytest.mark.parametrize(("kind", "gone"), [("silent", False), ("answer_lost", True)])
async def test_a_deletion_outlives_the_death_of_its_server_and_so_does_its_receipt(
    strict_bucket: S3Settings, kind: Kind, gone: bool
) -> None:
    """Killed before the store has removed anything, and after it has, which nobody heard of."""
    patience = {"TAPEDECK_STORAGE__ERASE_DELAYS_SECONDS": "[3]"}
    async with behind_a_proxy(strict_bucket, **patience) as (server, host, proxy, store):
        ended = await completed(host)
        names = sorted(each.key.rpartition("/")[2] for each in await files_in(store))
        proxy.strike(kind, method="POST", query="delete")
        asked = asyncio.create_task(host.call("DELETE", f"/api/v1/recordings/{ended['id']}"))

        async def has_come_so_far() -> bool:
            return await files_in(store) == [] if gone else proxy.silenced.is_set()

        await eventually(has_come_so_far)
        await server.kill()
        with contextlib.suppress(aiohttp.ClientError):
            await asked
        assert (await files_in(store) == []) is gone
        proxy.heal()
        await server.start()
        assert (await host.in_state(ended["id"], "deleted", 40))["files"] == []
        assert await files_in(store) == []
        assert sorted(name for name, _ in await receipt(host, ended["id"])) == names
        assert (await host.call("DELETE", f"/api/v1/recordings/{ended['id']}"))[0] == 204
