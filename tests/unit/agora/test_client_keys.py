"""Temporary keys to the storage on their way to the recorder: told with the start, and anew by update; no call without them."""

import pytest
from aioresponses import aioresponses

from actors.domain.effects import AgoraRekey
from actors.domain.model import FailureCode
from actors.domain.outcomes import Acquired, Ambiguous, Done, Rekeyed, RetryLater, Started
from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.client import AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget, S3Target
from tests.unit.agora.test_client import ACQUIRE, BASE, OF_SESSION, SID, START, Response, bodies, budget, client

__all__ = ["budget", "client"]
REKEY = AgoraRekey(prefix=("p",), **OF_SESSION)
UPDATE = f"{BASE}/resourceid/res/sid/{SID}/mode/mix/update"
ENDS_AT_MS = 1_790_000_000_999


@pytest.fixture
def recorder(client: AgoraClient) -> AgoraRecorder:
    target = S3Target(
        bucket="b", region="eu-west-1", access_key="a", secret_key="s", session_token="t", ends_at_ms=ENDS_AT_MS
    )
    return AgoraRecorder(client, target, "app")


async def test_a_start_is_told_the_token_and_its_end(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(f"{BASE}/acquire", payload={"resourceId": "res"}, response_class=Response)
        mock.post(f"{BASE}/resourceid/res/mode/mix/start", payload={"sid": SID}, response_class=Response)
        assert await recorder.acquire(ACQUIRE) == Done(Acquired("res", ENDS_AT_MS))
        assert await recorder.start(START) == Done(Started(SID))
        storage = bodies(mock)[1]["clientRequest"]["storageConfig"]
    assert (storage["stsToken"], storage["stsExpiration"]) == ("t", 1_790_000_000)


async def test_update_tells_all_of_the_storage_again(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(UPDATE, payload={"sid": SID}, response_class=Response)
        assert await recorder.rekey(REKEY) == Done(Rekeyed(ENDS_AT_MS))
        (body,) = bodies(mock)
    names = {"vendor": 1, "region": 4, "bucket": "b", "accessKey": "a", "secretKey": "s", "fileNamePrefix": ["p"]}
    told = {"storageConfig": {**names, "stsToken": "t", "stsExpiration": 1_790_000_000}}
    assert body == {"cname": "room", "uid": "42", "clientRequest": told}


async def test_an_update_without_an_answer_proves_nothing(recorder: AgoraRecorder) -> None:
    with aioresponses() as mock:
        mock.post(UPDATE, exception=TimeoutError())
        assert isinstance(await recorder.rekey(REKEY), Ambiguous)


class Keyless(LocalTarget):
    """There are no keys now."""

    error: StorageDenied | StorageUnavailable = StorageDenied("they hold too briefly")

    async def keys_end_at_ms(self) -> int | None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageDenied("they hold too briefly"), FailureCode.STORAGE_DENIED),
        (StorageUnavailable("asleep"), FailureCode.STORAGE_UNAVAILABLE),
    ],
)
async def test_without_keys_nothing_is_sent(
    client: AgoraClient, monkeypatch: pytest.MonkeyPatch, error: StorageDenied | StorageUnavailable, code: FailureCode
) -> None:
    monkeypatch.setattr(Keyless, "error", error)
    recorder = AgoraRecorder(client, Keyless(), "app")
    with aioresponses() as mock:
        for outcome in (await recorder.acquire(ACQUIRE), await recorder.start(START), await recorder.rekey(REKEY)):
            assert isinstance(outcome, RetryLater)
            assert outcome.failure.code is code
            assert str(error) in outcome.failure.message
        assert not mock.requests
