"""What the OpenAPI document says in words, beside the table of routes: the rules of api.md that no schema can hold."""

INTRODUCTION = """
A recording control plane for meetings on Agora: it starts and stops recorders, proves that their files are whole, and hands
out playback.

Times are RFC 3339 in UTC with milliseconds, durations seconds, sizes bytes. Unknown fields of a request are refused (422);
clients overlook members, event types and words that they do not know.

Tokens: `Authorization: Bearer` with a JWT whose `meetings` maps meeting ids to `HOST`, `CO_HOST` or `PARTICIPANT` (`*` stands
for every meeting), and whose `scope` may be `operator`. What exists and is not the caller's is answered as if it did not: 404.

Refusals are `application/problem+json`; programs decide by `code`. Any address answers a method that it does not take with 405
`method_not_allowed` and `Allow`, and every GET but the streams takes HEAD too. 503 means that nothing was stored.

Repeating: a POST with an `Idempotency-Key` may be repeated. The same key and body have the same outcome, with
`Idempotent-Replayed: true`, for 24 hours or longer; in flight, the repeat waits for the first.

Pages of other origins may call when their origin stands in `http.cors_origins`.
"""

_WAITING = (
    " `Prefer: wait=n` says for how many seconds to wait for the outcome, `Prefer: respond-async` not to; what is still open "
    "then goes on by itself."
)
_STREAM = (
    "With `Upgrade: websocket` a WebSocket, each text frame one event; otherwise Server-Sent Events, whose `data:` is one event "
    "and whose `id:` is its cursor. Events have the schema Event. `/asyncapi.json` tells of cursors, snapshots, close codes and "
    "heartbeats. A WebSocket that is refused is accepted and closed with a code, since a page cannot see a status."
)

DESCRIPTIONS = {
    "post_meetings_meetingId_recording_start": "201 once the provider has accepted the recorder, 202 if that is still open "
    "when the wait is over, 502 with the failed recording if the provider refuses for good. Every field has a default, and no "
    "body is all of them." + _WAITING,
    "post_meetings_meetingId_recording_stop": "200 with the recording, in its final state if that is reached within the wait; "
    "the same one while it is stopping or processing already." + _WAITING,
    "patch_meetings_meetingId_recording": "Merges by field: what is left out stays as it is. Refused in `starting` and "
    "`stopping`; so is `layout` on an audio recording." + _WAITING,
    "post_meetings_meetingId_end": "Stops what is live, with `meeting_ended` as the reason. Never refused for want of a "
    "recording." + _WAITING,
    "post_recordings_id_stop": "As the stop of its meeting, but only ever this one; 200 too when it is over already."
    + _WAITING,
    "delete_recordings_id": "Objects first, then the row becomes a tombstone: 204 when it stands, also the second time; 202 "
    "while that takes longer. All versions go, and what the provider brings later goes too; the history has the receipt. 409 "
    "`recording_locked` if the store holds something of it under a lock: then nothing is deleted.",
    "post_recordings_id_files": "Media that was recovered elsewhere becomes a part of the recording, which is proven again: "
    "201 when that is done, 202 while it goes on. Its completeness may rise, and one that failed may become playable; neither "
    "ever falls. The body is the file itself, with a type of `attach.types` and `?name=`, or JSON with the `url` that it is "
    "fetched from. A file that takes the name of one that is missing takes its place. 413 above `attach.bytes_max`; 422 with the "
    "reason where a URL is not fetched, or another file has that name. One of the same name and size is taken for the same."
    + _WAITING,
    "post_preflight": "The looks of `/readyz`, taken anew, with what to do about each that fails. An object is written with the "
    "recorder's keys, read, opened by its signed URL and deleted. Checks of the severity `warning` do not count for `ok`. While "
    "`storage` fails, new recordings are refused with 503 `storage_unavailable`.",
    "post_sweep": "Objects without a recording, recordings without objects, uploads that nobody ended, files and probes that "
    "were left, sessions that nobody wants. Without `delete` it only tells. With it, what was found by an earlier sweep too, is "
    "older than `sweep.age_seconds_min`, and can only be ours, is removed; what cannot be a recording's stays. Whoever accepts "
    "`application/x-ndjson` gets a line for each finding as it is found (`item`), for how far it is (`progress`), and at the "
    "end `done`, or the `problem` that ended it.",
    "post_recordings_id_verify": "Reads every byte: presence, size and SHA-256 of what `manifest.json` lists, that file itself, "
    "and what lies beside it and is not in it. All is well if every `finding` of all calls is `same`. A call ends after "
    "`storage.verify_seconds_max`, with `nextCursor` for the next. Refused while the manifest is not written yet.",
    "get_meetings_meetingId_recording": "404 `no_active_recording` when none is live.",
    "get_meetings_meetingId_recordings": "Newest first. Deleted ones only when `status` or `state` asks for them. `cursor` and "
    "`offset` exclude each other.",
    "get_recordings": "As the list of a meeting, over all meetings.",
    "get_recordings_id": "Also when it is deleted: its row stays, with the state `deleted`.",
    "get_recordings_id_history": "In order, internal ones too, with the evidence of each step.",
    "get_recordings_id_playback": "Whoever has such a URL plays without a token until it expires. Which roles get them is the "
    "setting `access.playback_roles`.",
    "get_meetings_meetingId_events": _STREAM,
    "get_events": _STREAM + " Over all meetings, with `metadata` and `externalId`.",
    "post_webhooks_agora": "Signed over the raw body with the shared secret: HMAC-SHA256 in hex. Kept also when its kind or its "
    "session is not known; 503 while no secret is set.",
    "get_media_key": "For URLs that the playback call has signed: the signature covers the path and all other parameters. A "
    "URL without one names the object and opens nothing.",
    "get_healthz": "It looks at nothing else.",
    "get_readyz": "Degraded is ready too: something is missing that recordings can wait for.",
    "get_metrics": "Prometheus' text format; all names begin with `tapedeck_`.",
    "get_openapi_json": "OpenAPI 3.1.",
    "get_asyncapi_json": "AsyncAPI 3: what the event streams carry.",
    "get_docs": "Made from this document.",
    "get": "For people who run it: what records, what failed and why.",
    "get_assets_name": "Known files only.",
    "get_errors_code": "The page that a problem's `type` names.",
}
"""By operation id."""

