"""Tokens: who gets in, who does not, and why the cache does not change that."""

import base64
import hashlib
import hmac
import json
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from server.auth import (
    Authenticator,
    Principal,
    Role,
    TokenError,
    cluster_secrets,
    load_or_create_secret,
    mint_token,
    own_secrets,
    signing_secrets,
)
from server.config import Config, ConfigError, load_config

SECRET = "the-first-secret-of-thirty-two-bytes"
OTHER = "another-secret-of-more-than-32-bytes"
FAR = int(time.time()) + 100_000
CLAIMS: dict[str, Any] = {"sub": "user-1", "aud": "tapedeck", "exp": FAR}


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: object, header: object = None, secret: str = SECRET) -> str:
    """A token as anybody with the secret could make it, also with what PyJWT would not encode."""
    message = f"{encoded(header or {'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}"
    return f"{message}.{encoded(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest())}"


def authenticator(*secrets: str, cache_max: int = 10, now: Callable[[], float] = time.time) -> Authenticator:
    return Authenticator(secrets or (SECRET,), leeway_seconds=30, cache_max=cache_max, now=now)


def test_a_token_becomes_a_principal() -> None:
    meetings = {"m-1": "HOST", "m-2": "PARTICIPANT"}
    principal = authenticator().authenticate(signed({**CLAIMS, "meetings": meetings, "scope": "x operator"}))
    assert principal == Principal(
        "user-1", {"m-1": Role.HOST, "m-2": Role.PARTICIPANT}, frozenset({"x", "operator"}), FAR
    )
    assert (principal.is_operator, principal.is_service) == (True, False)
    assert [principal.role_in(name) for name in ("m-1", "m-2", "m-3")] == [Role.HOST, Role.PARTICIPANT, None]


def test_a_token_without_meetings_and_scope_gives_no_role() -> None:
    principal = authenticator().authenticate(signed(CLAIMS))
    assert (principal.role_in("m-1"), principal.is_operator, principal.is_service) == (None, False, False)


def test_a_time_may_have_a_fraction_and_lie_within_the_leeway() -> None:
    now = time.time()
    claims = {**CLAIMS, "exp": FAR + 0.9, "nbf": now + 20.5, "iat": now + 20}
    assert authenticator().authenticate(signed(claims)).expires_at == FAR


@pytest.mark.parametrize(
    ("scope", "operator"),
    [
        ("operator", True),
        ("a operator b", True),
        ("", False),
        ("operators", False),
        ("Operator", False),
        ("operator,a", False),
    ],
)
def test_the_scope_is_a_list_of_words(scope: str, operator: bool) -> None:
    assert authenticator().authenticate(signed({**CLAIMS, "scope": scope})).is_operator is operator


def test_an_exact_meeting_beats_the_star() -> None:
    principal = authenticator().authenticate(signed({**CLAIMS, "meetings": {"*": "HOST", "m-1": "PARTICIPANT"}}))
    assert (principal.role_in("m-1"), principal.role_in("m-2")) == (Role.PARTICIPANT, Role.HOST)
    assert principal.is_service


def test_a_principal_cannot_be_changed() -> None:
    principal = authenticator().authenticate(signed({**CLAIMS, "meetings": {"m-1": "HOST"}}))
    with pytest.raises(TypeError):
        principal.meetings["m-2"] = Role.HOST  # type: ignore[index]


@pytest.mark.parametrize("audience", ["tapedeck", ["other", "tapedeck"]])
def test_the_audience_may_be_a_list(audience: object) -> None:
    assert authenticator().authenticate(signed({**CLAIMS, "aud": audience})).sub == "user-1"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_every_secret_of_a_rotation_verifies(secret: str) -> None:
    assert authenticator(SECRET, OTHER).authenticate(signed(CLAIMS, secret=secret)).sub == "user-1"


