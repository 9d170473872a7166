"""What a server asks of the system before it starts."""

import resource
from collections.abc import Iterator

import pytest

from server.listening import allow_files


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
