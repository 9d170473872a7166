"""Tokens that nobody should send: whatever is in them, 401 and nothing of them in the log."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest

from tests.acceptance.running import SECRET, RunningServer
from tests.acceptance.wire import assert_quiet_log, exchange, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "/api/v1/meetings/m/recordings"
STREAM = "/api/v1/meetings/m/events"
FAR = int(time.time()) + 100_000
"""Not so soon that a token which is refused for another reason could be refused for its age."""
HEAD = {"alg": "HS256", "typ": "JWT"}
USUAL = {"sub": "u", "aud": "tapedeck", "exp": FAR, "meetings": {"*": "HOST"}}
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"


def encode(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(head: Any = HEAD, claims: Any = None, key: str = SECRET, **changed: Any) -> str:
    """A token with any head and claims, with a signature that is right for the key."""
    text = f"{encode(head)}.{encode({**USUAL, **changed} if claims is None else claims)}"
    return f"{text}.{encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())}"


FOREVER = b'{"sub":"u","aud":"tapedeck","exp":9999999999,"meetings":'
TOKENS = {
    "nonsense": "nonsense",
    "three-letters": "a.b.c",
    "8-kb": "x" * 8000,
    "unsigned": f"{encode({'alg': 'none'})}.{encode(USUAL)}.",
    "none-but-signed": sign({"alg": "none"}),
    "none-in-odd-letters": sign({"alg": "nOnE"}),
    "no-algorithm": sign({}),
    "list-of-algorithms": sign({"alg": ["HS256"]}),
    "number-as-algorithm": sign({"alg": 1}),
    "another-algorithm": sign({"alg": "HS512"}),
    "another-algorithm-done-right": jwt.encode(USUAL, SECRET * 2, "HS512"),
    "rs256-signed-with-the-secret": sign({"alg": "RS256"}),
    "es256-signed-with-the-secret": sign({"alg": "ES256"}),
    "signed-with-a-public-key": sign(key=PUBLIC_KEY),
    "signed-with-another-secret": sign(key="another-secret-that-is-long-enough-to-be-one"),
    "signed-with-nothing": sign(key=""),
    "unknown-extension": sign({**HEAD, "crit": ["x"], "x": 1}),
    "body-not-encoded": sign({**HEAD, "crit": ["b64"], "b64": False}),
    "number-as-key-id": sign({**HEAD, "kid": 1}),
    "head-is-a-list": sign(b"[]"),
    "head-is-broken": sign(b"{"),
    "head-is-deep": sign(b'{"a":' * 1000 + b"1" + b"}" * 1000),
    "head-is-nothing": "." + sign().partition(".")[2],
    "claims-are-a-list": sign(claims=b"[]"),
    "claims-are-broken": sign(claims=b"{"),
    "claims-are-deep": sign(claims=FOREVER + b"[" * 900 + b"]" * 900 + b"}"),
    "claims-are-bytes": sign(claims=b"\xff\0"),
    "two-parts": sign().rpartition(".")[0],
    "four-parts": sign() + ".x",
    "five-parts": "a.b.c.d.e",
    "short-signature": sign()[:-8],
    "no-signature": sign().rpartition(".")[0] + ".",
    "signature-of-another-body": f"{encode(HEAD)}.{encode({'sub': 'v'})}.{sign().rpartition('.')[2]}",
    "json": '{"sub":"u"}',
    **{f"no-{name}": sign(claims={key: USUAL[key] for key in USUAL if key != name}) for name in ("sub", "aud", "exp")},
    "expires-never": sign(exp=None),
    "expired": sign(exp=int(time.time()) - 31),
    "expired-long-ago": sign(exp=1),
    "expires-at-infinity": sign(exp=float("inf")),
    "expires-at-nan": sign(exp=float("nan")),
    "expires-in-ages": sign(exp=10**300),
    "expires-at-a-list": sign(exp=[1]),
    "not-yet": sign(nbf=FAR),
    "not-before-a-text": sign(nbf="x"),
    "from-the-future": sign(iat=FAR),
    "audience-of-another": sign(aud="another"),
    "audience-in-capitals": sign(aud="TAPEDECK"),
    "audience-of-nobody": sign(aud=[]),
    "audience-of-numbers": sign(aud=[1]),
    "subject-is-empty": sign(sub=""),
    "subject-is-a-number": sign(sub=1),
    "subject-is-long": sign(sub="x" * 256),
    "subject-with-nul": sign(sub="a\0"),
    "subject-with-surrogate": sign(sub="\ud800"),
    "meetings-are-a-list": sign(meetings=["m"]),
    "meetings-are-text": sign(meetings="all"),
    "meetings-are-null": sign(meetings=None),
    "role-in-small-letters": sign(meetings={"m": "host"}),
    "role-is-a-list": sign(meetings={"m": ["HOST"]}),
    "another-role": sign(meetings={"*": "ADMIN"}),
    "another-role-elsewhere": sign(meetings={"*": "HOST", "other": "ADMIN"}),
    "scope-is-a-list": sign(scope=["operator"]),
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_bad_token(server: RunningServer, name: str) -> None:
    token = TOKENS[name]
    for sent in (request("GET", LIST, token=token), request("GET", f"{STREAM}?access_token={token}")):
        answer = await exchange(server, sent)
        assert (answer.status, answer.problem()["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert token not in answer.body.decode()
    assert_quiet_log(server, token)


async def test_a_good_token_is_taken_whatever_else_it_holds(server: RunningServer) -> None:
    for token in (sign(), sign({**HEAD, "jku": "http://127.0.0.1:9/", "x5u": "x", "kid": "../k"}), sign(x="y" * 5000)):
        assert (await exchange(server, request("GET", LIST, token=token))).status == 200


async def test_an_operator_by_scope_does_not_start(server: RunningServer) -> None:
    token = sign(meetings={}, scope="x operator")
    answer = await exchange(server, request("POST", "/api/v1/meetings/m/recording/start", token=token))
    assert (answer.status, answer.problem()["code"]) == (403, "forbidden")
