"""What is looked at of a server's own parts, one function each; `server.preflight` tries out what lies beyond them.

What they raise is shown to everybody.
"""

from collections.abc import Awaitable, Callable

from actors.ports import JournalUnavailable
from clients.agora.client import AgoraClient
from clients.agora.sending import NoAnswer, NotConnected
from server.auth.key_set import KeySetError
from server.checks import Look, Trouble

REFUSED = (401, 403)
DATABASE = "See that the database runs, and that DATABASE_URL leads to it."
REDIS = "See that Redis runs, and that REDIS_URL leads to it; recordings go on without it."
AGORA = (
    "See that this host reaches AGORA_BASE_URL, and that the account's keys and App ID are right in Agora's console."
)
JWKS = "See that the key set of TAPEDECK_JWKS is there and can be read."
"""What to do, where a look names nothing better."""


def database_look(ping: Callable[[], Awaitable[None]]) -> Look:
    """Whether the journal's database answers."""

    async def look() -> str:
        try:
            await ping()
        except JournalUnavailable as error:
            raise Trouble(f"does not answer: {error}") from None
        return "answers"

    return look


def agora_look(client: AgoraClient) -> Look:
    """Whether the provider answers, and takes the credentials: by the one call that is free (reference 9.1)."""

    async def look() -> str:
        try:
            answer = await client.sender_addresses()
        except (NotConnected, NoAnswer) as error:
            raise Trouble(str(error)) from None
        except JournalUnavailable:
            raise Trouble("not known: without the database there is no place in the provider's budget") from None
        if answer.status in REFUSED:
            raise Trouble(
                f"the credentials are refused ({answer.status}): "
                "no recording can start until AGORA_CUSTOMER_ID and AGORA_CUSTOMER_SECRET are right"
            )
        if answer.status != 200:
            raise Trouble(answer.summary)
        return "answers, and takes the credentials"

    return look


def keys_look(check: Callable[[], Awaitable[str]]) -> Look:
    """Whether the key set that verifies tokens could be read the last time."""

    async def look() -> str:
        try:
            return await check()
        except KeySetError as error:
            raise Trouble(str(error)) from None

    return look
