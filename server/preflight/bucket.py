"""A bucket tried out as a recording uses it: written by the recorder, read, played and deleted by us."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import yarl

from clients.storage.s3.store import S3Store
from server.checks import Trouble
from server.preflight.probe import STORAGE_TROUBLE, new_probe, step

URL_SECONDS = 60
WRITE = "Let the recorder's keys do s3:PutObject on the bucket, and see that bucket, region and keys are right."
READ = "Let the server's keys do s3:GetObject and s3:ListBucket on the bucket."
OPEN = "See that AWS_REGION is the bucket's own, and that nothing between here and the store changes URLs."
DELETE = "Let the server's keys do s3:DeleteObject on the bucket, and s3:DeleteObjectVersion if it keeps versions."


class BucketProbe:
    """Whether another recording may be kept in the bucket. `recorder`: the same bucket, with the keys that Agora is given."""

    def __init__(self, own: S3Store, recorder: S3Store, http: aiohttp.ClientSession, prefix: str) -> None:
        self._own = own
        self._recorder = recorder
        self._http = http
        self._prefix = prefix

    async def look(self) -> str:
        """Raises Trouble. Nothing is left behind if the store lets us."""
        key, data = new_probe(self._prefix)
        async with self._written(key, data):
            with step("an object cannot be read", READ):
                found = await self._own.get(key)
                url = (await self._own.signer()).get(key, URL_SECONDS)
                await self._own.list(key)
            if found != data or await self._opened(url) != data:
                raise Trouble(
                    "what was written is not what is read", "See what lies between this server and the store."
                )
        return "an object was written with the recorder's keys, read, opened by its URL and deleted"

    @asynccontextmanager
    async def _written(self, key: str, data: bytes) -> AsyncIterator[None]:
        version: str | None = None
        try:
            with step("the recorder's keys cannot write", WRITE):
                version = await self._recorder.put(key, data)
            yield
        except BaseException:
            with contextlib.suppress(*STORAGE_TROUBLE):  # it may be there although the answer was lost
                await self._own.delete_version(key, version)
            raise
        with step("an object cannot be deleted", DELETE):
            await self._own.delete_version(key, version)

    async def _opened(self, url: str) -> bytes:
        try:
            async with self._http.get(yarl.URL(url, encoded=True)) as answer:
                if answer.status != 200:
                    raise Trouble(f"a signed URL is answered {answer.status}", OPEN)
                return await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise Trouble(f"a signed URL cannot be opened: {type(error).__name__}", OPEN) from None
