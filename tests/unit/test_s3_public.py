"""Which addresses may be fetched from."""

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from clients.storage.public import PrivateAddress, PublicResolver, is_public

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe", "localhost", "",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_everybodys_is_public(address: str) -> None:
    assert is_public(address)


class Names(AbstractResolver):
    """A resolver with answers of its own."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> Any:
        self.asked += 1
        return [
            {"hostname": host, "host": each, "port": port, "family": family, "proto": 0, "flags": 0}
            for each in self.addresses
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("1.1.1.1", "10.0.0.1"), ("::1",)])
async def test_a_name_that_leads_inside_is_refused_as_a_whole(addresses: tuple[str, ...]) -> None:
    with pytest.raises(PrivateAddress):
        await PublicResolver(Names(*addresses)).resolve("name.example", 80)


async def test_a_name_that_leads_outside_is_resolved() -> None:
    found = await PublicResolver(Names("1.1.1.1", "1.0.0.1")).resolve("name.example", 80)
    assert [each["host"] for each in found] == ["1.1.1.1", "1.0.0.1"]
