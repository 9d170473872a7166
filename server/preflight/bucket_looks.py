"""What a bucket's server says of itself: the region, the clock, and whether strangers are kept out."""

from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp

from actors.ports import Clock
from clients.storage.s3.store import S3Store
from server.checks import Look, Trouble
from server.preflight.probe import step

ASK = "Let the server's keys do s3:ListBucket on the bucket, and see that it is there."
CLOCK = "Set this host's clock by NTP: signatures are refused 15 minutes off, and URLs end at the wrong time."
CLOSE = "Turn on Block Public Access for the bucket, unless somebody has to read it without a signature."


def region_look(store: S3Store, configured: str) -> Look:
    """Whether the bucket is where the recorder is told that it is."""

    async def look() -> str:
        with step("the bucket's region is not known", ASK):
            region = await store.region()
        if region is None:
            return f"the server tells none; {configured} is taken for it"
        if region != configured:
            raise Trouble(f"the bucket is in {region}, not in {configured}", f"Set AWS_REGION={region}.")
        return region

    return look


def public_access_look(store: S3Store) -> Look:
    """Whether a mistake in a policy could open the recordings to everybody."""

    async def look() -> str:
        with step(
            "it is not known whether public access is blocked",
            "Let the server's keys do s3:GetBucketPublicAccessBlock.",
        ):
            blocked = await store.blocks_public_access()
        if blocked is False:
            raise Trouble("public access is not blocked on the bucket", CLOSE)
        return "is blocked" if blocked else "the server has no such setting"

    return look


def clock_look(store: S3Store, http: aiohttp.ClientSession, clock: Clock, seconds_max: float) -> Look:
    """How far this host's clock and the store's are apart, by an answer's date, which needs no signature."""

    async def look() -> str:
        try:
            async with http.head(store.addresses.storage_url(""), allow_redirects=False) as answer:
                told = _date_ms(answer.headers.get("Date"))
        except (aiohttp.ClientError, OSError) as error:
            raise Trouble(
                f"the store's clock cannot be read: {type(error).__name__}", "See that the store can be reached."
            ) from None
        if told is None:
            return "the server tells no time"
        apart = (clock.now_ms() - told) / 1000
        if abs(apart) > seconds_max:
            where = "ahead of" if apart > 0 else "behind"
            raise Trouble(f"this host's clock is {abs(apart):.0f} s {where} the store's", CLOCK)
        return f"within {seconds_max:g} s of the store's"

    return look


def _date_ms(header: str | None) -> int | None:
    try:
        date: datetime | None = parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
    return None if date is None else int(date.timestamp() * 1000)
