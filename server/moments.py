"""Times that somebody sends, as RFC 3339 has them, to Unix milliseconds."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt](?P<minute>\d\d:\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def unix_ms(text: str) -> int:
    """The first whole millisecond that is not before this time, in any offset. Raises ValueError with a text for its sender."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        if " " in text:
            raise ValueError(
                "holds a space, which is what a + of a query becomes: write it %2B, or give the time in UTC with Z"
            )
        raise ValueError("is a time of RFC 3339, such as 2026-11-22T10:00:00Z")
    leap = found["second"] == "60"  # it has no number of its own: the next second begins with it
    second = "59" if leap else found["second"]
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{found['minute']}:{second}{found['zone'].upper()}")
    except ValueError:
        raise ValueError("is no day or time that there ever was") from None
    fraction = Fraction(f"0.{found['fraction'] or 0}")
    return (moment - EPOCH) // timedelta(milliseconds=1) + 1000 * leap + ceil(fraction * 1000)
