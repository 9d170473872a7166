"""A simulator and a server on it, each a process of its own: one may be killed while the other runs on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client, RunningServer, server_folder, token_for
from tests.acceptance.truth import Account
from tests.listening import free_port
from tests.waiting import eventually

ACCOUNT = {"app-id": "app", "customer-id": "customer", "customer-secret": "secret", "webhook-secret": "known"}
CREDENTIALS = {
    "AGORA_APP_ID": "app",
    "AGORA_CUSTOMER_ID": "customer",
    "AGORA_CUSTOMER_SECRET": "secret",
    "AGORA_WEBHOOK_SECRET": "known",
}
PAGE = 100
REQUESTS_MAX = 10_000


class Pair:
    """`host` may do everything in every meeting, `operator` sees everything. The server keeps its port when it is restarted."""

    def __init__(
        self,
        folder: Path,
        http: aiohttp.ClientSession,
        *options: str,
        environment: Mapping[str, str],
        serve: type[RunningServer],
    ) -> None:
        self._http = http
        port = free_port()
        webhook = f"http://127.0.0.1:{port}/api/v1/webhooks/agora"
        known = [text for name, value in ACCOUNT.items() for text in (f"--{name}", value)]
        self.simulator = Simulator(folder / "store", *known, "--webhook-url", webhook, *options)
        told = self.simulator.environment(PORT=str(port), **CREDENTIALS, **environment)
        self.server = serve(folder / "data", **told)
        self.host = Client(http, self.server)
        self.operator = Client(http, self.server, token_for("operator-1", operator=True))

    async def put_faults(self, rates: Mapping[str, float]) -> None:
        """Exactly these from now on."""
        async with self._http.put(f"{self.simulator.url}/_simulator/faults", json=rates) as response:
            assert response.status == 200, await response.text()

    async def fired(self, name: str) -> int:
        """How often a fault has struck so far."""
        told = await self.simulator.control(self._http, "info")
        return int(told["fired"].get(name, 0))

    async def sessions(self, cname: str | None = None) -> list[dict[str, Any]]:
        """All that ever were, or those of a channel."""
        of = "" if cname is None else f"?cname={cname}"
        items: list[dict[str, Any]] = (await self.simulator.control(self._http, f"sessions{of}"))["items"]
        return items

    async def requests(self) -> list[dict[str, Any]]:
        """What the simulator was asked, oldest first."""
        told = await self.simulator.control(self._http, f"requests?limit={REQUESTS_MAX}")
        return list(reversed(told["items"]))

    async def recordings(self) -> list[dict[str, Any]]:
        """Every row, newest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            status, page, _ = await self.operator.call("GET", f"/api/v1/recordings?limit={PAGE}{cursor}")
            assert status == 200, page
            found += page["items"]
            if page["nextCursor"] is None:
                return found
            cursor = f"&cursor={page['nextCursor']}"

    async def history(self, recording_id: str) -> list[dict[str, Any]]:
        """Everything that was stored of a recording, in order."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            path = f"/api/v1/recordings/{recording_id}/history?limit={PAGE}{cursor}"
            status, page, _ = await self.operator.call("GET", path)
            assert status == 200, page
            found += page["items"]
            if page["nextCursor"] is None:
                return found
            cursor = f"&cursor={page['nextCursor']}"

    async def account(self, per_second: int = 10) -> Account:
        """What each of them says, to be compared."""
        return Account(
            sessions=await self.sessions(),
            recordings=await self.recordings(),
            requests=await self.requests(),
            storage=self.simulator.storage,
            per_second=per_second,
        )

    async def quiet(self, within_seconds: float) -> None:
        """Wait until every recording is over and no recorder is left. Who calls looks afterwards what came of it."""

        async def over() -> bool:
            running = [item for item in await self.sessions() if item["endedAt"] is None]
            unsettled = [item for item in await self.recordings() if item["status"] == "processing"]
            return not running and not unsettled

        await eventually(over, within_seconds)


@asynccontextmanager
async def paired(
    http: aiohttp.ClientSession,
    *options: str,
    environment: Mapping[str, str],
    serve: type[RunningServer] = RunningServer,
) -> AsyncIterator[Pair]:
    """A pair on a folder of its own, the simulator running, the server not yet."""
    with server_folder() as folder:
        pair = Pair(folder, http, *options, environment=environment, serve=serve)
        async with pair.simulator:
            try:
                yield pair
            finally:
                await pair.server.stop()
