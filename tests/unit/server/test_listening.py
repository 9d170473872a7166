"""What a server asks of the system before it starts."""

import resource
import socket
from collections.abc import Iterator

import pytest

from server.config import load_config
from server.listening import allow_files, node_name


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of open files as they were; they are so again afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_as_many_files_as_there_may_be_streams(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    allow_files(700)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (700, hard)
    allow_files(600)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (700, hard)
    allow_files(hard + 1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize(
    ("environment", "address", "name"),
    [
        ({"DATABASE_URL": "postgresql://h/d"}, ("127.0.0.1", 3002), "http://127.0.0.1:3002"),
        ({"DATABASE_URL": "postgresql://h/d"}, ("::1", 3002), "http://[::1]:3002"),
        ({"DATABASE_URL": "postgresql://h/d"}, ("0.0.0.0", 3002), f"http://{socket.gethostname()}:3002"),
        ({"DATABASE_URL": "postgresql://h/d", "TAPEDECK_NODE_URL": "http://n.example/"}, ("::", 1), "http://n.example"),
        ({}, ("127.0.0.1", 40123), "embedded"),
        ({"TAPEDECK_NODE_URL": "http://n.example:3002"}, ("127.0.0.1", 40123), "http://n.example:3002"),
    ],
)
def test_a_node_is_called_by_its_url_and_the_only_one_always_the_same(
    environment: dict[str, str], address: tuple[str, int], name: str
) -> None:
    assert node_name(load_config(None, environment), address) == name
