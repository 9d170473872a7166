"""POST verify: what it answers, to whom, and when there is nothing to verify. The command is `test_verify_command.py`."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from actors.domain.media import Checked, Finding, Verification
from actors.domain.outcomes import Ambiguous
from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from server.config import Config
from server.routes.verification import VerificationRoutes
from tests.fakes.files import FakeMedia
from tests.fakes.memory import MemoryRecords
from tests.unit.server.calls import OPERATOR, Calls, host
from tests.unit.server.conftest import Serve


class Verifier:
    """Finds what it was told to; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], str, int]] = []
        self.found: Verification | Exception = Verification((Checked("r/manifest.json", 9, Finding.SAME),), 1, None)

    async def verify(self, prefix: tuple[str, ...], sha256: str, after: int) -> Verification:
        self.asked.append((prefix, sha256, after))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def verifier() -> Verifier:
    return Verifier()


@pytest.fixture
async def calls(serve: Serve, verifier: Verifier) -> AsyncIterator[Calls]:
    made = Calls(Config())

    def add_to(app: web.Application) -> None:
        made.add_to(app)
        VerificationRoutes(MemoryRecords(made.database), verifier).add_to(app)

    made.edge = await serve(add_to)
    yield made
    made.system.let_go()


async def test_it_is_answered_call_by_call(calls: Calls, verifier: Verifier) -> None:
    done = await calls.completed("m")
    sha256 = await calls.sealed(done)
    path = f"/recordings/{done['id']}/verify"
    verifier.found = Verification(
        (Checked("r/a.ts", 7, Finding.ALTERED, "it had 9 bytes"), Checked("r/b.ts", None, Finding.MISSING)), 5, 4
    )
    status, told, _ = await calls.call("POST", f"{path}?cursor=2", token=OPERATOR)
    assert (status, told) == (
        200,
        {
            "items": [
                {"key": "r/a.ts", "fileSize": 7, "finding": "altered", "detail": "it had 9 bytes"},
                {"key": "r/b.ts", "fileSize": None, "finding": "missing", "detail": None},
            ],
            "total": 5,
            "nextCursor": "4",
        },
    )
    assert [(asked[1], asked[2]) for asked in verifier.asked] == [(sha256, 2)]
    assert done["files"][0]["key"].startswith("/".join(verifier.asked[0][0]))
    verifier.found = Verification((), 5, None)
    assert (await calls.call("POST", path, token=OPERATOR))[1]["nextCursor"] is None
    assert verifier.asked[1][2] == 0


async def test_it_is_for_operators(calls: Calls, verifier: Verifier) -> None:
    done = await calls.completed("m")
    await calls.sealed(done)
    assert (await calls.call("POST", f"/recordings/{done['id']}/verify", token=host()))[0] == 403
    assert verifier.asked == []


@pytest.mark.parametrize("cursor", ["-1", "x", ""])
async def test_a_cursor_is_a_number(calls: Calls, cursor: str) -> None:
    done = await calls.completed("m")
    path = f"/recordings/{done['id']}/verify?cursor={cursor}"
    assert (await calls.call("POST", path, token=OPERATOR))[0] == 422


async def test_what_has_no_manifest_is_refused_with_the_reason(
    calls: Calls, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(id_: str) -> tuple[int, str]:
        status, told, _ = await calls.call("POST", f"/recordings/{id_}/verify", token=OPERATOR)
        return status, told["code"]

    async def away(*_: object) -> Ambiguous:
        return Ambiguous("away")

    monkeypatch.setattr(FakeMedia, "seal", away)
    live = await calls.start("m-1")
    assert await refused(live["id"]) == (409, "recording_not_ready")
    done = await calls.completed("m-2")
    assert await refused(done["id"]) == (409, "recording_not_ready")
    assert (await calls.call("DELETE", f"/recordings/{done['id']}"))[0] == 204
    assert await refused(done["id"]) == (410, "recording_deleted")
    assert await refused("01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11") == (404, "not_found")
    assert verifier.asked == []


@pytest.mark.parametrize("error", [StorageDenied("no"), StorageUnavailable("asleep"), StorageNotFound("gone")])
async def test_storage_in_trouble_is_told(calls: Calls, verifier: Verifier, error: Exception) -> None:
    done = await calls.completed("m")
    await calls.sealed(done)
    verifier.found = error
    status, told, _ = await calls.call("POST", f"/recordings/{done['id']}/verify", token=OPERATOR)
    assert (status, told["code"], told["detail"]) == (503, "storage_unavailable", str(error))
