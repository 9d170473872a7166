"""SeaweedFS as a child process: an S3 server that checks signatures, times and rights."""

import json
import signal
import sys
from pathlib import Path

import aiohttp

from clients.embedded.child import Child, Command
from tests.listening import PortBlock

START_SECONDS = 30.0
MEMORY = {"GOMEMLIMIT": "128MiB", "GOGC": "25"}


class Seaweed:
    """One server on `folder`. It is killed at the end, since it does not always heed a signal."""

    def __init__(self, folder: Path, access_key: str, secret_key: str) -> None:
        self._folder = folder
        self._identities = folder / "identities.json"
        self._keys = {"accessKey": access_key, "secretKey": secret_key}
        self._block = PortBlock()
        self.url = f"http://127.0.0.1:{self._block.ports[0]}"
        self._child = Child("seaweed", self._command, self._answers, folder / "log", lambda _: None, signal.SIGKILL)

    async def start(self) -> None:
        everything = {
            "name": "tests",
            "credentials": [self._keys],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        self._identities.write_text(json.dumps({"identities": [everything]}))
        await self._child.start(START_SECONDS)

    async def stop(self) -> None:
        await self._child.stop()
        self._block.close()

    def _command(self) -> Command:
        """Every port and socket is told: of those it picks by itself another server may take one, and then it dies."""
        parts = zip(("s3", "master", "volume", "filer", "admin"), self._block.ports, strict=False)
        ports = [f"-{part}.port={port}" for part, port in parts]  # and for calls among them those 10,000 above
        sockets = [f"-{part}.localSocket={self._folder / part}.sock" for part in ("s3", "filer")]
        return Command(
            [
                str(Path(sys.executable).with_name("weed")), "mini", f"-dir={self._folder}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports, f"-metricsPort={self._block.ports[-1]}", *sockets,
                f"-s3.config={self._identities}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false",
                "-webdav=false", "-admin.ui=false", "-master.telemetry=false",
            ],
            env=MEMORY,
        )  # fmt: skip

    async def _answers(self) -> bool:
        async with aiohttp.ClientSession() as http, http.get(self.url) as answer:
            return answer.status == 403
