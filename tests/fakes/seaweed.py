"""SeaweedFS as a child process: an S3 server that checks signatures, times and rights."""

import json
import signal
import sys
from pathlib import Path

import aiohttp

from clients.embedded.child import Child, Command
from tests.listening import free_port

START_SECONDS = 30.0
MEMORY = {"GOMEMLIMIT": "128MiB", "GOGC": "25"}


class Seaweed:
    """One server on `folder`. It is killed at the end, since it does not always heed a signal."""

    def __init__(self, folder: Path, access_key: str, secret_key: str) -> None:
        self._folder = folder
        self._identities = folder / "identities.json"
        self._keys = {"accessKey": access_key, "secretKey": secret_key}
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
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

    def _command(self) -> Command:
        ports = [f"-{part}.port={free_port()}" for part in ("master", "volume", "filer", "admin")]
        calls = [f"-{part}.port.grpc={free_port()}" for part in ("master", "volume", "filer", "s3", "admin")]
        return Command(
            [
                str(Path(sys.executable).with_name("weed")), "mini", f"-dir={self._folder}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={self._port}", *ports, *calls,
                f"-metricsPort={free_port()}", f"-s3.config={self._identities}", "-s3.port.iceberg=0", "-s3.autoCreateBucket=false",
                "-webdav=false", "-admin.ui=false", "-master.telemetry=false",
            ],
            env=MEMORY,
        )  # fmt: skip

    async def _answers(self) -> bool:
        async with aiohttp.ClientSession() as http, http.get(self.url) as answer:
            return answer.status == 403
