"""Looks at the key set: shared, rationed, and harmless when they fail."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from server.auth import Authenticator, KeySetError, TokenError
from server.auth.jwks import Jwks, open_jwks
from server.config import ConfigError
from server.metrics import AuthMetrics
from server.settings import AuthSettings
from tests.fakes.issuer import ec_key, key_set, rsa_key
from tests.listening import listening
from tests.waiting import eventually

OLD, NEW, STRANGE = ec_key("old"), ec_key("new"), ec_key("strange")


class Place:
    """What is read, and how often. `gate` holds readers back until it is set."""

    def __init__(self, document: bytes = key_set(OLD)) -> None:
        self.document = document
        self.error: Exception | None = None
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> bytes:
        self.reads += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.document


class Desk:
    """A key set over such a place, whose clock the test moves."""

    def __init__(self, place: Place, **seconds: float) -> None:
        self.place, self.seconds, self.registry = place, 0.0, CollectorRegistry()
        timing = {"pause_seconds": 300.0, "retry_seconds": 5.0, "timeout_seconds": 5.0, **seconds}
        metrics = AuthMetrics(self.registry)
        self.jwks = Jwks(place.read, metrics, monotonic=lambda: self.seconds, **timing)
        self.authenticator = Authenticator((), leeway_seconds=30, cache_max=10, key_source=self.jwks)

    def looks(self, outcome: str) -> float:
        return self.registry.get_sample_value("tapedeck_jwks_looks_total", {"outcome": outcome}) or 0

    async def takes(self, token: str) -> bool:
        try:
            return (await self.authenticator.admit(token)).sub == "user-1"
        except TokenError:
            return False


async def desk(**seconds: float) -> Desk:
    made = Desk(Place(), **seconds)
    await made.jwks.look()
    return made


async def test_a_new_key_is_looked_for_at_once_and_its_token_waits() -> None:
    one = await desk()
    one.place.document = key_set(OLD, NEW)
    assert await one.takes(NEW.token())
    assert await one.takes(OLD.token())
    assert (one.place.reads, one.looks("changed")) == (2, 2)
    assert one.registry.get_sample_value("tapedeck_jwks_keys") == 2


async def test_a_storm_of_unknown_keys_is_one_look() -> None:
    one = await desk()
    one.place.gate.clear()
    waiting = [asyncio.create_task(one.takes(STRANGE.token(sub=str(number)))) for number in range(100)]
    await asyncio.sleep(0)
    one.place.gate.set()
    assert not any(await asyncio.gather(*waiting))
    assert one.place.reads == 2
    for number in range(100):
        assert not await one.takes(STRANGE.token(sub=str(number)))
    assert (one.place.reads, one.looks("unchanged"), one.looks("rationed")) == (2, 1, 100)


async def test_the_next_look_is_due_after_a_while() -> None:
    one = await desk()
    await one.takes(STRANGE.token())
    one.place.document = key_set(NEW)
    one.seconds = 4.9
    assert not await one.takes(NEW.token())
    one.seconds = 5.0
    assert await one.takes(NEW.token())
    assert not await one.takes(OLD.token())


async def test_a_known_key_with_a_wrong_signature_causes_no_look() -> None:
    one = await desk()
    assert not await one.takes(ec_key("old").token())
    assert one.place.reads == 1


async def test_a_caller_who_hangs_up_does_not_end_the_look_of_the_others() -> None:
    one = await desk()
    one.place.document = key_set(NEW)
    one.place.gate.clear()
    first, second = (asyncio.create_task(one.takes(NEW.token())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    one.place.gate.set()
    assert await second
    assert one.place.reads == 2


@pytest.mark.parametrize(
    ("error", "document", "trouble"),
    [
        (OSError("refused"), b"", "cannot be read: OSError"),
        (aiohttp.ClientPayloadError("cut"), b"", "cannot be read: ClientPayloadError"),
        (ValueError("what"), b"", "cannot be read: ValueError"),
        (KeySetError("it answers 500"), b"", "it answers 500"),
        (None, b"[]", "it is not a key set"),
        (None, b"nonsense", "it is not JSON"),
    ],
)
async def test_a_look_that_fails_keeps_the_keys_and_is_told(
    error: Exception | None, document: bytes, trouble: str
) -> None:
    one = await desk()
    assert await one.jwks.check() == "1 keys"
    one.place.error, one.place.document = error, document
    await one.jwks.look()
    assert await one.takes(OLD.token())
    with pytest.raises(KeySetError, match=trouble):
        await one.jwks.check()
    assert one.looks("failed") == 1
    one.place.error, one.place.document = None, key_set(OLD)
    await one.jwks.look()
    assert await one.jwks.check() == "1 keys"


async def test_a_place_that_hangs_is_given_up() -> None:
    one = Desk(Place(), timeout_seconds=0.01)
    one.place.gate.clear()
    await one.jwks.look()
    assert one.jwks.trouble == "no answer within 0.01 s"


async def test_a_set_without_a_key_takes_all_of_them_away() -> None:
    one = await desk()
    assert await one.takes(OLD.token())
    one.place.document = key_set({"kty": "oct", "k": "AAAA"})
    await one.jwks.look()
    assert not await one.takes(OLD.token())
    with pytest.raises(KeySetError, match="no usable key: key 1: neither RSA nor P-256"):
        await one.jwks.check()


async def test_the_same_document_keeps_what_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    one, token = await desk(), OLD.token()
    await one.takes(token)
    await one.jwks.look()
    monkeypatch.setattr("jwt.decode", None)
    assert await one.takes(token)


async def test_it_is_looked_at_in_the_background_and_sooner_after_a_failure() -> None:
    one = await desk(pause_seconds=0.01, retry_seconds=0.01)
    running = asyncio.create_task(one.jwks.run())
    one.place.error = OSError()
    await eventually(lambda: _settled(one.jwks.trouble is not None))
    one.place.error, one.place.document = None, key_set(NEW)
    await eventually(lambda: _settled(one.jwks.trouble is None))
    assert one.authenticator.authenticate(NEW.token()).sub == "user-1"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_after_a_failure_the_pause_is_the_shorter_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one, pauses = await desk(), []

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        one.place.error = OSError() if len(pauses) == 1 else None
        if len(pauses) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("asyncio.sleep", note)
    with pytest.raises(asyncio.CancelledError):
        await one.jwks.run()
    assert pauses == [300.0, 5.0, 300.0]


async def _settled(found: bool) -> bool:
    return found


async def opened(place: str, **limits: Any) -> Jwks | None:
    async with aiohttp.ClientSession() as http:
        settings = AuthSettings(jwks=place, **limits)
        return await open_jwks(settings, http, AuthMetrics(CollectorRegistry()))


async def test_a_file_is_read_at_the_start_and_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(OLD))
    jwks = await opened(str(path))
    assert jwks is not None
    assert [key.key_id for key in jwks.keys.keys] == ["old"]
    path.write_bytes(key_set(NEW))
    await jwks.look()
    assert [key.key_id for key in jwks.keys.keys] == ["new"]
    path.unlink()
    await jwks.look()
    assert ([key.key_id for key in jwks.keys.keys], jwks.trouble) == (["new"], "No such file or directory")


async def test_a_file_that_changed_is_seen_without_a_token_that_asks(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(OLD))
    jwks = await opened(str(path), jwks_refresh_seconds=3600.0, jwks_retry_seconds=0.01)
    assert jwks is not None
    running = asyncio.create_task(jwks.run())
    path.write_bytes(key_set(NEW))
    await eventually(lambda: _settled([key.key_id for key in jwks.keys.keys] == ["new"]))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        (b"", "not JSON"),
        (b"[]", "not a key set"),
        (key_set(), "it is empty"),
        (key_set(rsa_key("w", 1024)), "of 1024 bits"),
        (key_set({"kty": "oct", "k": "AAAA"}), "neither RSA nor P-256"),
        (key_set(OLD) + b" " * 1000, "more than 1000 bytes"),
    ],
)
async def test_a_file_without_keys_ends_the_start(content: bytes | None, why: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^TAPEDECK_JWKS: .*keys\.json: .*{why}"):
        await opened(str(path), jwks_bytes_max=1000)


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A server with a good key set and several bad ones."""
    app = web.Application()

    async def good(_: web.Request) -> web.Response:
        return web.Response(body=key_set(OLD), content_type="text/plain")

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=key_set(OLD) + b" " * 65536)

    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("/good")

    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=500, body=key_set(OLD))

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    for handler in (good, large, moved, broken, packed):
        app.router.add_get(f"/{handler.__name__}", handler)
    async with listening(app) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("/good?app=1", None),
        ("/large", "more than 65536 bytes"),
        ("/moved", "it answers 302"),
        ("/broken", "it answers 500"),
        ("/nothing", "it answers 404"),
        ("/packed", "cannot be read"),
    ],
)
async def test_a_url_is_read_and_a_bad_one_does_not_end_the_start(site: str, path: str, trouble: str | None) -> None:
    jwks = await opened(site + path)
    assert jwks is not None
    assert len(jwks.keys.keys) == (0 if trouble else 1)
    assert (trouble or "None") in str(jwks.trouble)


async def test_a_host_that_is_not_there_does_not_end_the_start() -> None:
    jwks = await opened("http://127.0.0.1:1/keys")
    assert jwks is not None
    assert str(jwks.trouble).startswith("cannot be read: ClientConnectorError")


async def test_without_the_setting_there_is_no_key_set() -> None:
    async with aiohttp.ClientSession() as http:
        assert await open_jwks(AuthSettings(), http, AuthMetrics(CollectorRegistry())) is None
