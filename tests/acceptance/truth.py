"""What has to hold in the end: the provider's own list of sessions, the rows, the files and their sound, compared.

Nothing here knows how Tapedeck works; it compares what can be seen from outside, as a stranger would.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.acceptance.heard import Piece, holes, listed_in, movies_in, slices_in

TOLERANCE_MS = 3_200
"""Joining, leaving and the clocks of others: `proof.tolerance_seconds`, and a little."""
CODEC_SECONDS = 0.1
"""What a decoded slice may be off the seconds that are named, to be multiplied by their number."""
OVER = ("completed", "failed", "aborted", "deleted")


@dataclass(frozen=True)
class Account:
    """`sessions` and `requests` as the simulator tells them, `recordings` as the API does."""

    sessions: list[dict[str, Any]]
    recordings: list[dict[str, Any]]
    requests: list[dict[str, Any]]
    storage: Path
    per_second: int = 10
    """What the provider lets through of an App ID."""


@dataclass(frozen=True)
class Complaint:
    """What does not hold, of which recording or in which channel if it is of one, or when if that says more."""

    what: str
    recording_id: str | None = None
    cname: str | None = None
    at_ms: int | None = None


def complaints(account: Account) -> list[Complaint]:
    """Everything that does not hold."""
    found = [*_running(account), *_overlapping(account), *_strangers(account), *_unfinished(account)]
    for recording in account.recordings:
        if recording["state"] in OVER and recording["state"] != "deleted":
            case = Case.of(recording, account)
            found += [Complaint(what, recording["id"], recording["channelName"]) for what in case.complaints()]
    return [*found, *_hasty(account)]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def folder_of(recording: dict[str, Any], storage: Path) -> Path:
    return storage / "tapedeck" / str(recording["id"]).replace("-", "")


def _running(account: Account) -> Iterator[Complaint]:
    for session in account.sessions:
        if session["endedAt"] is None:
            yield Complaint(f"session {session['sid']} runs still", cname=session["cname"])


def _overlapping(account: Account) -> Iterator[Complaint]:
    channels = defaultdict(list)
    for session in account.sessions:
        channels[session["cname"]].append(session)
    for cname, sessions in channels.items():
        for first, second in pairwise(sorted(sessions, key=lambda each: each["startedAt"])):
            if first["endedAt"] is None or second["startedAt"] < first["endedAt"]:
                what = f"session {second['sid']} began while {first['sid']} ran ({first['exitReason']})"
                yield Complaint(what, cname=cname)


def _strangers(account: Account) -> Iterator[Complaint]:
    for session in account.sessions:
        if not any(_is_of(session, recording) for recording in account.recordings):
            what = f"session {session['sid']} of uid {session['uid']} belongs to no recording"
            yield Complaint(what, cname=session["cname"])


def _is_of(session: dict[str, Any], recording: dict[str, Any]) -> bool:
    prefix = f"tapedeck/{str(recording['id']).replace('-', '')}/"
    known = session["sid"] == recording["agoraRecordingId"] or session["uid"] in recording["recorderUids"]
    return known or any(name.startswith(prefix) for name in session["files"])


def _unfinished(account: Account) -> Iterator[Complaint]:
    for recording in account.recordings:
        if recording["state"] not in OVER:
            yield Complaint(f"it is {recording['state']} still", recording["id"], recording["channelName"])


def _hasty(account: Account) -> Iterator[Complaint]:
    """More than the provider's rate in any second, and refusals for it that no fault made."""
    refused = [item for item in account.requests if item["status"] == 429 and item["fault"] is None]
    if refused:
        yield Complaint(f"{len(refused)} requests were refused as too many", at_ms=ms(refused[0]["at"]))
    times = sorted(ms(item["at"]) for item in account.requests)
    crowded = [at for at, later in zip(times, times[account.per_second :], strict=False) if later - at < 1000]
    if crowded:
        what = f"{len(crowded)} times more than {account.per_second} requests in a second"
        yield Complaint(what, at_ms=crowded[0])


