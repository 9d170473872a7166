"""Agora as the core's `Recorder`: one port call, one HTTP call, one outcome."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from agoraiotools import RtcTokenBuilder2

from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraRekey,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import (
    Acquired,
    Ambiguous,
    Banned,
    Done,
    Members,
    Outcome,
    QueryAnswer,
    Rejected,
    Rekeyed,
    RetryLater,
    StartAnswer,
    StopAnswer,
    Updated,
)
from actors.ports import JournalUnavailable, StorageDenied, StorageUnavailable
from clients.agora.answers import Answer
from clients.agora.banning import rule_body
from clients.agora.client import AgoraClient
from clients.agora.observing import UNOBSERVED, CallObserver
from clients.agora.oddities import Oddities
from clients.agora.requests import (
    StorageTarget,
    acquire_body,
    layout_body,
    start_body,
    storage_body,
    subscription_body,
)
from clients.agora.sending import NoAnswer, NotConnected
from clients.agora.sense import Sense

TOKEN_MARGIN_SECONDS = 3600
TOKEN_SECONDS_MAX = 86400
"""A token lives 24 hours at most, and a recorder's cannot be renewed (reference 10.1)."""
SUBSCRIBER = 2


class AgoraRecorder:
    """Implements `actors.ports.Recorder`. Never raises for what the provider or the network does."""

    def __init__(
        self,
        client: AgoraClient,
        storage: StorageTarget,
        app_id: str,
        app_certificate: str | None = None,
        *,
        observe: CallObserver = UNOBSERVED,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._client = client
        self._storage = storage
        self._app_id = app_id
        self._certificate = app_certificate
        self._sense = Sense(Oddities(observe), now_ms)

    async def acquire(self, call: AgoraAcquire) -> Outcome[Acquired]:
        try:
            ends_at_ms = await self._storage.keys_end_at_ms()
        except (StorageDenied, StorageUnavailable) as error:
            return _without_keys(error)
        acquired = await self._outcome("acquire", self._client.acquire(acquire_body(call.channel_name, call.uid)))
        return Done(replace(acquired.value, keys_end_at_ms=ends_at_ms)) if isinstance(acquired, Done) else acquired

    async def start(self, call: AgoraStart) -> Outcome[StartAnswer]:
        try:
            await self._storage.keys_end_at_ms()
            body = self._start_body(call)
        except ValueError as error:
            return _refused(error)
        except (StorageDenied, StorageUnavailable) as error:
            return _without_keys(error)
        return await self._outcome("start", self._client.start(call.resource_id, body))

    async def query(self, call: AgoraQuery) -> Outcome[QueryAnswer]:
        return await self._outcome("query", self._client.query(call.resource_id, call.sid), call.sid)

    async def stop(self, call: AgoraStop) -> Outcome[StopAnswer]:
        return await self._outcome(
            "stop", self._client.stop(call.resource_id, call.sid, call.channel_name, call.uid), call.sid
        )

    async def update(self, call: AgoraUpdate) -> Outcome[Updated]:
        body = subscription_body(call.channel_name, call.uid, call.streams, call.subscribe)
        return await self._outcome("update", self._client.update(call.resource_id, call.sid, body), call.sid)

    async def update_layout(self, call: AgoraUpdateLayout) -> Outcome[Updated]:
        body = layout_body(call.channel_name, call.uid, call.layout)
        return await self._outcome(
            "updateLayout", self._client.update_layout(call.resource_id, call.sid, body), call.sid
        )

    async def rekey(self, call: AgoraRekey) -> Outcome[Rekeyed]:
        """The whole of the storage's settings, with keys that end later (reference 5.1)."""
        try:
            ends_at_ms = await self._storage.keys_end_at_ms()
            body = storage_body(call.channel_name, call.uid, self._storage.config(call.prefix))
        except (StorageDenied, StorageUnavailable) as error:
            return _without_keys(error)
        told = await self._outcome("update", self._client.update(call.resource_id, call.sid, body), call.sid)
        return Done(Rekeyed(ends_at_ms)) if isinstance(told, Done) else told

    async def ban(self, call: AgoraBan) -> Outcome[Banned]:
        """What would reach anybody else is refused here, and nothing is sent. A rule that may have been made is made again."""
        try:
            body = rule_body(self._app_id, call.channel_name, call.uid, call.seconds)
        except ValueError as error:
            return _refused(error)
        return await self._outcome("rule", self._client.make_rule(body))

    async def members(self, call: AgoraMembers) -> Outcome[Members]:
        if not call.channel_name:
            return _refused(ValueError("a list of users needs a channel"))
        return await self._outcome("users", self._client.users(call.channel_name))

    async def _outcome(self, call: str, request: Awaitable[Answer], sid: str | None = None) -> Outcome[Any]:
        try:
            return self._sense.outcome(call, await request, sid)
        except JournalUnavailable as error:
            return _later(f"no place in the provider's budget: {error}", FailureCode.INTERNAL)
        except NotConnected as error:
            return _later(f"Agora cannot be reached: {error}", FailureCode.PROVIDER_UNAVAILABLE)
        except NoAnswer as error:
            if call == "acquire":  # a resource that nobody knows of expires unused (reference 13)
                return _later(f"Agora did not answer: {error}", FailureCode.PROVIDER_UNAVAILABLE)
            return Ambiguous(str(error))

    def _start_body(self, call: AgoraStart) -> dict[str, Any]:
        token = self._token(call) if self._certificate is not None else None
        return start_body(call.channel_name, call.uid, call.spec, self._storage.config(call.prefix), token)

    def _token(self, call: AgoraStart) -> str:
        seconds = min(call.spec.max_duration_seconds + TOKEN_MARGIN_SECONDS, TOKEN_SECONDS_MAX)
        return recorder_token(self._app_id, self._certificate or "", call.channel_name, int(call.uid), seconds)


def recorder_token(app_id: str, certificate: str, channel: str, uid: int, seconds: int) -> str:
    """An AccessToken2 with which the recorder may join (reference 10). Raises ValueError for a malformed id or certificate."""
    token: str = RtcTokenBuilder2.build_token_with_uid(app_id, certificate, channel, uid, SUBSCRIBER, seconds, seconds)
    if not token:
        raise ValueError("App ID and App Certificate are 32 hexadecimal characters each")
    return token


def _refused(error: ValueError) -> Rejected:
    """By us, before the call."""
    return Rejected(Failure(FailureCode.PROVIDER_REJECTED, str(error), retryable=False))


def _without_keys(error: StorageDenied | StorageUnavailable) -> RetryLater:
    code = FailureCode.STORAGE_DENIED if isinstance(error, StorageDenied) else FailureCode.STORAGE_UNAVAILABLE
    return _later(f"no keys to the storage for the recorder: {error}", code)


def _later(why: str, code: FailureCode) -> RetryLater:
    return RetryLater(why, Failure(code, f"{why[0].upper()}{why[1:]}.", retryable=True))
