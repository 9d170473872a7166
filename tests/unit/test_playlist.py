"""Playlists as the provider writes them are read; what is written is plain."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.storage.playlist import Entry, PlaylistError, parse, slice_time_ms, write
from tests.fakes.media import playlist


def test_a_list_of_the_provider_is_read() -> None:
    listing = parse(playlist([("s_1.ts", 15.019), ("s_2.ts", 7.5)]))
    assert listing.entries == (Entry("s_1.ts", 15.019, discontinuity=True), Entry("s_2.ts", 7.5))
    assert listing.ended


def test_commas_titles_blank_lines_and_line_ends_do_not_matter() -> None:
    data = b"\xef\xbb\xbf#EXTM3U\r\n\r\n#EXTINF:15.0,\r\na.ts\r\n# a remark\r\n#EXTINF: 3 , title, more\r\n b.ts \r\n"
    listing = parse(data)
    assert [(e.uri, e.duration_seconds) for e in listing.entries] == [("a.ts", 15.0), ("b.ts", 3.0)]
    assert not listing.ended


def test_other_tags_are_passed_over() -> None:
    data = (
        b"#EXTM3U\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-AGORA-ROTATE:WIDTH=1\n#EXTINF:1\na.ts\n#EXT-X-ENDLIST\njunk"
    )
    listing = parse(data)
    assert listing.entries == (Entry("a.ts", 1.0),)
    assert listing.ended


def test_a_list_that_was_cut_short_is_not_ended() -> None:
    listing = parse(b"#EXTM3U\n#EXTINF:1\na.ts\n#EXTINF:2\n#EXT-X-ENDLIST\n")
    assert (len(listing.entries), listing.ended) == (1, False)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "begin"),
        (b"<html>", "begin"),
        (b"\xff\xfe", "UTF-8"),
        (b"#EXTM3U\na.ts", "line 2: a slice without"),
        (b"#EXTM3U\n#EXTINF:abc\na.ts", "line 2: the duration"),
        (b"#EXTM3U\n#EXTINF:-1\na.ts", "duration"),
        (b"#EXTM3U\n#EXTINF:nan\na.ts", "duration"),
        (b"#EXTM3U\n#EXTINF:" + b"9" * 400 + b"\na.ts", "duration"),
        (b"#EXTM3U\n#EXTINF:1\n../a.ts", "beside"),
        (b"#EXTM3U\n#EXTINF:1\n/etc/passwd", "beside"),
        (b"#EXTM3U\n#EXTINF:1\nhttp://example.com/a.ts", "beside"),
        (b"#EXTM3U\n#EXTINF:1\na.ts?x=1", "beside"),
        (b"#EXTM3U\n#EXTINF:1\na\0.ts", "beside"),
    ],
)
def test_what_is_no_playlist_of_ours_is_told(data: bytes, why: str) -> None:
    with pytest.raises(PlaylistError, match=why):
        parse(data)


@given(st.binary(max_size=300))
def test_garbage_never_breaks_the_reader(data: bytes) -> None:
    for text in (data, b"#EXTM3U\n" + data):
        with suppress(PlaylistError):
            parse(text)


NAMES = st.text("abcdefghij_-0123456789", min_size=1, max_size=20).map(lambda name: name + ".ts")
ENTRIES = st.lists(st.builds(Entry, NAMES, st.integers(0, 10**9).map(lambda us: us / 10**6), st.booleans()))


@given(ENTRIES, st.booleans())
def test_what_is_written_is_read_back(entries: list[Entry], ended: bool) -> None:
    listing = parse(write(entries, ended=ended).encode())
    assert list(listing.entries) == entries
    assert listing.ended is ended


def test_what_is_written_is_as_the_standard_has_it() -> None:
    text = write([Entry("http://x/a.ts?signature=1", 15.019), Entry("b.ts", 3, discontinuity=True)], ended=True)
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:16\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXTINF:15.019000,\nhttp://x/a.ts?signature=1\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000000,\nb.ts\n#EXT-X-ENDLIST\n"
    )
    assert "ENDLIST" not in write([Entry("a.ts", 1)], ended=False)


@pytest.mark.parametrize(
    ("name", "at_ms"),
    [
        ("sid_m-1_19700101000001234.ts", 1234),
        ("r/x/bak0_sid_m-1_20260921142640007.ts", 1_790_000_800_007),
        ("sid_m-1_20261321142640007.ts", None),
        ("sid_m-1_2026092114264000.ts", None),
        ("sid_m-1.ts", None),
        ("", None),
    ],
)
def test_the_time_in_a_slices_name(name: str, at_ms: int | None) -> None:
    assert slice_time_ms(name) == at_ms
