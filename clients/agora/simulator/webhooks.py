"""Notifications: queued on disk, signed over the raw body, posted in realistic disorder, again when refused (reference 9)."""

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import structlog

from clients.agora.simulator.faults import Faults
from clients.agora.simulator.session import Session
from clients.agora.simulator.settings import SimulatorSettings
from clients.agora.simulator.state import State

log = structlog.get_logger(__name__)

RECORDER, UPLOADER, SERVICE = 1, 2, 0
GAPS_MS = (0, 2_000, 10_000)
"""Sent again at once, then with growing gaps; given up after three retries (reference 9.1)."""
LATE_MS_MAX = 30_000
REORDERED_MS_MAX = 3_000
POSTS_AT_ONCE = 20
MESSAGES = {
    1: (SERVICE, "cloud_recording_error"),
    3: (SERVICE, "cloud_recording_status_update"),
    4: (SERVICE, "cloud_recording_file_infos"),
    11: (SERVICE, "session_exit"),
    12: (SERVICE, "session_failover"),
    30: (UPLOADER, "uploader_started"),
    31: (UPLOADER, "uploaded"),
    32: (UPLOADER, "backuped"),
    33: (UPLOADER, "uploading_progress"),
    40: (RECORDER, "recorder_started"),
    41: (RECORDER, "recorder_leave"),
    42: (RECORDER, "recorder_slice_start"),
    43: (RECORDER, "recorder_audio_stream_state_changed"),
    44: (RECORDER, "recorder_video_stream_state_changed"),
}


class Webhooks:
    """`now_ms` is the simulator's clock. Without a URL nothing is queued."""

    def __init__(self, settings: SimulatorSettings, state: State, faults: Faults, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._state = state
        self._faults = faults
        self._now_ms = now_ms
        self._queue: dict[str, dict[str, Any]] = dict(state.all("notices"))
        self._changed = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None
        self._posting: set[asyncio.Task[None]] = set()

    def notify(self, session: Session, event_type: int, at_ms: int, pause_ms: int = 0, **details: Any) -> None:
        """Queue an event of a session, of that time. `pause_ms` makes the disorder that is really seen (reference 9.5)."""
        if self._settings.webhook_url is None:
            return
        service, name = MESSAGES[event_type]
        now_ms = self._now_ms()
        envelope = {
            "noticeId": uuid.uuid4().hex,
            "productId": 3,
            "eventType": event_type,
            "notifyMs": now_ms,
            "sid": session.sid,
            "payload": {
                "cname": session.cname,
                "uid": session.recorder_uid,
                "sid": session.sid,
                "sequence": session.sequence,
                "sendts": at_ms,
                "serviceType": service,
                "serviceScene": "rtc_record",
                "details": {"msgName": name, **details},
            },
        }
        session.sequence += 1
        self._enqueue(envelope, now_ms + pause_ms)

    def _enqueue(self, envelope: dict[str, Any], due_at: int) -> None:
        if self._faults.strikes("webhook.lost"):
            return
        if self._faults.strikes("webhook.late"):
            due_at += self._faults.dice("webhook.late").randint(1_000, LATE_MS_MAX)
        if self._faults.strikes("webhook.reordered"):
            due_at += self._faults.dice("webhook.reordered").randint(500, REORDERED_MS_MAX)
        for copy in range(2 if self._faults.strikes("webhook.doubled") else 1):
            key = f"{envelope['noticeId']}/{copy}"
            self._keep(key, {"due": due_at, "posts": 0, "envelope": envelope})
        self._changed.set()

    def _keep(self, key: str, notice: dict[str, Any]) -> None:
        self._queue[key] = notice
        self._state.put("notices", key, notice)

    def _forget(self, key: str) -> None:
        self._queue.pop(key, None)
        self._state.remove("notices", key)

    async def run(self) -> None:
        """Post what is due, until cancelled; what was overdue when the simulator came up goes to today's URL."""
        if self._settings.webhook_url is None:  # what is queued waits for a start that has one
            return
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=POSTS_AT_ONCE)) as self._http:
            while True:
                self._changed.clear()
                now_ms = self._now_ms()
                for key, notice in list(self._queue.items()):
                    if notice["due"] <= now_ms and not notice.get("posting"):
                        notice["posting"] = True
                        self._spawn(key, notice)
                waiting = [notice["due"] for notice in self._queue.values() if not notice.get("posting")]
                pause = max(min(waiting) - now_ms, 0) / 1000 if waiting else None
                try:
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
                except TimeoutError:
                    pass

    def _spawn(self, key: str, notice: dict[str, Any]) -> None:
        task = asyncio.create_task(self._post(key, notice))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def stop(self) -> None:
        """End posts that are under way; they stay in the queue."""
        for task in tuple(self._posting):
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)

    async def _post(self, key: str, notice: dict[str, Any]) -> None:
        if await self._accepted(notice["envelope"]):
            self._forget(key)
        elif notice["posts"] >= len(GAPS_MS):
            log.warning("simulator.webhook_given_up", event_type=notice["envelope"]["eventType"])
            self._forget(key)
        else:
            pause_ms = GAPS_MS[notice["posts"]]
            again = {"due": self._now_ms() + pause_ms, "posts": notice["posts"] + 1, "envelope": notice["envelope"]}
            self._keep(key, again)
            self._changed.set()

    async def _accepted(self, envelope: dict[str, Any]) -> bool:
        body = orjson.dumps({**envelope, "notifyMs": self._now_ms()})
        assert self._http is not None
        assert self._settings.webhook_url is not None
        try:
            async with self._http.post(
                self._settings.webhook_url,
                data=body,
                headers={"Content-Type": "application/json", **self._signatures(body)},
                timeout=aiohttp.ClientTimeout(total=self._settings.webhook_seconds),
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _signatures(self, body: bytes) -> dict[str, str]:
        secret = self._settings.webhook_secret
        if self._faults.strikes("webhook.bad_signature"):
            secret = "another" + secret
        return signatures(body, secret)


def signatures(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a post, over its raw body (reference 9.2)."""
    key = secret.encode()
    return {
        "Agora-Signature": hmac.new(key, body, hashlib.sha1).hexdigest(),
        "Agora-Signature-V2": hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
