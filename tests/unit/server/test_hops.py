"""The signature by which nodes vouch for what they hand on."""

from dataclasses import replace

import pytest

from server.hops import Handed, Hop, HopSigner, Unsigned

NOW_MS = 1_790_000_000_000
HANDED = Handed("POST", "/api/v1/meetings/m-1/end?x=1", "Bearer abc", "key-1", b'{"a":1}', "http://10.0.0.7:3002")
OLD, NEW = "o" * 32, "n" * 32


def test_what_one_node_signs_another_takes() -> None:
    hop = Hop(NOW_MS, 1_500)
    assert HopSigner([NEW]).verified(HopSigner([NEW]).header(hop, HANDED), HANDED, NOW_MS + 59_999) == hop


def test_secrets_are_changed_one_node_after_the_other() -> None:
    header = HopSigner([OLD]).header(Hop(NOW_MS, 0), HANDED)
    assert HopSigner([NEW, OLD]).verified(header, HANDED, NOW_MS)
    with pytest.raises(Unsigned):
        HopSigner([NEW]).verified(header, HANDED, NOW_MS)


@pytest.mark.parametrize(
    "other",
    [
        replace(HANDED, method="DELETE"),
        replace(HANDED, target="/api/v1/meetings/m-2/end?x=1"),
        replace(HANDED, token="Bearer abd"),
        replace(HANDED, key="key-2"),
        replace(HANDED, body=b'{"a":2}'),
        replace(HANDED, node="http://10.0.0.8:3002"),
    ],
    ids=["method", "target", "token", "key", "body", "node"],
)
def test_it_holds_for_this_very_request_only(other: Handed) -> None:
    header = HopSigner([NEW]).header(Hop(NOW_MS, 0), HANDED)
    with pytest.raises(Unsigned):
        HopSigner([NEW]).verified(header, other, NOW_MS)


@pytest.mark.parametrize("off_ms", [-60_001, 60_001])
def test_it_holds_for_a_minute(off_ms: int) -> None:
    header = HopSigner([NEW]).header(Hop(NOW_MS, 0), HANDED)
    with pytest.raises(Unsigned):
        HopSigner([NEW]).verified(header, HANDED, NOW_MS + off_ms)


@pytest.mark.parametrize("changed", ["waited=0", "waited=9", "", "sig=" + "0" * 64])
def test_nothing_in_it_can_be_changed(changed: str) -> None:
    header = HopSigner([NEW]).header(Hop(NOW_MS, 5), HANDED).replace("waited=5", changed)
    with pytest.raises(Unsigned):
        HopSigner([NEW]).verified(header, HANDED, NOW_MS)
