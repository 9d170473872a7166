"""Agora's domains, and which of them a call goes to (reference 1.2).

A request that may have been done is never sent again here, neither to the same domain nor to another: trouble only changes where
the next one goes. A base URL outside Agora's domains, such as the simulator's, is the only one.
"""

from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlsplit, urlunsplit

import structlog

from clients.agora.observing import CallObserver

log = structlog.get_logger(__name__)

SUFFIXES = ("agora.io", "sd-rtn.com")
REGION_HOSTS = {
    "us": ("api-us-west-1", "api-us-east-1"),
    "eu": ("api-eu-west-1", "api-eu-central-1"),
    "ap": ("api-ap-southeast-1", "api-ap-northeast-1"),
    "cn": ("api-cn-east-1", "api-cn-north-1"),
}
"""By area, as Agora's own SDKs group them."""


def candidates(base_url: str, area: str | None) -> tuple[str, ...]:
    """Where calls may go, in order: the base URL, its host under the other suffix, and under both the region hosts of the area."""
    url = urlsplit(base_url.rstrip("/"))
    prefix, _, suffix = (url.hostname or "").partition(".")
    if suffix not in SUFFIXES:
        return (urlunsplit(url),)
    port = "" if url.port is None else f":{url.port}"
    suffixes = (suffix, *(other for other in SUFFIXES if other != suffix))
    prefixes = (prefix, *(REGION_HOSTS[area] if area is not None else ()))
    netlocs = dict.fromkeys(f"{first}.{last}{port}" for first in prefixes for last in suffixes)
    return tuple(urlunsplit(url._replace(netloc=netloc)) for netloc in netlocs)


class Domain:
    """One domain with its circuit: it opens after so many failures in a row, and after a pause one call at a time tries it."""

    def __init__(self, url: str, failures_max: int, pause_seconds: float) -> None:
        self.url = url
        self.name = urlsplit(url).hostname or ""
        self.prefix = self.name.partition(".")[0]
        self.failures_max = failures_max
        self._pause_seconds = pause_seconds
        self._failures = 0
        self._tried = False
        self.retry_at = 0.0
        self.unreachable = False
        """The last failure was of the network, not of the name: the same host under the other suffix is no better."""

    @property
    def is_open(self) -> bool:
        return self._failures >= self.failures_max

    def lets_through(self, now: float) -> bool:
        """Whether a call may go there."""
        return not self.is_open or (now >= self.retry_at and not self._tried)

    def begin(self) -> None:
        """A call goes there."""
        self._tried = self.is_open

    def leave(self) -> None:
        """The call is over, whatever came of it."""
        self._tried = False

    def worked(self) -> None:
        self._failures = 0

    def failed(self, now: float, *, unreachable: bool) -> None:
        self._failures += 1
        self.unreachable = unreachable
        self.retry_at = now + self._pause_seconds


class Domains:
    """The candidates in order. There is always one to go to: an open circuit moves calls away, and refuses none."""

    def __init__(
        self,
        urls: Sequence[str],
        observe: CallObserver,
        now: Callable[[], float],
        *,
        failures_max: int,
        pause_seconds: float,
    ) -> None:
        self._all = [Domain(url, failures_max, pause_seconds) for url in urls]
        self._observe = observe
        self._now = now
        for domain in self._all:
            observe.domain(domain.name, is_open=False)

    def choose(self, tried: Collection[Domain] = ()) -> Domain:
        """Where a call goes that could not be sent to those tried; there must be another."""
        shunned = {each.prefix for each in self._all if each.unreachable and (each.is_open or each in tried)}
        ready = self._ready(tried)
        if ready:
            return min(ready, key=lambda domain: domain.prefix in shunned)
        return min((each for each in self._all if each not in tried), key=lambda domain: domain.retry_at)

    def has_other(self, tried: Collection[Domain]) -> bool:
        """Whether there is one besides these that may be of use."""
        return bool(self._ready(tried))

    def _ready(self, tried: Collection[Domain]) -> list[Domain]:
        return [each for each in self._all if each not in tried and each.lets_through(self._now())]

    def worked(self, domain: Domain) -> None:
        """It has answered."""
        was_open = domain.is_open
        domain.worked()
        if was_open:
            log.info("agora.domain_closed", domain=domain.name)
            self._observe.domain(domain.name, is_open=False)

    def failed(self, domain: Domain, *, unreachable: bool = False) -> None:
        """It could not be reached, did not answer, or a gateway answered for it."""
        was_open = domain.is_open
        domain.failed(self._now(), unreachable=unreachable)
        if domain.is_open and not was_open:
            log.warning("agora.domain_opened", domain=domain.name)
            self._observe.domain(domain.name, is_open=True)
