"""state + command + moment -> events and a reply. Pure, and never raises for a legal call.

Stale or impossible input gives no events. The rules are in `rules/`, by the kind of command.
"""

from dataclasses import dataclass
from typing import assert_never

from actors.domain.commands import (
    AcquireAnswered,
    AttachFile,
    BanAnswered,
    Command,
    DeleteRecording,
    ExamineAgain,
    MediaErased,
    MediaExamined,
    MediaSealed,
    MediaSurveyed,
    MembersAnswered,
    Moment,
    ProviderReported,
    QueryAnswered,
    RekeyAnswered,
    Reply,
    StartAnswered,
    StartRecording,
    StopAnswered,
    StopRecording,
    UpdateAnswered,
    UpdateRecording,
    Wake,
)
from actors.domain.events import AnyEvent
from actors.domain.model import Actor, ActorKind, Meeting
from actors.domain.policy import Policy
from actors.domain.rules import calls, clock, erasure, eviction, keys, media, notices, rooms, updates, users
from actors.domain.rules.draft import Draft
from actors.domain.rules.steps import SYSTEM


@dataclass(frozen=True, slots=True)
class Decision:
    """The events to commit, in order, and the reply that may leave once they are. Facts have no reply."""

    events: tuple[AnyEvent, ...]
    reply: Reply | None


def decide(meeting: Meeting, command: Command, moment: Moment, policy: Policy) -> Decision:
    """What follows from the command in this state at this moment."""
    draft = Draft(meeting, moment, policy)
    reply = _apply(draft, command)
    return Decision(tuple(draft.events), reply)


def _apply(draft: Draft, command: Command) -> Reply | None:
    match command:
        case StartRecording():
            return users.start(draft, command)
        case StopRecording():
            return users.stop(draft, command)
        case UpdateRecording():
            return updates.update(draft, command)
        case DeleteRecording():
            return users.delete(draft, command)
        case AttachFile():
            return users.attach(draft, command)
        case ExamineAgain():
            return users.examine_again(draft, command)
        case Wake():
            clock.woken(draft)
        case AcquireAnswered():
            calls.acquire_answered(draft, command)
        case StartAnswered():
            calls.start_answered(draft, command)
        case QueryAnswered():
            calls.query_answered(draft, command)
        case StopAnswered():
            calls.stop_answered(draft, command)
        case UpdateAnswered():
            updates.update_answered(draft, command)
        case RekeyAnswered():
            keys.rekey_answered(draft, command)
        case BanAnswered():
            eviction.ban_answered(draft, command)
        case MembersAnswered():
            rooms.members_answered(draft, command)
        case MediaExamined():
            media.examined(draft, command)
        case MediaSealed():
            media.sealed(draft, command)
        case MediaSurveyed():
            erasure.surveyed(draft, command)
        case MediaErased():
            erasure.erased(draft, command)
        case ProviderReported(notice):
            notices.reported(draft, notice)
        case _:
            assert_never(command)
    return None


def actor_of(command: Command) -> Actor:
    """Who is behind the events of a command."""
    match command:
        case StartRecording(by=by) | StopRecording(by=by) | UpdateRecording(by=by):
            return by
        case DeleteRecording(by=by) | AttachFile(by=by) | ExamineAgain(by=by):
            return by
        case Wake() | MediaExamined() | MediaSurveyed() | MediaSealed() | MediaErased():
            return Actor(ActorKind.SYSTEM, SYSTEM)
        case _:
            return Actor(ActorKind.PROVIDER, "agora")
