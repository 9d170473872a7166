"""The two kinds of places in a stream: a meeting's public number, or a position in the feed over all meetings.

A channel needs of them only that they are ordered, so both run through the same code.
"""

from typing import TypeVar

from actors.reading import FeedPosition

P = TypeVar("P", int, FeedPosition)
