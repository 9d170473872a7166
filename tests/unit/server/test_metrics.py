"""How long a recording takes to begin and to end, told by its own events."""

from prometheus_client import CollectorRegistry

from actors.domain.model import Phase
from actors.domain.outcomes import Done
from scripts.metrics import PAGE, page
from server.metrics import LifeMetrics, StreamMetrics
from tests.unit.domain.story import Story, in_phase, whole_media


def counted(story: Story) -> CollectorRegistry:
    registry = CollectorRegistry()
    metrics = LifeMetrics(registry)
    for event in story.log:
        metrics.hint(story.meeting, [event])
    return registry


def test_the_way_to_active_is_counted_once() -> None:
    registry = counted(in_phase(Phase.COMPLETED))
    assert registry.get_sample_value("tapedeck_time_to_active_seconds_count") == 1
    assert registry.get_sample_value("tapedeck_time_to_active_seconds_sum") == 1


def test_the_way_from_stop_to_the_end_is_counted_by_its_state() -> None:
    story = in_phase(Phase.ACTIVE).later(60)
    story.stop()
    story.later(7).stopped()
    assert counted(story).get_sample_value("tapedeck_stop_to_end_seconds_count", {"state": "completed"}) is None
    story.examined(Done(whole_media(story, 67)))
    registry = counted(story)
    assert registry.get_sample_value("tapedeck_stop_to_end_seconds_count", {"state": "completed"}) == 1
    assert registry.get_sample_value("tapedeck_stop_to_end_seconds_sum", {"state": "completed"}) == 7
    assert registry.get_sample_value("tapedeck_recordings_ended_total", {"state": "completed"}) == 1


def test_what_was_never_captured_never_became_active() -> None:
    story = in_phase(Phase.ACQUIRING).later(3)
    story.stop()
    registry = counted(story)
    assert registry.get_sample_value("tapedeck_time_to_active_seconds_count") == 0
    assert registry.get_sample_value("tapedeck_stop_to_end_seconds_count", {"state": "aborted"}) == 1
    assert registry.get_sample_value("tapedeck_stop_to_end_seconds_sum", {"state": "aborted"}) == 0


def test_an_end_that_nobody_asked_for_has_no_stop() -> None:
    story = in_phase(Phase.ACQUIRING).later(180)
    story.wake()
    assert story.last.phase is Phase.FAILED
    registry = counted(story)
    assert registry.get_sample_value("tapedeck_stop_to_end_seconds_count", {"state": "failed"}) is None
    assert registry.get_sample_value("tapedeck_recordings_ended_total", {"state": "failed"}) == 1


def test_the_page_is_made_of_the_metrics() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/metrics.py --write"


def test_streams_are_counted_by_transport_from_the_beginning() -> None:
    registry = CollectorRegistry()
    metrics = StreamMetrics(registry)
    assert registry.get_sample_value("tapedeck_slow_closes_total", {"transport": "sse"}) == 0
    metrics.slow_close("sse")
    metrics.subscribers("websocket", 1)
    assert registry.get_sample_value("tapedeck_slow_closes_total", {"transport": "sse"}) == 1
    assert registry.get_sample_value("tapedeck_subscribers", {"transport": "websocket"}) == 1