@dataclass(frozen=True)
class Case:
    """A recording that is over, with its sessions and what lies in its folder."""

    recording: dict[str, Any]
    sessions: list[dict[str, Any]]
    slices: list[Piece]
    movies: list[Piece]
    listed: frozenset[str]

    @classmethod
    def of(cls, recording: dict[str, Any], account: Account) -> "Case":
        folder = folder_of(recording, account.storage)
        sessions = [each for each in account.sessions if _is_of(each, recording)]
        playlists = [account.storage / each["key"] for each in recording["files"] if each["kind"] == "hls"]
        listed = frozenset(name for playlist in playlists for name in listed_in(playlist))
        return cls(recording, sessions, slices_in(folder), movies_in(folder, _captured(sessions)), listed)

    def complaints(self) -> Iterator[str]:
        yield from self._of_sound()
        if self.recording["state"] == "completed":
            yield from self._of_files()
            yield from self._of_times()
            if self.recording["completeness"] == "complete":
                yield from self._of_completeness()
        elif self.stored_seconds > TOLERANCE_MS / 1000:
            yield f"it is {self.recording['state']}, though {self.stored_seconds:.1f} s are stored"

    @property
    def stored_seconds(self) -> float:
        return sum(piece.seconds for piece in self.slices)

    def _of_sound(self) -> Iterator[str]:
        for piece in [*self.slices, *self.movies]:
            if piece.wrong:
                yield f"{piece.name} sounds wrong in the seconds {piece.wrong}"

    def _of_files(self) -> Iterator[str]:
        for piece in self.slices:
            if piece.name not in self.listed:
                yield f"{piece.name} is stored and in no playlist of the recording"
        seconds = self.stored_seconds or sum(piece.seconds for piece in self.movies)
        off = abs(seconds - (self.recording["duration"] or 0))
        if off > CODEC_SECONDS * (len(self.slices) + 1):
            yield f"its duration is {self.recording['duration']} s, stored are {seconds:.2f} s"

    def _of_times(self) -> Iterator[str]:
        """What is wanting between its beginning and its end stands in its gaps."""
        begin, end = ms(self.recording["startedAt"]), ms(self.recording["stoppedAt"])
        gaps = [(ms(gap["from"]), ms(gap["to"])) for gap in self.recording["gaps"]]
        for hole in holes(begin, end, self.slices):
            named = any(start < hole[1] and hole[0] < stop for start, stop in gaps)
            if hole[1] - hole[0] > TOLERANCE_MS and not named:
                yield f"nothing is stored for {hole[1] - hole[0]} ms from {hole[0]}, and no gap says so"

    def _of_completeness(self) -> Iterator[str]:
        lost = sorted(set(_captured(self.sessions)) - {piece.name for piece in self.slices})
        if lost:
            yield f"it is complete without {', '.join(lost)}"
        if self.recording["gaps"]:
            yield "it is complete and has gaps"
        for begin, end in holes(*self._span(), self.slices):
            if end - begin > TOLERANCE_MS:
                yield f"it is complete, and nothing is stored for {end - begin} ms from {begin}"
        wanted = sum(piece.seconds for piece in self.movies)
        if "mp4" in self.recording["outputs"] and abs(wanted - self.stored_seconds) > TOLERANCE_MS / 1000:
            yield f"it is complete, and its MP4 has {wanted:.1f} s of {self.stored_seconds:.1f} s"

    def _span(self) -> tuple[int, int]:
        """From the coming of the first recorder that captured to the last one's leaving, and at least until the stop was asked
        for."""
        capturing = [each for each in self.sessions if each["files"]]
        begin = min((ms(each["startedAt"]) for each in capturing), default=0)
        ends = [ms(each["endedAt"]) for each in capturing if each["endedAt"] is not None]
        asked = self.recording["stopRequestedAt"]
        return begin, max([begin, *ends, *([] if asked is None else [ms(asked)])])


def _captured(sessions: list[dict[str, Any]]) -> list[str]:
    """The names of all slices that were captured, stored or not."""
    names = [name.rpartition("/")[2] for session in sessions for name in session["files"]]
    return [name for name in names if name.endswith(".ts")]
