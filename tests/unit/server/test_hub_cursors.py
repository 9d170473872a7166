"""A cursor is read back as what it was, and nothing else is taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from actors.reading import FeedPosition
from server.streams.cursors import Cursor, FeedCursor, MeetingCursor, decode_cursor, encode_cursor

NUMBERS = st.integers(0, 2**31 - 1)
MEETINGS = st.text("abcXYZ019_.:-", min_size=1, max_size=64)
CURSORS = st.one_of(
    st.builds(MeetingCursor, st.text(max_size=80), MEETINGS, NUMBERS, st.booleans()),
    st.builds(
        FeedCursor,
        st.text(max_size=80),
        st.builds(FeedPosition, st.integers(0, 2**63 - 1), st.one_of(st.just(""), MEETINGS), NUMBERS),
        st.booleans(),
    ),
)


@given(CURSORS)
def test_a_cursor_comes_back(cursor: Cursor) -> None:
    text = encode_cursor(cursor)
    assert decode_cursor(text) == cursor
    assert text.replace("-", "a").replace("_", "a").isalnum()


@given(CURSORS, st.data())
def test_a_garbled_cursor_is_none(cursor: Cursor, data: st.DataObject) -> None:
    text = encode_cursor(cursor)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_ =%é").filter(lambda character: character != text[at]))
    assert decode_cursor(text[:at] + other + text[at + 1 :]) is None
    assert decode_cursor(text[:at]) is None
    assert decode_cursor(text + other) is None


@given(st.text(max_size=2000))
def test_any_other_text_is_none(text: str) -> None:
    assert decode_cursor(text) is None


def test_numbers_that_no_journal_holds_are_none() -> None:
    for sequence in (-1, 2**31, True):
        assert decode_cursor(encode_cursor(MeetingCursor("j", "m", sequence))) is None
        assert decode_cursor(encode_cursor(FeedCursor("j", FeedPosition(1, "m", sequence)))) is None
    for tx in (-1, 2**63):
        assert decode_cursor(encode_cursor(FeedCursor("j", FeedPosition(tx, "m", 1)))) is None
    assert decode_cursor(encode_cursor(FeedCursor("j", FeedPosition(1, "a\0b", 1)))) is None
    assert decode_cursor(encode_cursor(FeedCursor("j", FeedPosition(1, "é", 1)))) is None
