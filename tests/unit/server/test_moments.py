"""Times in any offset, with any fraction; what is none is told in words."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.moments import EPOCH, unix_ms


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t01:00:00.5+01:00", 500),
        ("1969-12-31T23:59:59.999z", -1),
        ("1970-01-01T00:00:00.0010Z", 1),
        ("1970-01-01T00:00:00.00" + "0" * 300 + "1Z", 1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("9999-12-31T23:59:59.9999-23:59", 253_402_387_140_000),
    ],
)
def test_a_time_is_the_first_millisecond_that_is_not_before_it(text: str, at_ms: int) -> None:
    assert unix_ms(text) == at_ms


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NEAR = {"min_value": datetime(2, 1, 1), "max_value": datetime(9998, 12, 31)}


@given(st.datetimes(**NEAR, timezones=OFFSETS))
def test_every_time_is_read_as_python_writes_it(moment: datetime) -> None:
    micros = (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    assert unix_ms(moment.isoformat()) == -(-micros // 1000)


@given(st.text("0123456789-:TZ+. ", max_size=30))
def test_what_is_none_is_told_and_never_breaks(text: str) -> None:
    with suppress(ValueError):
        assert unix_ms(text) is not None
