"""Who was in a channel when (api.md 7)."""

from pathlib import Path

from clients.agora.simulator.channels import PEOPLE, Channels
from clients.agora.simulator.state import State

BORN, LAG = 1_000_000, 500


def seen(channels: Channels, at_ms: int) -> list[tuple[str, int]]:
    return [(stay.uid, stay.joined_at) for stay in channels.seen("m", at_ms)]


def test_stays_are_kept_as_long_as_the_lists_lag(tmp_path: Path) -> None:
    state = State(tmp_path)
    channels = Channels(state, LAG, BORN)
    assert channels.users("m") == list(PEOPLE)
    assert [uid for uid, _ in seen(channels, BORN - LAG)] == list(PEOPLE)
    channels.put("m", ["5", "1001", "5"], BORN)
    again = Channels(State(tmp_path), LAG, BORN + 100)
    assert again.users("m") == ["5", "1001"]
    assert [uid for uid, _ in seen(again, BORN - 1)] == ["1001", "1002"]
    assert seen(again, BORN) == [("5", BORN), ("1001", BORN - LAG)]
    again.put("m", [], BORN + 600)
    assert seen(again, BORN + 599) == [("5", BORN), ("1001", BORN - LAG)]
    assert seen(again, BORN - 1) == [("1001", BORN - LAG)]  # 1002 is forgotten
    assert again.users("m") == seen(again, BORN + 600) == []
    assert again.names() == ["m"]
    state.close()


def test_somebody_who_comes_back_has_joined_anew(tmp_path: Path) -> None:
    channels = Channels(State(tmp_path), LAG, BORN)
    for at_ms, users in ((BORN, ["5"]), (BORN + 10, []), (BORN + 20, ["5"])):
        channels.put("m", users, at_ms)
    assert [seen(channels, BORN + after) for after in (5, 15, 25)] == [[("5", BORN)], [], [("5", BORN + 20)]]


def test_bare_uids_were_kept_before_there_were_stays(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.put("channels", "m", ["5", "6"])
    channels = Channels(state, LAG, BORN)
    assert channels.users("m") == ["5", "6"]
    assert [uid for uid, _ in seen(channels, BORN)] == ["5", "6"]
    state.close()
