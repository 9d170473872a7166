"""A server that speaks as much S3 as the benchmarks need, and keeps nothing: what it costs is not what they measure.

`python -m benchmarks.sink OBJECTS`: it takes uploads in parts, and lists so many objects, each in a recording's folder.
"""

import asyncio
import sys
from xml.sax.saxutils import escape

from aiohttp import web

PAGE = 1000
DATE = "2026-01-01T00:00:00.000Z"


def folder_of(number: int) -> str:
    """As a recording's."""
    return f"{number:012x}7c4e9d3a5b1f0e6a7c21"


def key_of(number: int) -> str:
    return f"tapedeck/{folder_of(number)}/38f8e3cfdc474cd56fc1ceba380d7e1a_m.m3u8"


def listing(objects: int, after: str) -> str:
    """A page of the list, the last key of the page before being the place."""
    first = int(after) if after else 0
    numbers = range(first, min(first + PAGE, objects))
    items = "".join(
        f"<Contents><Key>{escape(key_of(n))}</Key><LastModified>{DATE}</LastModified><Size>1000</Size></Contents>"
        for n in numbers
    )
    more = first + PAGE < objects
    token = f"<NextContinuationToken>{first + PAGE}</NextContinuationToken>" if more else ""
    return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}</ListBucketResult>"


class Sink:
    """`requests` counts those to the bucket."""

    def __init__(self, objects: int) -> None:
        self._objects = objects
        self.requests = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        if request.method == "PUT":
            async for _ in request.content.iter_chunked(1 << 20):
                pass
            return web.Response(headers={"ETag": '"e"'})
        return web.Response(text=self._answer(request), content_type="application/xml")

    def _answer(self, request: web.Request) -> str:
        if request.method == "POST" and "uploads" in request.query:
            return "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        if request.method == "POST":
            return "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        if "uploads" in request.query:
            return "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
        objects = self._objects if request.query.get("prefix") == "tapedeck/" else 0
        return listing(objects, request.query.get("continuation-token", ""))

    async def count(self, _: web.Request) -> web.Response:
        """How many there were since it was asked last."""
        told, self.requests = str(self.requests), 0
        return web.Response(text=told)


async def main(objects: int) -> None:
    sink, app = Sink(objects), web.Application(client_max_size=1 << 40)
    app.router.add_get("/_count", sink.count)
    app.router.add_route("*", "/{path:.*}", sink.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
