"""A bucket tried out on real servers: each thing that may be wrong with it, alone, by name and with what to do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from actors.ports import StorageDenied, StorageNotFound
from clients.storage.s3.line import open_line
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store
from server.checks import Trouble
from server.config import load_config
from server.ids import SystemClock
from server.media_metrics import StorageMetrics
from server.preflight.bucket import DELETE, OPEN, READ, WRITE, BucketProbe
from server.preflight.bucket_looks import clock_look, public_access_look, region_look
from server.storage import open_storage
from tests.fakes.buckets import S3Server, told_of
from tests.fakes.faulty_proxy import FaultyProxy, faulty_proxy

FULL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class Site:
    """A bucket behind a proxy that may fail, and how it is looked at."""

    def __init__(
        self, bucket: S3Settings, proxy: FaultyProxy, http: aiohttp.ClientSession, stack: AsyncExitStack
    ) -> None:
        self.proxy = proxy
        self.http = http
        self.settings = replace(bucket, endpoint_url=proxy.url, attempts_max=1, silence_seconds=3.0)
        self._stack = stack

    async def store(self, **changes: str) -> S3Store:
        settings = replace(self.settings, **changes)
        return S3Store(await self._stack.enter_async_context(open_line(settings, lambda call, outcome: None)))

    async def probe(self, **recorder: str) -> BucketProbe:
        return BucketProbe(await self.store(), await self.store(**recorder), self.http, "r")


@pytest_asyncio.fixture
async def site(bucket: S3Settings) -> AsyncIterator[Site]:
    assert bucket.endpoint_url is not None
    async with (
        faulty_proxy(bucket.endpoint_url) as proxy,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        yield Site(bucket, proxy, http, stack)


async def trouble_of(probe: BucketProbe) -> tuple[str, str]:
    """What it says is wrong, and what to do."""
    with pytest.raises(Trouble) as raised:
        await probe.look()
    return str(raised.value), raised.value.advice


async def test_all_is_well_and_nothing_is_left(site: Site) -> None:
    assert "read, opened by its URL and deleted" in await (await site.probe()).look()
    assert await (await site.store()).list("") == []


async def test_nothing_is_left_where_versions_are_kept(site: Site) -> None:
    probe, store = await site.probe(), await site.store()
    name = store.addresses.bucket
    s3 = store._line.client
    await s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    await probe.look()
    kept = await s3.list_object_versions(Bucket=name)
    assert kept.get("Versions", []) + kept.get("DeleteMarkers", []) == []


async def test_the_recorders_keys_cannot_write(site: Site) -> None:
    site.proxy.strike("revoked", method="PUT")
    said, todo = await trouble_of(await site.probe())
    assert said.startswith("the recorder's keys cannot write: the store refused: the access key is not known")
    assert todo == WRITE


async def test_what_is_there_cannot_be_read(site: Site) -> None:
    site.proxy.strike("denied", method="GET", times=1)
    said, todo = await trouble_of(await site.probe())
    assert said.startswith("an object cannot be read: the store refused: the keys do not allow it")
    assert todo == READ
    assert await (await site.store()).list("") == []


async def test_its_url_opens_nothing(site: Site) -> None:
    site.proxy.strike("denied", query="X-Amz-Signature")
    assert await trouble_of(await site.probe()) == ("a signed URL is answered 403", OPEN)
    assert await (await site.store()).list("") == []


async def test_its_url_cannot_be_reached(site: Site) -> None:
    site.proxy.strike("answer_lost", query="X-Amz-Signature")
    said, todo = await trouble_of(await site.probe())
    assert (said, todo) == ("a signed URL cannot be opened: ServerDisconnectedError", OPEN)


async def test_it_cannot_be_deleted(site: Site) -> None:
    site.proxy.strike("denied", method="DELETE")
    said, todo = await trouble_of(await site.probe())
    assert said.startswith("an object cannot be deleted: the store refused")
    assert todo == DELETE
    site.proxy.heal()
    (left,) = await (await site.store()).list("")
    assert left.key.startswith("r/_preflight/")


async def test_the_bucket_is_gone(site: Site) -> None:
    site.proxy.strike("no_bucket")
    said, _ = await trouble_of(await site.probe())
    assert "there is no bucket of that name" in said


async def test_what_was_written_although_nobody_heard_is_removed(site: Site) -> None:
    site.proxy.strike("answer_lost", method="PUT")
    said, _ = await trouble_of(await site.probe())
    assert "the recorder's keys cannot write" in said
    assert await (await site.store()).list("") == []


async def test_the_bucket_is_in_another_region(site: Site, s3_server: S3Server) -> None:
    if s3_server.strict:  # which tells no region
        assert (
            await region_look(await site.store(), "eu-west-1")() == "the server tells none; eu-west-1 is taken for it"
        )
        return
    assert await region_look(await site.store(), "us-east-1")() == "us-east-1"
    with pytest.raises(Trouble, match="in us-east-1, not in eu-west-1") as raised:
        await region_look(await site.store(region="eu-west-1"), "eu-west-1")()
    assert raised.value.advice == "Set AWS_REGION=us-east-1."


async def test_public_access_is_not_blocked(site: Site, s3_server: S3Server) -> None:
    store = await site.store()
    look = public_access_look(store)
    if s3_server.strict:  # which has no such thing
        assert await look() == "the server has no such setting"
        return
    with pytest.raises(Trouble, match="public access is not blocked"):
        await look()
    for blocks, found in (({**FULL, "BlockPublicAcls": False}, None), (FULL, "is blocked")):
        await store._line.client.put_public_access_block(
            Bucket=store.addresses.bucket,
            PublicAccessBlockConfiguration=blocks,  # type: ignore[arg-type]
        )
        if found is not None:
            assert await look() == found
            continue
        with pytest.raises(Trouble, match="public access is not blocked"):
            await look()
    site.proxy.strike("denied")
    with pytest.raises(Trouble, match="it is not known whether public access is blocked"):
        await look()


async def test_clocks_are_apart(site: Site) -> None:
    look = clock_look(await site.store(), site.http, SystemClock(), 60)
    assert await look() == "within 60 s of the store's"
    for ahead, said in ((300.0, r"this host's clock is (299|300|301) s behind the store's"), (-300.0, "s ahead of")):
        site.proxy.ahead_seconds = ahead
        with pytest.raises(Trouble, match=said) as raised:
            await look()
        assert "NTP" in raised.value.advice
    site.proxy.strike("answer_lost")
    with pytest.raises(Trouble, match="the store's clock cannot be read"):
        await look()


async def test_whoever_meets_a_failure_gives_the_alarm(site: Site) -> None:
    """But for what only the preflight asks."""
    config = load_config(None, told_of(site.settings))
    rung: list[bool] = []
    async with open_storage(config, StorageMetrics(CollectorRegistry()), site.http, SystemClock()) as storage:
        storage.alarm.heard = lambda: rung.append(True)
        assert isinstance(storage.store, S3Store)
        site.proxy.strike("denied")
        for check in storage.checks:
            if check.warns:
                with pytest.raises(Trouble):
                    await check.look()
        assert rung == []
        with pytest.raises(StorageDenied):
            await storage.store.get("r/a")
        assert rung == [True]
        site.proxy.heal()
        with pytest.raises(StorageNotFound):
            await storage.store.get("r/a")
        assert rung == [True]


async def test_recorders_have_keys_of_their_own(site: Site, s3_server: S3Server) -> None:
    """Ours are right; the server that checks keys does not know theirs."""
    probe = await site.probe(access_key="nobody", secret_key="nothing")
    if not s3_server.strict:
        assert await probe.look()
        return
    said, _ = await trouble_of(probe)
    assert "the recorder's keys cannot write: the store refused: the access key is not known" in said
