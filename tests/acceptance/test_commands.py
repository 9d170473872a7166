"""The rules of start and stop as a caller meets them: refusals, repetition, preferences."""

import asyncio

import pytest

from tests.acceptance.running import Client
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


def path(meeting: str, action: str) -> str:
    return f"/api/v1/meetings/{meeting}/recording/{action}"


async def test_a_second_start_is_refused_with_the_live_recording(host: Client) -> None:
    started = await host.start("cmd-1")
    status, problem, _ = await host.call("POST", path("cmd-1", "start"))
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_already_active", False)
    assert problem["recording"]["id"] == started["id"]
    await host.stop("cmd-1")
    status, problem, _ = await host.call("POST", path("cmd-1", "stop"))
    assert (status, problem["code"]) == (409, "no_active_recording")
    assert problem["recording"]["id"] == started["id"]


async def test_a_stop_of_a_meeting_that_never_recorded_has_nothing_to_show(host: Client) -> None:
    status, problem, _ = await host.call("POST", path("cmd-2", "stop"))
    assert (status, problem["code"]) == (409, "no_active_recording")
    assert "recording" not in problem
    status, problem, _ = await host.call("GET", "/api/v1/meetings/cmd-2/recording")
    assert (status, problem["code"]) == (404, "no_active_recording")


async def test_the_same_key_is_one_command(host: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(*(host.call("POST", path("cmd-3", "start"), {}, key) for _ in range(8)))
    assert {status for status, _, _ in answers} == {201}
    assert len({recording["id"] for _, recording, _ in answers}) == 1
    assert sum("Idempotent-Replayed" in headers for _, _, headers in answers) == 7
    status, problem, _ = await host.call("POST", path("cmd-3", "start"), {"maxDuration": 60}, key)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    await host.in_state(answers[0][1]["id"], "active")
    await host.stop("cmd-3")
    status, again, headers = await host.call("POST", path("cmd-3", "start"), {}, key)
    assert (status, again["state"], headers["Idempotent-Replayed"]) == (201, "completed", "true")


async def test_a_refusal_is_not_kept_under_its_key(host: Client) -> None:
    key = {"Idempotency-Key": "k-2"}
    await host.start("cmd-4")
    assert (await host.call("POST", path("cmd-4", "start"), {}, key))[0] == 409
    await host.stop("cmd-4")
    assert (await host.call("POST", path("cmd-4", "start"), {}, key))[0] == 201
    await host.stop("cmd-4")


async def test_a_caller_need_not_wait(host: Client) -> None:
    status, started, headers = await host.call("POST", path("cmd-5", "start"), headers={"Prefer": "respond-async"})
    assert (status, headers["Preference-Applied"]) == (202, "respond-async")
    assert headers["Location"] == f"/api/v1/recordings/{started['id']}"
    await host.in_state(started["id"], "active")
    status, stopping, _ = await host.call("POST", path("cmd-5", "stop"), headers={"Prefer": "respond-async"})
    assert status == 202
    assert stopping["id"] == started["id"]
    await host.in_state(started["id"], "completed")


async def test_a_new_recording_may_start_as_soon_as_the_last_is_not_live(host: Client) -> None:
    first = await host.start("cmd-6")
    await host.stop("cmd-6")
    second = await host.start("cmd-6")
    assert second["id"] != first["id"]
    assert not set(first["recorderUids"]) & set(second["recorderUids"])
    await host.stop("cmd-6")


async def test_an_etag_spares_the_body(host: Client) -> None:
    started = await host.start("cmd-7")
    await host.stop("cmd-7")
    target = f"/api/v1/recordings/{started['id']}"
    _, recording, headers = await host.call("GET", target)
    assert headers["ETag"] == f'"{recording["id"]}.{recording["version"]}"'
    assert (await host.call("GET", target, headers={"If-None-Match": headers["ETag"]}))[0] == 304


async def test_an_operator_stops_one_recording_by_its_id(host: Client, operator: Client) -> None:
    started = await host.start("cmd-8")
    status, stopped, _ = await operator.call("POST", f"/api/v1/recordings/{started['id']}/stop")
    assert (status, stopped["endReason"]) == (200, "operator")
    assert (await operator.call("POST", f"/api/v1/recordings/{started['id']}/stop"))[0] == 200
    assert (await operator.call("POST", path("cmd-8", "start")))[0] == 403


async def test_the_end_of_a_meeting_is_never_refused(host: Client) -> None:
    started = await host.start("cmd-9")
    status, ended, _ = await host.call("POST", "/api/v1/meetings/cmd-9/end")
    assert (status, ended["recording"]["id"], ended["recording"]["endReason"]) == (200, started["id"], "meeting_ended")
    assert (await host.call("POST", "/api/v1/meetings/never/end"))[:2] == (200, {"recording": None})


async def test_readiness_and_metrics_tell_what_runs(host: Client) -> None:
    started = await host.start("cmd-10")
    await host.in_state(started["id"], "active")
    status, report, _ = await host.call("GET", "/readyz")
    assert (status, report["status"]) == (200, "ready"), report
    assert report["mode"] == {"agora": "simulated", "storage": "local", "database": "embedded", "redis": "embedded"}

    async def scraped() -> bool:
        _, text = await host.fetch(f"{host._server.url}/metrics")
        return (
            b'tapedeck_recordings{state="active"} 1.0' in text and b'tapedeck_webhooks_total{result="stored"}' in text
        )

    await eventually(scraped)
    await host.stop("cmd-10")


async def test_the_document_names_exactly_the_routes_that_are_served(host: Client) -> None:
    _, document, _ = await host.call("GET", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    status, problem, headers = await host.call("PUT", path("cmd-11", "start"))
    assert (status, problem["code"], headers["Allow"]) == (405, "method_not_allowed", "POST")
