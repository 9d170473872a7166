"""The way of a call to Agora: a place in the budget, a domain, one request, and what its answer tells for the next ones."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import aiohttp
import structlog

from clients.agora.answers import Answer
from clients.agora.domains import Domain, Domains
from clients.agora.observing import CallObserver
from clients.agora.sending import Call, NoAnswer, NotConnected, send

log = structlog.get_logger(__name__)

TOO_MANY = 429


class Budget(Protocol):
    """The provider's 10 requests a second, one for all nodes of an App ID (reference 1.4)."""

    async def slot(self, call: str) -> None:
        """Wait for a place for this kind of call. Raises JournalUnavailable: no place, no call."""
        ...

    def hold(self, seconds: float) -> None:
        """Let nothing go out for so long."""
        ...


class Line:
    """Calls raise NotConnected and NoAnswer, and what the budget raises."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        headers: Mapping[str, str],
        domains: Domains,
        budget: Budget,
        observe: CallObserver,
        retry_after_seconds_max: float,
    ) -> None:
        self._session = session
        self._headers = headers
        self._domains = domains
        self._budget = budget
        self._observe = observe
        self._after_ms_max = round(retry_after_seconds_max * 1000)

    async def call(self, call: Call) -> Answer:
        """Sent once. While it cannot be sent it goes on to other domains, each time with a place of its own in the budget."""
        tried: list[Domain] = []
        while True:
            await self._budget.slot(call.name)
            domain = self._domains.choose(tried)
            try:
                return await self._send(call, domain)
            except NotConnected:
                tried.append(domain)
                if not self._domains.has_other(tried):
                    raise

    async def _send(self, call: Call, domain: Domain) -> Answer:
        began, outcome = time.monotonic(), "no_answer"
        domain.begin()
        try:
            answer = await send(self._session, call, domain.url + call.path, self._headers)
            outcome = _outcome_of(answer.status)
        except (NotConnected, NoAnswer) as error:
            outcome = "no_connection" if isinstance(error, NotConnected) else "no_answer"
            self._domains.failed(domain, unreachable=isinstance(error, NotConnected) and error.resolved)
            log.warning("agora.unanswered", call=call.name, domain=domain.name, why=str(error), **call.about)
            raise
        finally:
            domain.leave()
            self._observe.answered(call.name, outcome, time.monotonic() - began)
        self._judge(domain, answer)
        told = {"status": answer.status, "code": answer.code, "request": answer.request_id}
        log.info("agora.answered", call=call.name, domain=domain.name, **told, **call.about)
        return self._heed(answer)

    def _judge(self, domain: Domain, answer: Answer) -> None:
        """A 5xx without a code is a gateway's: the service behind it cannot be reached there (reference 1.5)."""
        if answer.status >= 500 and answer.code is None:
            self._domains.failed(domain)
        else:
            self._domains.worked(domain)

    def _heed(self, answer: Answer) -> Answer:
        """The pause that is asked for, within bounds. After a 429 nothing goes out before: what is refused counts too."""
        if answer.retry_after_ms is None:
            return answer
        after_ms = min(answer.retry_after_ms, self._after_ms_max)
        if answer.status == TOO_MANY:
            self._budget.hold(after_ms / 1000)
        return replace(answer, retry_after_ms=after_ms)


def _outcome_of(status: int) -> str:
    """A few words for all statuses, so that they can be a label. Query 404 is news, no refusal (reference 4.3)."""
    match status:
        case 200:
            return "ok"
        case 401 | 404 | 429:
            return {401: "unauthorized", 404: "not_found", 429: "rate_limited"}[status]
        case _ if status >= 500:
            return "error"
        case _:
            return "refused" if status >= 400 else "unclear"
