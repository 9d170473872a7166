"""Where the keys to a bucket come from, and which of them a recorder may be given."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiohttp import web

from actors.ports import StorageDenied
from clients.agora.requests import S3Target
from clients.storage.s3.credentials import Keys, find_keys
from server.config import ConfigError, load_config
from server.ids import SystemClock
from server.media_metrics import StorageMetrics
from server.storage import _target as target_of
from server.storage import check_region, open_storage, s3_settings_of
from tests.listening import listening

S3 = {"AWS_S3_BUCKET": "b", "AWS_REGION": "eu-west-1"}
OWN = {"AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "own-secret"}
RECORDERS = {"TAPEDECK_STORAGE__RECORDER_ACCESS_KEY": "rec", "TAPEDECK_STORAGE__RECORDER_SECRET_KEY": "rec-secret"}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host without keys: no profile of whoever runs the tests, and no instance to ask."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


async def target(environ: dict[str, str]) -> S3Target:
    made = await target_of(load_config(None, {**S3, **environ}).storage)
    assert isinstance(made, S3Target)
    return made


async def test_a_host_without_keys_has_none() -> None:
    with pytest.raises(StorageDenied, match="no keys to the store were found"):
        await find_keys()
    with pytest.raises(ConfigError, match="no keys to the store were found: set AWS_ACCESS_KEY_ID"):
        await target({})


async def test_keys_are_found_in_a_profile(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nowhere / "credentials").write_text("[p]\naws_access_key_id = a\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_PROFILE", "p")
    assert await find_keys() == Keys("a", "s")
    made = await target({})
    assert (made.access_key, made.secret_key) == ("a", "s")


async def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")
    with pytest.raises(StorageDenied, match="no keys"):
        await find_keys()


async def test_keys_are_found_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    assert await find_keys() == Keys("a", "s", "t")
    with pytest.raises(ConfigError, match=r"are temporary, and nobody knows until when.*: set TAPEDECK_STORAGE__R"):
        await target({})


async def test_a_roles_keys_tell_when_they_end_and_are_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container gets them."""
    asked = 0

    async def keys(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        ends = f"2999-01-0{asked}T00:00:00Z"
        return web.json_response({"AccessKeyId": f"a{asked}", "SecretAccessKey": "s", "Token": "t", "Expiration": ends})

    app = web.Application()
    app.router.add_get("/keys", keys)
    async with listening(app) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/keys")
        ends_at_ms = int(datetime(2999, 1, 1, tzinfo=UTC).timestamp() * 1000)
        assert await find_keys() == Keys("a1", "s", "t", ends_at_ms)
        assert await find_keys() == Keys("a2", "s", "t", ends_at_ms + 86_400_000)


async def test_a_recorder_is_given_its_own_keys_before_all_others() -> None:
    for others in ({}, OWN, {**OWN, "AWS_SESSION_TOKEN": "t"}):
        made = await target({**others, **RECORDERS})
        assert (made.access_key, made.secret_key) == ("rec", "rec-secret")


async def test_without_them_it_is_given_the_servers_unless_they_are_temporary() -> None:
    made = await target(OWN)
    assert (made.access_key, made.secret_key) == ("own", "own-secret")
    with pytest.raises(ConfigError, match="are temporary"):
        await target({**OWN, "AWS_SESSION_TOKEN": "t"})


async def test_the_adapter_is_told_the_servers_keys_and_not_the_recorders() -> None:
    settings = s3_settings_of(load_config(None, {**S3, **OWN, "AWS_SESSION_TOKEN": "t", **RECORDERS}).storage)
    assert (settings.bucket, settings.region) == ("b", "eu-west-1")
    assert (settings.access_key, settings.secret_key, settings.session_token) == ("own", "own-secret", "t")


async def test_nothing_shows_a_secret() -> None:
    made = await target(OWN)
    assert "own-secret" not in f"{made!r} {Keys('a', 'own-secret', 'own-secret')!r}"


REGIONS = [
    ({"AWS_REGION": "moon-1"}, r"AWS_REGION: Agora knows no S3 region moon-1; it knows .*eu-west-1"),
    ({"AWS_REGION_ID": "0"}, "AWS_REGION: Agora's number of the S3 region eu-west-1 is 4, not 0"),
]


@pytest.mark.parametrize(("environ", "said"), REGIONS)
def test_a_region_that_does_not_fit_ends_the_start(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_region(load_config(None, {**S3, **environ}))


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_REGION_ID": "4"},
        {"AWS_REGION": "moon-1", "AWS_REGION_ID": "29"},
        {"AWS_REGION": "us-east-1", "AWS_REGION_ID": "0"},
        {"AWS_REGION": "garage", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:3900"},
    ],
)
def test_a_region_that_fits_is_taken(environ: dict[str, str]) -> None:
    check_region(load_config(None, {**S3, **environ}))


async def test_the_variables_of_other_servers_make_a_target_of_theirs() -> None:
    made = await target({**OWN, "AWS_ENDPOINT_URL_S3": "https://s3.example:9000"})
    told = made.config(("r", "x"))
    assert (told["vendor"], told["extensionParams"]) == (11, {"endpoint": "s3.example:9000"})


async def test_encryption_is_told_to_the_recorder_too() -> None:
    for wanted, told in (("AES256", "aes256"), ("aws:kms", "kms")):
        made = await target({**OWN, "TAPEDECK_STORAGE__ENCRYPTION": wanted})
        assert made.config(())["extensionParams"] == {"sse": told}
    assert "extensionParams" not in (await target(OWN)).config(())


async def test_a_missing_key_ends_the_start_before_the_bucket_is_asked() -> None:
    from prometheus_client import CollectorRegistry

    with pytest.raises(ConfigError, match="no keys"):
        async with open_storage(load_config(None, S3), StorageMetrics(CollectorRegistry()), Mock(), SystemClock()):
            pass