PATH_PARAMETERS = {
    "meetingId": "the application's own id of the meeting; neither `.` nor `..`",
    "id": "the recording's id",
    "code": "an error code",
    "name": "the file's name",
    "key": "the object's name in storage; it may hold slashes",
}
QUERY_PARAMETERS = {
    "status": "may stand there several times",
    "state": "may stand there several times",
    "limit": "how many at most",
    "offset": "how many to leave out",
    "cursor": "where to go on: a list's `nextCursor`, with the same filters; on a stream the last event's `cursor`",
    "meetingId": "of this meeting only",
    "completeness": "whether what there is to play is all that was captured",
    "expiresIn": "seconds that the URLs play; without it the setting `playback.expires_seconds_default`",
    "heartbeat": "seconds of silence after which a `stream.heartbeat` is sent; none without it",
    "name": "what the file is called beside the recording's own; without it the last part of the URL that it is fetched from",
    "recording": "the recording that a playlist belongs to",
    "expires": "Unix seconds; later the URL opens nothing",
    "parts": "`all`: one playlist over all parts",
    "signature": "HMAC-SHA256 in hex, the last parameter",
}
"""Of those whose model says nothing."""
REQUEST_HEADERS = {
    "X-Request-ID": "comes back in the answer if it is 1 to 128 of `A-Z a-z 0-9 _ . : -`; otherwise a new one does",
    "Idempotency-Key": "names the command; repeat it with the same key. 1 to 255 visible ASCII characters",
    "Prefer": "RFC 7240: `wait=n` in seconds, or `respond-async`; others are overlooked",
    "Accept": "`application/x-ndjson`: findings as they are found",
    "If-None-Match": "an `ETag` that the caller has: 304 if it is still the present one",
    "Last-Event-ID": "the cursor to resume behind; wins over `cursor`",
    "Range": "a part of the file, in bytes",
}
ANSWER_HEADERS = {
    "X-Request-ID": "names the request, here and in the log",
    "Location": "the recording",
    "ETag": '`"<id>.<version>"`',
    "Idempotent-Replayed": "the key was known: this is the outcome of the first",
    "Preference-Applied": "the preference that was followed",
    "Retry-After": "seconds after which a repeat may help",
    "WWW-Authenticate": "the scheme to authenticate by",
    "Accept-Ranges": "parts may be asked for",
    "Content-Range": "which part this is",
    "Cache-Control": "JSON and streams are not to be stored",
}
SECURITY = {
    "bearer": "a JWT: HS256 with a shared secret by default; `sub`, `exp` and `aud` (tapedeck) are required",
    "accessToken": "the same token, on streams only, where a browser cannot set headers; it is never logged",
    "signature": "Agora's HMAC-SHA256 over the raw body",
}
