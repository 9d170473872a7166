"""Control calls are for this host only (api.md 7)."""

import pytest

from clients.agora.simulator.control import is_this_host


@pytest.mark.parametrize(
    ("remote", "this_host"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        (None, False),
    ],
)
def test_who_is_this_host(remote: str | None, this_host: bool) -> None:
    assert is_this_host(remote) is this_host
