"""The URLs of objects, and keys from whatever form of URL somebody has."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit

from clients.storage.keys import key_is_safe

_AMAZON = re.compile(
    r"s3(?:-fips|-accelerate|-external-1)?(?:[.-]dualstack)?(?:[.-][a-z]{2,3}(?:-[a-z]+)+-\d+)?\.amazonaws\.com(?:\.cn)?"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of one bucket on the server at `server_url`, which is Amazon's or another."""

    bucket: str
    server_url: str

    def storage_url(self, key: str) -> str:
        """The object's own URL, which opens nothing."""
        server = urlsplit(self.server_url)
        if self._amazon and "." not in self.bucket:  # certificates hold for one name below Amazon's
            return f"{server.scheme}://{self.bucket}.{server.netloc}/{quote(key)}"
        return f"{self.server_url.rstrip('/')}/{self.bucket}/{quote(key)}"

    def key_of(self, url: str) -> str | None:
        """The key that a URL names: `s3://`, with the bucket in the host or in the path, signed or not. None if it names
        nothing in this bucket, or has a key that may not be used."""
        try:
            key = self._key(urlsplit(url), url)
        except ValueError:  # no URL; or it stands for bytes that are no text
            return None
        return key if key is not None and key_is_safe(key) else None

    @property
    def _amazon(self) -> bool:
        return _AMAZON.fullmatch(urlsplit(self.server_url).hostname or "") is not None

    def _key(self, parts: SplitResult, url: str) -> str | None:
        if parts.scheme == "s3":  # nothing is encoded in these, so "?" and "#" are of the key
            bucket, _, key = url[len("s3://") :].partition("/")
            return key if bucket == self.bucket else None
        if parts.scheme not in _PORTS or "@" in parts.netloc:
            return None
        path = self._path_in_bucket(parts)
        if path is None:
            return None
        # Amazon's own pages write a space as "+", and its server reads it as one.
        return unquote_plus(path, errors="strict") if self._amazon else unquote(path, errors="strict")

    def _path_in_bucket(self, parts: SplitResult) -> str | None:
        if self._in_host(parts):
            return parts.path.removeprefix("/")
        if not self._is_server(parts.hostname or "", parts):
            return None
        base = "" if self._amazon else urlsplit(self.server_url).path.rstrip("/")
        above = f"{base}/{self.bucket}/"
        return parts.path[len(above) :] if parts.path.startswith(above) else None

    def _in_host(self, parts: SplitResult) -> bool:
        bucket, host = f"{self.bucket.lower()}.", parts.hostname or ""
        return host.startswith(bucket) and self._is_server(host.removeprefix(bucket), parts)

    def _is_server(self, host: str, parts: SplitResult) -> bool:
        if self._amazon:
            return _AMAZON.fullmatch(host) is not None and parts.port in (None, 80, 443)
        server = urlsplit(self.server_url)
        return host == server.hostname and _port(parts) == _port(server)


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)