PUBLIC_KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
WRONG_KEY = "of-another-server-and-long-enough-too"
CLAIM_CASES = [
    ({"exp": int(time.time()) - 31}, "expired"),
    ({"exp": 0}, "expired"),
    ({"exp": None}, "no exp"),
    ({"exp": "soon"}, "malformed"),
    ({"exp": float("inf")}, "malformed"),
    ({"exp": 1e300}, "exp is Unix time"),
    ({"exp": str(FAR)}, "exp is a number"),
    ({"exp": True}, "expired"),
    ({"exp": float("nan")}, "malformed"),
    ({"exp": 10**400}, "malformed|exp is Unix time"),
    ({"exp": FAR * 1000}, "exp is Unix time"),
    ({"exp": [FAR]}, "malformed"),
    ({"nbf": FAR}, "not yet valid"),
    ({"nbf": "0"}, "nbf is a number"),
    ({"nbf": None}, "malformed"),
    ({"iat": FAR}, "not yet valid"),
    ({"iat": str(FAR - 200_000)}, "iat is a number"),
    ({"iat": False}, "iat is a number"),
    ({"aud": "Tapedeck"}, "audience"),
    ({"aud": []}, "no aud"),
    ({"aud": ["tapedeck", 1]}, "audience"),
    ({"aud": {"tapedeck": 1}}, "audience"),
    ({"aud": "other"}, "audience"),
    ({"aud": ["other"]}, "audience"),
    ({"aud": None}, "no aud"),
    ({"sub": None}, "no sub"),
    ({"sub": 7}, "malformed"),
    ({"sub": ""}, "sub is"),
    ({"sub": "a\0b"}, "sub is"),
    ({"sub": "\ud800"}, "sub is"),
    ({"sub": "x" * 256}, "sub is"),
    ({"meetings": {"m-1": "BOSS"}}, "meetings maps"),
    ({"meetings": {"m-1": "host"}}, "meetings maps"),
    ({"meetings": {"m-1": None}}, "meetings maps"),
    ({"meetings": {"m-1": ["HOST"]}}, "meetings maps"),
    ({"meetings": {"*": "host"}}, "meetings maps"),
    ({"meetings": {"m-1": "HOST", "m-2": "GUEST"}}, "meetings maps"),
    ({"meetings": {"m-1": True}}, "meetings maps"),
    ({"meetings": None}, "meetings maps"),
    ({"meetings": ["m-1"]}, "meetings maps"),
    ({"scope": ["operator"]}, "scope is"),
    ({"scope": None}, "scope is"),
]
BAD_TOKENS = [
    *((signed({**CLAIMS, **change}), why) for change, why in CLAIM_CASES),
    ("", "malformed"),
    ("a.b.c", "malformed"),
    ("\ud800.b.c", "malformed"),
    (encoded(b"[" * 6000) + ".a.b", "malformed"),
    (signed(b"[" * 6000), "malformed"),
    (signed([]), "malformed"),
    (signed(CLAIMS, secret=WRONG_KEY), "signature"),
    (signed(CLAIMS)[:-4] + "AAAA", "signature"),
    (signed(CLAIMS).rpartition(".")[0] + ".", "signature"),
    (f"{encoded({'alg': 'none'})}.{encoded(CLAIMS)}.", "HS256"),
    (signed(CLAIMS, {"alg": "none"}), "HS256"),
    (signed(CLAIMS, {"alg": "None"}), "HS256"),
    (signed(CLAIMS, {"alg": "HS512"}), "HS256"),
    (signed(CLAIMS, {"alg": ["HS256"]}), "HS256"),
    (signed(CLAIMS, {"alg": None}), "HS256"),
    (signed(CLAIMS, {"typ": "JWT"}), "HS256"),
    (signed(CLAIMS, {"alg": "HS256", "kid": 7}), "malformed"),
    (signed(CLAIMS).replace(".", ".!", 1), "malformed"),
    (f"{signed(CLAIMS)}.{signed(CLAIMS)}", "malformed"),
    (signed(CLAIMS, {"alg": "RS256"}), "HS256"),
    (signed(CLAIMS, {"alg": "RS256"}, secret=PUBLIC_KEY), "HS256"),
    (signed(CLAIMS, {"alg": "HS256", "crit": ["b64"], "b64": False}), "malformed"),
]


@pytest.mark.parametrize(("token", "why"), BAD_TOKENS)
def test_a_bad_token_is_refused_twice(token: str, why: str) -> None:
    gate = authenticator(OTHER, SECRET)
    for _ in range(2):
        with pytest.raises(TokenError, match=why):
            gate.authenticate(token)


def test_a_signature_of_one_token_does_not_fit_another() -> None:
    mine, forged = signed(CLAIMS), signed({**CLAIMS, "scope": "operator"}, secret=WRONG_KEY)
    with pytest.raises(TokenError, match="signature"):
        authenticator().authenticate(forged.rpartition(".")[0] + "." + mine.rpartition(".")[2])


@given(st.text(max_size=200))
def test_any_text_is_refused_or_known(text: str) -> None:
    with pytest.raises(TokenError):
        authenticator().authenticate(text)


