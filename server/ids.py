"""New ids, drawn from the system's randomness. UUIDv7 (RFC 9562) sorts by the time at which it was made."""

import secrets
import time
import uuid

from actors.domain.ids import RecordingId

UID_MAX = 2**32 - 1
"""The largest uid of a recorder (reference 2)."""


class RandomIds:
    """Implements `actors.ports.Ids`."""

    def recording_id(self) -> RecordingId:
        """A UUIDv7: 48 bits of Unix milliseconds, then randomness."""
        milliseconds = time.time_ns() // 1_000_000
        random_bits = secrets.randbits(74)
        value = (milliseconds << 80) | (7 << 76) | ((random_bits >> 62) << 64) | (2 << 62) | (random_bits & (2**62 - 1))
        return RecordingId(str(uuid.UUID(int=value)))

    def recorder_uid(self) -> str:
        """One of four billion; the chance to meet a participant's is that of any two users' of Agora."""
        return str(secrets.randbelow(UID_MAX) + 1)

    def jitter(self) -> float:
        return secrets.randbelow(1000) / 1000


class SystemClock:
    """Implements `actors.ports.Clock`."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000
