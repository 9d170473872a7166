"""A start and a stop, with a crash at every point where one can make a difference: once, and again after the restart."""

from itertools import combinations

import pytest

from tests.simulation.run import run_crashes

CHUNKS = 4
PAIRED = 40
"""So many crossings of the wire are taken two by two."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_crash_at_each_port_call_in_turn_breaks_nothing(chunk: int) -> None:
    """Before each request leaves, and before each answer comes."""
    last = run_crashes(frozenset()).crossings
    for point in range(1 + chunk, last + 1, CHUNKS):
        result = run_crashes(frozenset({point}))
        assert result.error is None, f"crash at {point}\n{result.story}"
        assert result.fired["node.crash"] == 0
        assert "CRASHES" in result.story or result.crossings >= point


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_crash_at_each_pair_of_the_first_forty_breaks_nothing(chunk: int) -> None:
    for pair in list(combinations(range(1, PAIRED + 1), 2))[chunk::CHUNKS]:
        result = run_crashes(frozenset(pair))
        assert result.error is None, f"crashes at {pair}\n{result.story}"
        assert result.crossings >= pair[1]
