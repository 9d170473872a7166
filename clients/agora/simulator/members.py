"""Who is in a channel as the service's lists see it: people and recorders, a moment late (channel management 2)."""

from dataclasses import dataclass

from clients.agora.simulator.channels import Channels
from clients.agora.simulator.service import Service
from clients.agora.simulator.settings import SimulatorSettings

COMMUNICATION, LIVE = 1, 2
"""`mode` of a channel."""


@dataclass(frozen=True, slots=True)
class Member:
    """`joined_at` in Unix milliseconds."""

    uid: str
    joined_at: int
    is_recorder: bool


@dataclass(frozen=True, slots=True)
class View:
    """A channel as it is seen. It exists while anybody is in it."""

    mode: int
    members: tuple[Member, ...]

    def uids(self, *, recorders: bool) -> list[int]:
        return [int(member.uid) for member in self.members if member.is_recorder is recorders]


class Members:
    """Each change becomes visible after `list_lag_seconds`."""

    def __init__(self, settings: SimulatorSettings, channels: Channels, service: Service) -> None:
        self._lag_ms = round(settings.list_lag_seconds * 1000)
        self._channels = channels
        self._service = service

    def view(self, app_id: str, cname: str) -> View:
        """People are there under every App ID. The profile is a recorder's; without one it is communication."""
        at_ms = self._service.now_ms() - self._lag_ms
        members = [Member(stay.uid, stay.joined_at, False) for stay in self._channels.seen(cname, at_ms)]
        mode = COMMUNICATION
        for session in self._service.of_channel(app_id, cname):
            leg = session.present_at(at_ms)
            if leg is not None:
                members.append(Member(leg.uid, leg.since, True))
                mode = LIVE if session.recording["channelType"] == 1 else COMMUNICATION
        return View(mode, tuple(members))

    def channels(self, app_id: str) -> list[tuple[str, int]]:
        """Channels that somebody was put into or that are recorded, and how many are in each."""
        names = dict.fromkeys([*self._channels.names(), *self._service.recorded(app_id)])
        counted = ((cname, len(self.view(app_id, cname).members)) for cname in names)
        return [(cname, count) for cname, count in counted if count]
