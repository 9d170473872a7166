"""The playlist as the service writes it (reference 8.2)."""

import math

from clients.agora.simulator.session import Session, utc17


def playlist_text(session: Session, *, ended: bool) -> str:
    """All slices of the recorder so far; rewritten after each of them."""
    comma = "," if session.correct_extinf else ""
    longest = max((seconds for _, seconds in session.leg.slices), default=0)
    kinds = ["AUDIO", *(["VIDEO"] if session.has_video else [])]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-ALLOW-CACHE:YES",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        "#EXT-X-DISCONTINUITY",
    ]
    begun = utc17(session.leg.since)
    lines += [f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE={kind},TIME={begun}" for kind in kinds]
    for name, seconds in session.leg.slices:
        lines += [f"#EXTINF:{seconds:.6f}{comma}", name]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
