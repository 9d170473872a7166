"""A running simulator for tests: over real HTTP, with a receiver of notifications, and ears for its files.

The tone is encoded once for a whole run of tests.
"""

import io
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import av
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.agora.simulator.app import build_simulator
from clients.agora.simulator.settings import SimulatorSettings
from clients.storage.local import LocalStore
from tests.waiting import eventually

RATE = 48_000
AUTH = aiohttp.encode_basic_auth("customer", "secret")
BASE = "/v1/apps/app/cloud_recording"
STORAGE = {"vendor": 1, "region": 0, "bucket": "b", "accessKey": "a", "secretKey": "s", "fileNamePrefix": ["p", "q"]}


class Clock:
    """The time, and as much more as is wanted."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Receiver:
    """Takes notifications. `statuses`: what it answers first to events of a type; afterwards 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: dict[int, list[int]] = {}
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._server = TestServer(app)

    async def start(self) -> str:
        await self._server.start_server()
        return str(self._server.make_url("/hook"))

    async def stop(self) -> None:
        await self._server.close()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posts.append((body, dict(request.headers)))
        statuses = self.statuses.get(orjson.loads(body)["eventType"])
        return web.json_response({}, status=statuses.pop(0) if statuses else 200)

    def events(self, sid: str | None = None) -> list[dict[str, Any]]:
        """Everything that came, in order."""
        told = [orjson.loads(body) for body, _ in self.posts]
        return [event for event in told if sid is None or event["sid"] == sid]

    async def has(self, sid: str, *types: int) -> None:
        """Wait until an event of each of these types has come."""

        async def complete() -> bool:
            return set(types) <= set(self.types(sid))

        await eventually(complete)

    def types(self, sid: str | None = None) -> list[int]:
        return [event["eventType"] for event in self.events(sid)]


class Bench:
    """One simulator on a folder. Its end writes nothing, so that it leaves what a kill leaves."""

    def __init__(self, folder: Path, tone: Path, now: Callable[[], float] = time.time, **settings: Any) -> None:
        self.root = folder / "media"
        self.state = folder / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        if not (self.state / tone.name).exists():
            shutil.copy(tone, self.state / tone.name)
        self.store = LocalStore(self.root)
        told = {
            "slice_seconds": 1.0,
            "leaving_seconds": 20.0,
            "requests_per_second": 1000.0,
            "rules_per_second": 1000.0,
            "lists_per_second": 1000.0,
            "webhook_secret": "hush",
            **settings,
        }
        self.settings = SimulatorSettings(state_dir=self.state, storage_root=self.root, **told)
        self.server = TestServer(build_simulator(self.settings, self.store, now))
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> "Bench":
        await self.server.start_server()
        self._http = aiohttp.ClientSession()
        return self

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()
        await self.server.close()

    async def ask(self, method: str, path: str, body: Any = None, auth: str | None = AUTH) -> tuple[int, Any]:
        """Status and JSON, or text where it is none."""
        assert self._http is not None
        data = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json", **({} if auth is None else {"Authorization": auth})}
        async with self._http.request(method, self.server.make_url(path), data=data, headers=headers) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, orjson.loads(raw) if is_json else raw.decode()

    async def acquire(self, cname: str = "m-1", uid: str = "77") -> str:
        status, told = await self.ask("POST", f"{BASE}/acquire", {"cname": cname, "uid": uid, "clientRequest": {}})
        assert status == 200, told
        return str(told["resourceId"])

    async def begin(self, resource: str, cname: str = "m-1", uid: str = "77", **request: Any) -> tuple[int, Any]:
        body = {"cname": cname, "uid": uid, "clientRequest": start_request(**request)}
        return await self.ask("POST", f"{BASE}/resourceid/{resource}/mode/mix/start", body)

    async def record(self, cname: str = "m-1", uid: str = "77", **request: Any) -> "Take":
        """Acquire and start."""
        resource = await self.acquire(cname, uid)
        status, told = await self.begin(resource, cname, uid, **request)
        assert status == 200, told
        return Take(self, resource, told["sid"], cname, uid)

    async def has_files(self, pattern: str) -> list[Path]:
        """Wait until there is a file of that name."""

        async def found() -> list[Path]:
            return list(self.root.rglob(pattern))

        return await eventually(found)

    async def shown(self, sid: str) -> dict[str, Any]:
        """The session as the control call shows it."""
        _, told = await self.ask("GET", "/_simulator/sessions")
        return next(item for item in told["items"] if item["sid"] == sid)


class Take:
    """A session that was started."""

    def __init__(self, bench: Bench, resource: str, sid: str, cname: str, uid: str) -> None:
        self.bench, self.resource, self.sid, self.cname, self.uid = bench, resource, sid, cname, uid

    @property
    def path(self) -> str:
        return f"{BASE}/resourceid/{self.resource}/sid/{self.sid}/mode/mix"

    async def query(self) -> tuple[int, Any]:
        return await self.bench.ask("GET", f"{self.path}/query")

    async def stop(self, **request: Any) -> tuple[int, Any]:
        body = {"cname": self.cname, "uid": self.uid, "clientRequest": request}
        return await self.bench.ask("POST", f"{self.path}/stop", body)

    async def has_slices(self, count: int) -> None:
        async def enough() -> bool:
            shown = await self.bench.shown(self.sid)
            return sum(name.endswith(".ts") for name in shown["files"]) >= count

        await eventually(enough)

    def file(self, ending: str) -> Path:
        """The one file of the session with that ending."""
        (found,) = self.bench.root.rglob(f"{self.sid}*{ending}")
        return found

    def slices(self) -> list[Path]:
        return sorted(self.bench.root.rglob(f"{self.sid}*.ts"))


def start_request(**changes: Any) -> dict[str, Any]:
    """`clientRequest` of start; `recording` and `outputs` are short cuts."""
    recording = {"channelType": 1, "streamTypes": 0, "maxIdleTime": 300, **changes.pop("recording", {})}
    files = {"avFileType": changes.pop("outputs", ["hls", "mp4"])}
    return {"recordingConfig": recording, "recordingFileConfig": files, "storageConfig": STORAGE, **changes}


def samples_of(*paths: Path) -> list[float]:
    """The sound of a file, or of slices joined as a player joins them: a decoder needs the frame before for the next."""
    sound: list[float] = []
    with av.open(io.BytesIO(b"".join(path.read_bytes() for path in paths))) as container:
        for frame in container.decode(audio=0):
            sound.extend(memoryview(bytes(frame.planes[0])[: frame.samples * 4]).cast("f"))
    return sound


def hertz_at(sound: list[float], begin: float, seconds: float = 0.2) -> float:
    """The frequency of a stretch, by its zero crossings."""
    part = sound[round(begin * RATE) : round((begin + seconds) * RATE)]
    rising = [at for at in range(1, len(part)) if part[at - 1] < 0 <= part[at]]
    return (len(rising) - 1) * RATE / (rising[-1] - rising[0])


def tone_of(unix_seconds: float) -> float:
    """What api.md 7 says is heard then."""
    return 300 + 10 * (math.floor(unix_seconds) % 120)


def seconds_heard(sound: list[float], started_at: float) -> list[int]:
    """The Unix seconds whose middle is in the sound, each checked to sound as it must."""
    first, last = math.ceil(started_at - 0.3), math.floor(started_at + len(sound) / RATE - 0.7)
    for second in range(first, last + 1):
        heard = hertz_at(sound, second + 0.4 - started_at)
        assert abs(heard - tone_of(second)) < 4, (second, heard, tone_of(second))
    return list(range(first, last + 1))
