"""What `/readyz` looks at, one function each. What they raise is shown to everybody."""

from collections.abc import Awaitable, Callable

from actors.ports import JournalUnavailable, StorageDenied, StorageNotFound, StorageUnavailable
from clients.agora.client import AgoraClient
from clients.agora.sending import NoAnswer, NotConnected
from server.auth.key_set import KeySetError
from server.health import Look, Trouble

REFUSED = (401, 403)


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


def storage_look(free_bytes: Callable[[], int], bytes_min: int) -> Look:
    """Whether local storage is there and has room for another recording."""

    async def look() -> str:
        try:
            free = free_bytes()
        except (StorageDenied, StorageNotFound, StorageUnavailable) as error:
            raise Trouble(str(error)) from None
        if free < bytes_min:
            raise Trouble(f"{free} bytes free, below {bytes_min} (storage.min_free_bytes): no recording starts")
        return f"{free} bytes free"

    return look


def bucket_look(ping: Callable[[], Awaitable[None]]) -> Look:
    """Whether the bucket is there, and our keys may list it."""

    async def look() -> str:
        try:
            await ping()
        except (StorageDenied, StorageNotFound, StorageUnavailable) as error:
            raise Trouble(str(error)) from None
        return "answers"

    return look


def keys_look(check: Callable[[], Awaitable[str]]) -> Look:
    """Whether the key set that verifies tokens could be read the last time."""

    async def look() -> str:
        try:
            return await check()
        except KeySetError as error:
            raise Trouble(str(error)) from None

    return look