class Clock:
    def __init__(self) -> None:
        self.seconds = float(int(time.time()))

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize("seen_before", [True, False])
def test_a_token_lives_until_its_leeway_is_over(seen_before: bool) -> None:
    clock = Clock()
    gate, token = authenticator(now=clock), signed(CLAIMS)
    if seen_before:
        gate.authenticate(token)
    clock.seconds = FAR + 29
    assert gate.authenticate(token).expires_at == FAR
    clock.seconds = FAR + 30
    with pytest.raises(TokenError, match="expired"):
        gate.authenticate(token)


def test_a_known_token_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, token = authenticator(), signed(CLAIMS)
    principal = gate.authenticate(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert gate.authenticate(token) is principal


def test_the_cache_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = authenticator(cache_max=2)
    tokens = [signed({**CLAIMS, "sub": name}) for name in "abc"]
    for token in tokens:
        gate.authenticate(token)
    calls: list[str] = []
    decode = jwt.decode
    monkeypatch.setattr(
        jwt, "decode", lambda token, *rest, **named: calls.append(token) or decode(token, *rest, **named)
    )
    for token in (tokens[2], tokens[1], tokens[0]):
        assert gate.authenticate(token).sub == "abc"[tokens.index(token)]
    assert calls == [tokens[0]]


def test_a_minted_token_is_taken() -> None:
    token = mint_token(SECRET, sub="cli", meetings={"*": "CO_HOST"}, operator=True, ttl_seconds=60)
    principal = authenticator().authenticate(token)
    assert (principal.sub, principal.role_in("m"), principal.is_operator) == ("cli", Role.CO_HOST, True)
    plain = mint_token(SECRET, sub="cli", meetings={"m": "HOST"})
    assert not authenticator().authenticate(plain).is_operator


def with_secret(text: str) -> Config:
    return load_config(Path(__file__).parents[3] / "config.toml", {"TAPEDECK_JWT_SECRET": text})


def test_configured_secrets_are_split_at_commas() -> None:
    assert signing_secrets(with_secret(f"{SECRET}, {OTHER}")) == [SECRET, OTHER]


@pytest.mark.parametrize(
    "text",
    ["short", ",", f"{SECRET},", f",{SECRET}", f"{SECRET},,{OTHER}", f"{SECRET}, ", f"{SECRET},{'x' * 31}", PUBLIC_KEY],
)
def test_a_weak_secret_ends_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match="TAPEDECK_JWT_SECRET") as raised:
        signing_secrets(with_secret(text))
    assert text not in str(raised.value)


def test_32_bytes_are_enough() -> None:
    assert signing_secrets(with_secret("ü" * 16)) == ["ü" * 16]


def test_beside_a_key_set_alone_no_secret_verifies_tokens_and_one_of_the_data_directory_does_the_rest(
    tmp_path: Path,
) -> None:
    alone = {"TAPEDECK_JWKS": "keys.json", "TAPEDECK_DATA_DIR": str(tmp_path)}
    config = load_config(None, alone)
    assert signing_secrets(config) == []
    assert own_secrets(config) == [load_or_create_secret(tmp_path)]
    both = load_config(None, {**alone, "TAPEDECK_JWT_SECRET": f"{SECRET},{OTHER}"})
    assert signing_secrets(both) == own_secrets(both) == cluster_secrets(both) == [SECRET, OTHER]


def test_nodes_may_have_secrets_of_their_own() -> None:
    told = {"TAPEDECK_JWT_SECRET": SECRET, "TAPEDECK_CLUSTER_SECRET": f"{OTHER}, {SECRET}"}
    assert cluster_secrets(load_config(None, told)) == [OTHER, SECRET]
    with pytest.raises(ConfigError, match="TAPEDECK_CLUSTER_SECRET"):
        cluster_secrets(load_config(None, {**told, "TAPEDECK_CLUSTER_SECRET": "short"}))


def test_the_development_secret_is_made_once_and_private(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    config = load_config(Path(__file__).parents[3] / "config.toml", {"TAPEDECK_DATA_DIR": str(data)})
    first = signing_secrets(config)
    assert signing_secrets(config) == first == [load_or_create_secret(data)]
    assert len(first[0]) >= 32
    assert [stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()] == [0o600]
    assert load_or_create_secret(tmp_path / "other") != first[0]


def test_two_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(load_or_create_secret, [tmp_path / "data"] * 64))) == 1
    assert len(list((tmp_path / "data").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff" * 64])
def test_a_broken_secret_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "jwt-secret").write_bytes(content)
    with pytest.raises(ConfigError, match="jwt-secret: does not hold a secret"):
        load_or_create_secret(tmp_path)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="jwt-secret: File exists"):
        load_or_create_secret(tmp_path / "file")
