"""Which keys of a key set verify which tokens, and that a key set may hold anything."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from server.auth import Authenticator, KeySet, KeySetError, TokenError, mint_token, parse_key_set
from server.auth.authenticator import UnknownKey
from tests.fakes.issuer import IssuerKey, ec_key, key_set, rsa_key

SECRET = "the-first-secret-of-thirty-two-bytes"
RSA, EC, OTHER = rsa_key("r"), ec_key("e"), rsa_key("r")
NAMELESS_RSA, NAMELESS_EC = rsa_key(None), ec_key(None)


class Shelf:
    """A source whose keys the test exchanges."""

    def __init__(self, *keys: IssuerKey | dict[str, Any]) -> None:
        self.put(*keys)

    def put(self, *keys: IssuerKey | dict[str, Any]) -> None:
        self.keys: KeySet = parse_key_set(key_set(*keys))

    async def look_again(self) -> bool:
        return False


def gate(*keys: IssuerKey | dict[str, Any], secrets: tuple[str, ...] = ()) -> Authenticator:
    return Authenticator(secrets, leeway_seconds=30, cache_max=10, key_source=Shelf(*keys))


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_key_of_the_set_verifies_its_tokens(key: IssuerKey) -> None:
    assert gate(RSA, EC).authenticate(key.token(sub="anna")).sub == "anna"


def test_the_key_set_stands_beside_the_secrets() -> None:
    both = gate(RSA, secrets=(SECRET,))
    assert both.authenticate(RSA.token()).sub == "user-1"
    assert both.authenticate(mint_token(SECRET, sub="bob", meetings={})).sub == "bob"


def test_without_a_secret_there_are_no_hs256_tokens() -> None:
    with pytest.raises(TokenError, match="not signed with RS256 or ES256"):
        gate(RSA).authenticate(mint_token(SECRET, sub="bob", meetings={}))


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_with(secret: bytes, header: dict[str, Any]) -> str:
    """A token whose HMAC is made with that, as somebody makes it who has a public key and nothing else."""
    claims = RSA.token().split(".")[1]
    message = f"{encoded(json.dumps(header).encode())}.{claims}"
    return f"{message}.{encoded(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


FORMS = [
    RSA.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
] + [json.dumps(RSA.public()).encode(), key_set(RSA), RSA.public()["n"].encode()]


@pytest.mark.parametrize("secrets", [(), (SECRET,)])
@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_a_public_key_is_no_shared_secret(form: bytes, algorithm: str, secrets: tuple[str, ...]) -> None:
    for header in ({"alg": algorithm}, {"alg": algorithm, "kid": "r"}):
        with pytest.raises(TokenError):
            gate(RSA, secrets=secrets).authenticate(signed_with(form, header))


def test_a_shared_key_of_the_set_verifies_nothing() -> None:
    shared = {"kty": "oct", "k": encoded(SECRET.encode()), "kid": "s", "alg": "HS256"}
    for algorithm in ("HS256", "RS256"):
        with pytest.raises(TokenError):
            gate(RSA, shared, secrets=("x" * 32,)).authenticate(
                signed_with(SECRET.encode(), {"alg": algorithm, "kid": "s"})
            )


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (OTHER.token(), "signature"),
        (RSA.token(header={"kid": "e"}), "not that of its key"),
        (EC.token(header={"kid": "r"}), "not that of its key"),
        (RSA.token(exp=1), "expired"),
        (RSA.token(aud="another"), "audience"),
        (RSA.token(exp="1790000000000"), "exp is a number"),
        (IssuerKey("r", RSA.private, "RS512").token(), "not signed with RS256"),
        (IssuerKey("r", RSA.private, "PS256").token(), "not signed with RS256"),
        (IssuerKey("e", ec.generate_private_key(ec.SECP384R1()), "ES384").token(), "not signed with RS256"),
        (NAMELESS_RSA.token(), "does not say which key"),
    ],
)
def test_a_token_that_does_not_fit_is_refused_twice(token: str, why: str) -> None:
    both = gate(RSA, EC, rsa_key("r2"))
    for _ in range(2):
        with pytest.raises(TokenError, match=why):
            both.authenticate(token)


@pytest.mark.parametrize(
    ("keys", "token"),
    [((RSA,), EC.token()), ((), RSA.token()), ((EC,), NAMELESS_RSA.token()), ((NAMELESS_RSA,), RSA.token())],
)
def test_a_key_that_is_not_here_is_told_apart(keys: tuple[IssuerKey, ...], token: str) -> None:
    with pytest.raises(UnknownKey):
        gate(*keys).authenticate(token)


def test_a_token_without_kid_is_taken_when_one_key_only_fits_its_alg() -> None:
    both = gate(NAMELESS_RSA, NAMELESS_EC)
    for key in (NAMELESS_RSA, NAMELESS_EC):
        assert both.authenticate(key.token()).sub == "user-1"
    assert gate(RSA).authenticate(IssuerKey(None, RSA.private, "RS256").token()).sub == "user-1"


def test_two_keys_of_one_name_are_both_tried() -> None:
    both = gate(RSA, OTHER)
    assert [both.authenticate(key.token()).sub for key in (RSA, OTHER)] == ["user-1"] * 2


def test_a_known_token_is_forgotten_with_its_key() -> None:
    shelf, token = Shelf(RSA, EC), RSA.token()
    both = Authenticator((), leeway_seconds=30, cache_max=10, key_source=shelf)
    principal = both.authenticate(token)
    assert both.authenticate(token) is principal
    shelf.put(EC)
    with pytest.raises(UnknownKey):
        both.authenticate(token)
    shelf.put(OTHER)
    with pytest.raises(TokenError, match="signature"):
        both.authenticate(token)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (rsa_key("w", 1024).public(), "of 1024 bits"),
        ({"kty": "oct", "k": "AAAA", "kid": "o"}, "neither RSA nor P-256"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "neither RSA nor P-256"),
        ({**EC.public(), "crv": "P-384"}, "neither RSA nor P-256"),
        ({**EC.public(), "y": EC.public()["x"]}, "malformed"),
        (RSA.public(n="!"), "malformed"),
        (RSA.public(n=7), "malformed"),
        (RSA.public(e=""), "malformed"),
        ({"kty": "RSA"}, "malformed"),
        ({"kty": ["RSA"]}, "neither RSA nor P-256"),
        (RSA.public(alg="RS512"), "not for RS256"),
        (RSA.public(alg="HS256"), "not for RS256"),
        (RSA.public(alg="ES256"), "not for RS256"),
        (RSA.public(use="enc"), "not for RS256"),
        (RSA.public(kid=7), "kid is no text"),
        (RSA.public(d="AAAA"), "a private key"),
        ("RSA", "neither RSA nor P-256"),
        (None, "neither RSA nor P-256"),
    ],
)
def test_a_useless_key_is_passed_over_with_its_reason(key: Any, why: str) -> None:
    found = parse_key_set(key_set(key, EC))
    assert [each.key_id for each in found.keys] == ["e"]
    assert found.passed_over[0].startswith(f"key 1: {why}")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"<html>", "not JSON"),
        (b"null", "not a key set"),
        (b"7", "not a key set"),
        (b'"keys"', "not a key set"),
        (b"[]", "not a key set"),
        (b"{}", "not a key set"),
        (b'{"keys": {}}', "not a key set"),
        (b'{"keys": null}', "not a key set"),
        (json.dumps(RSA.public()).encode(), "not a key set"),
    ],
)
def test_what_is_no_key_set_is_refused(document: bytes, why: str) -> None:
    with pytest.raises(KeySetError, match=why):
        parse_key_set(document)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
MEMBERS = st.sampled_from(["kty", "crv", "n", "e", "x", "y", "d", "k", "alg", "use", "kid", "key_ops"])
WORDS = JSON | st.sampled_from(["RSA", "EC", "P-256", "AQAB", "RS256", "sig", RSA.public()["n"], EC.public()["x"]])


@given(st.lists(st.dictionaries(MEMBERS, WORDS), max_size=3))
def test_a_key_may_hold_anything(keys: list[dict[str, Any]]) -> None:
    found = parse_key_set(json.dumps({"keys": keys}).encode())
    assert len(found.keys) + len(found.passed_over) == len(keys)
