"""What was put is there again when the file is opened anew; the log of requests keeps the newest."""

from pathlib import Path

import pytest

from clients.agora.simulator.requestlog import KEPT, PRUNED_EVERY, RequestLog
from clients.agora.simulator.state import State


def test_values_stay_in_the_order_in_which_they_were_first_put(tmp_path: Path) -> None:
    state = State(tmp_path)
    for key in ("b", "a", "c"):
        state.put("sessions", key, {"of": key})
    state.put("sessions", "b", {"of": "again"})
    state.remove("sessions", "c")
    again = State(tmp_path)  # the first one is not closed: a kill does not close it either
    assert list(again.all("sessions")) == [("b", {"of": "again"}), ("a", {"of": "a"})]
    assert again.get("sessions", "c") is None
    assert again.get("channels", "b") is None
    again.close()
    state.close()


def test_together_is_all_or_nothing(tmp_path: Path) -> None:
    state = State(tmp_path)

    def fail_half_way() -> None:
        with state.together():
            state.put("meta", "one", 1)
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    assert state.get("meta", "one") is None
    with state.together():
        state.put("meta", "one", 1)
        state.put("meta", "two", 2)
    assert [value for _, value in state.all("meta")] == [1, 2]
    state.close()


def test_requests_are_there_before_their_answer_and_after_a_death(tmp_path: Path) -> None:
    state = State(tmp_path)
    log = RequestLog(state)
    log.end(log.begin(1.5, "acquire", "/a"), 200, None)
    log.end(log.begin(2.5, "start", "/s"), None, "start.answer_lost")
    log.begin(3.5, "stop", "/e")
    second = State(tmp_path)
    again = RequestLog(second)
    again.end(again.begin(4.5, "query", "/q"), 404, None)
    assert again.newest(10) == [
        {"at": 4.5, "call": "query", "path": "/q", "status": 404, "fault": None},
        {"at": 3.5, "call": "stop", "path": "/e", "status": None, "fault": None},
        {"at": 2.5, "call": "start", "path": "/s", "status": None, "fault": "start.answer_lost"},
        {"at": 1.5, "call": "acquire", "path": "/a", "status": 200, "fault": None},
    ]
    assert [item["call"] for item in again.newest(1)] == ["query"]
    second.close()
    state.close()


def test_the_log_forgets_the_oldest(tmp_path: Path) -> None:
    state = State(tmp_path)
    log = RequestLog(state)
    with state.together():
        for number in range(KEPT + 2 * PRUNED_EVERY):
            log.begin(float(number), "query", "/q")
    kept = log.newest(10**9)
    assert [kept[0]["at"], kept[-1]["at"]] == [KEPT + 2 * PRUNED_EVERY - 1, 2 * PRUNED_EVERY]
    assert len(list(state.all("requests"))) == KEPT
    state.close()
