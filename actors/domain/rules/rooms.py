"""Who is in the channel: evidence of where recorders and people are, minutes old at worst."""

from actors.domain.commands import MembersAnswered
from actors.domain.rules.draft import Draft


def members_answered(draft: Draft, command: MembersAnswered) -> None:
    """What a look at the channel's members changes."""
