"""Which addresses belong to everybody. What others name for us to fetch must not reach into our own network."""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of the old Internet within the new one (RFC 6052)."""


class PrivateAddress(Exception):
    """A name, or an address, that leads to a network which is not everybody's."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses. The connection goes to what was resolved here, and nobody resolves again."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddress if any address is private: who may choose among them is not to be trusted."""
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise PrivateAddress
        return found

    async def close(self) -> None:
        await self._resolver.close()


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by everybody, whatever it is wrapped in. False for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _wrapped(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def is_address(host: str) -> bool:
    """Whether it is an IP address already, which no resolver gets to see."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
