"""The way of notifications tried out: one that is signed as the provider's, sent to our own address and recognised there."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from clients.agora.webhooks import SIGNATURE, signature
from server.checks import Look, Trouble
from server.routes.webhooks import TEST_NOTICES

REACH = (
    "See that TAPEDECK_PUBLIC_URL is this server's address from outside, and that what lies in between lets "
    "POST /api/v1/webhooks/agora through; Agora's console has a test of its own (Check)."
)
SAME = "Give every node, and Agora's console, the same AGORA_WEBHOOK_SECRET."


def webhook_look(http: aiohttp.ClientSession, url: str, secret: str | None, since: Callable[[], float]) -> Look:
    """Whether a notification to `url` comes here, or to another node that knows the same secret. `since`: seconds since one of
    the provider's own came, which alone proves that it has that secret; -1 if none did."""

    async def look() -> str:
        if secret is None:
            raise Trouble(
                "no secret is set, so notifications are refused and polling alone carries", "Set AGORA_WEBHOOK_SECRET."
            )
        notice_id = f"{TEST_NOTICES}{uuid4().hex}"
        body = orjson.dumps({"noticeId": notice_id, "productId": 3, "eventType": 0, "payload": {}})
        headers = {"Content-Type": "application/json", SIGNATURE: signature(body, secret)}
        try:
            async with http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                told = _json(await answer.read())
        except (aiohttp.ClientError, OSError) as error:
            raise Trouble(f"the address for notifications cannot be reached: {type(error).__name__}", REACH) from None
        _judge(answer.status, told, notice_id)
        return f"a signed notification came back to this server; {_providers(since())}"

    return look


def _providers(seconds: float) -> str:
    return "none of the provider's own has come yet" if seconds < 0 else f"the provider's last came {seconds:.0f} s ago"


def _judge(status: int, told: Any, notice_id: str) -> None:
    match told:
        case {"test": str(test)} if status == 200 and test == notice_id:
            return
        case {"code": "invalid_signature"}:
            raise Trouble("who answers at the address for notifications has another secret", SAME)
    raise Trouble(f"who answers at the address for notifications is not Tapedeck (status {status})", REACH)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
