"""Temporary keys for recorders: found anew in time, kept while they are good, refused when they hold too briefly."""

from dataclasses import replace

import pytest

from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.requests import S3Target
from clients.storage.s3.credentials import Keys
from server.config import ConfigError, load_config
from server.recorder_keys import TemporaryTarget
from server.storage import _target as target_of

HOUR_MS = 3_600_000
S3 = {"AWS_S3_BUCKET": "b", "AWS_REGION": "eu-west-1"}
BARE = S3Target(bucket="b", region="eu-west-1", access_key="", secret_key="")


class Role:
    """Gives keys that hold for so many hours."""

    def __init__(self, hours: float | None = 6) -> None:
        self.hours = hours
        self.now_ms = 0
        self.given = 0
        self.trouble: Exception | None = None
        self.target = TemporaryTarget(BARE, self.find, lambda: self.now_ms, 300_000)

    async def find(self) -> Keys:
        if self.trouble is not None:
            raise self.trouble
        self.given += 1
        ends_at_ms = None if self.hours is None else self.now_ms + round(self.hours * HOUR_MS)
        return Keys(f"key-{self.given}", "secret", "token", ends_at_ms)

    def told(self) -> tuple[str, str, int]:
        config = self.target.config(("r", "x"))
        return config["accessKey"], config["stsToken"], config["stsExpiration"]


async def test_a_recorder_is_told_the_token_and_its_end_in_seconds() -> None:
    role = Role()
    assert await role.target.keys_end_at_ms() == 6 * HOUR_MS
    assert role.told() == ("key-1", "token", 6 * 3600)


async def test_one_look_serves_for_a_while() -> None:
    role = Role()
    for now_ms, given in ((0, 1), (299_000, 1), (300_000, 2), (599_000, 2)):
        role.now_ms = now_ms
        await role.target.keys_end_at_ms()
        assert role.given == given
    assert role.told() == ("key-2", "token", 6 * 3600 + 300)


@pytest.mark.parametrize("hours", [None, 1, 4])
async def test_keys_that_hold_too_briefly_are_not_given(hours: float | None) -> None:
    with pytest.raises(StorageDenied, match="four hours"):
        await Role(hours).target.keys_end_at_ms()


async def test_the_old_ones_serve_on_while_they_are_good() -> None:
    role = Role()
    await role.target.keys_end_at_ms()
    role.trouble = StorageUnavailable("the role does not answer")
    role.now_ms = 1 * HOUR_MS
    assert await role.target.keys_end_at_ms() == 6 * HOUR_MS
    role.now_ms = 2 * HOUR_MS
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await role.target.keys_end_at_ms()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Keys]:
    """What the host's role gives."""
    keys = [Keys("a", "s", "t", 2**52)]

    async def find() -> Keys:
        return keys[0]

    monkeypatch.setattr("server.storage.find_keys", find)
    return keys


async def test_a_server_starts_with_its_role_alone(found: list[Keys]) -> None:
    made = await target_of(load_config(None, S3).storage)
    assert await made.keys_end_at_ms() == 2**52
    assert made.config(())["stsToken"] == "t"


@pytest.mark.parametrize(
    ("environ", "ends_at_ms", "said"),
    [
        ({}, None, "nobody knows until when"),
        ({}, 1, "must hold for four hours"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, 2**52, "for Amazon's S3 only"),
    ],
)
async def test_a_role_that_will_not_do_ends_the_start(
    found: list[Keys], environ: dict[str, str], ends_at_ms: int | None, said: str
) -> None:
    found[0] = replace(found[0], ends_at_ms=ends_at_ms)
    with pytest.raises(ConfigError, match=f"are temporary, and .*{said}.*: set TAPEDECK_STORAGE__RECORDER_ACCESS_KEY"):
        await target_of(load_config(None, {**S3, **environ}).storage)
