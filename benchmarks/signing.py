"""URLs of a bucket signed, against botocore's own way; and a playlist of a thousand slices in one request, against its parts."""

import argparse
import asyncio
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import botocore.session
import structlog
from aiohttp import web
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from prometheus_client import CollectorRegistry
from yarl import URL

from actors.domain.ids import RecordingId
from actors.domain.media import StoredObject
from actors.domain.model import Recording
from benchmarks.measuring import interleaved, table
from clients.storage.playlist import parse, write
from clients.storage.s3.addresses import Addresses
from clients.storage.s3.signing import ObjectSigner
from clients.storage.shelf import Shelf
from server.bucket import BucketSigner
from server.ids import SystemClock
from server.middleware import install
from server.playback import Signer, UrlSigner
from server.routes.media import MediaRoutes
from server.settings import HttpSettings
from tests.fakes.media import SID, START_MS, playlist, slice_name
from tests.listening import listening

ENDPOINT, BUCKET, SECONDS = "https://s3.eu-west-1.amazonaws.com", "recordings", 900
KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
FOLDER = "tapedeck/01a202b2c57b7c4e9d3a5b1f0e6a7c21"
SHARE_MIN, PARTS_MAX = 0.9, 2.0


def object_signer() -> ObjectSigner:
    return ObjectSigner(Addresses(BUCKET, ENDPOINT), "eu-west-1", ReadOnlyCredentials(*KEYS, None))


def urls_of_botocore(count: int) -> Callable[[], object]:
    client: Any = botocore.session.get_session().create_client(
        "s3", region_name="eu-west-1", aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1],
        config=Config(signature_version="s3v4"),
    )  # fmt: skip
    asked = {"Bucket": BUCKET, "ResponseContentType": "video/mp2t", "ResponseContentDisposition": "inline"}
    return lambda: [
        client.generate_presigned_url("get_object", {**asked, "Key": f"{FOLDER}/{n}.ts"}, SECONDS) for n in range(count)
    ]


def urls_of_tapedeck(count: int) -> Callable[[], object]:
    signer = object_signer()
    return lambda: [
        signer.get(f"{FOLDER}/{n}.ts", SECONDS, file_name=f"{n}.ts", content_type="video/mp2t") for n in range(count)
    ]


class Bucket:
    """A recording of so many slices, in memory."""

    def __init__(self, slices: int) -> None:
        self.names = [slice_name(START_MS + number * 15_000) for number in range(slices)]
        self.key = f"{FOLDER}/{SID}_m-1.m3u8"
        self.data = playlist([(name, 15.0) for name in self.names])
        listed = [*(f"{FOLDER}/{name}" for name in self.names), self.key]
        self.objects = [StoredObject(key, 1000, START_MS) for key in sorted(listed)]

    async def list(self, prefix: str) -> list[StoredObject]:
        return list(self.objects)

    async def get(self, key: str) -> bytes:
        return self.data


class Nobody:
    async def recording(self, recording_id: RecordingId) -> Recording | None:
        return None


class Urls:
    def __init__(self, own: Signer) -> None:
        self._own = own

    async def signer(self) -> Signer:
        return BucketSigner(self._own, object_signer(), int(time.time()))


async def requests(slices: int, repeats: int) -> tuple[list[float], list[float]]:
    """Milliseconds of a request, and of its parts by themselves: the list read, each slice signed, the list written."""
    bucket = Bucket(slices)
    own = UrlSigner(b"k" * 32, "http://127.0.0.1:1")
    app = web.Application()
    install(app, HttpSettings(), CollectorRegistry())
    MediaRoutes(None, Shelf(bucket, look_seconds=0, looks_max=8), Nobody(), own, Urls(own), SystemClock()).add_to(app)
    whole, parts = [], []
    async with listening(app) as url, aiohttp.ClientSession() as http:
        signed = own.sign(bucket.key, int(time.time()) + SECONDS)
        address = URL(url + signed.removeprefix("http://127.0.0.1:1"), encoded=True)
        for _ in range(repeats + 1):
            began = time.perf_counter()
            async with http.get(address) as answer:
                text = await answer.text()
            whole.append((time.perf_counter() - began) * 1000)
            assert text.count("X-Amz-Signature") == slices
            began = time.perf_counter()
            listing = parse(bucket.data)
            signer = object_signer()
            for entry in listing.entries:
                signer.get(f"{FOLDER}/{entry.uri}", SECONDS, file_name=entry.uri, content_type="video/mp2t")
            write(listing.entries, ended=True)
            parts.append((time.perf_counter() - began) * 1000)
    return whole[1:], parts[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    peers = {"botocore": urls_of_botocore(given.urls), "Tapedeck": urls_of_tapedeck(given.urls)}

    def measure(name: str) -> float:
        began = time.process_time()
        peers[name]()
        return time.process_time() - began

    found = interleaved(list(peers), given.repeats, measure)
    table(f"{given.urls} URLs", "seconds of CPU", found, "botocore")
    share = statistics.median(found["botocore"]) / statistics.median(found["Tapedeck"])
    whole, parts = asyncio.run(requests(given.slices, given.repeats))
    table(f"A playlist of {given.slices} slices", "ms", {"parts": parts, "Tapedeck": whole}, "parts")
    print(f"\nURLs a second, Tapedeck / botocore: {share:.2f}, at least {SHARE_MIN}")
    times = statistics.median(whole) / statistics.median(parts)
    print(f"A request, times its parts: {times:.2f}, at most {PARTS_MAX}")


if __name__ == "__main__":
    main()
