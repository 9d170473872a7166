"""Notifications of the provider, stored before they are answered."""

from actors.domain.commands import Notice
from actors.domain.ids import MeetingId, NoticeId
from clients.postgres.pool import Pool, reading
from clients.postgres.queries import sql


class PostgresInbox:
    """Implements `actors.ports.Inbox`, as the node of that name sees it."""

    def __init__(self, pool: Pool, node: str) -> None:
        self._pool = pool
        self._node = node

    async def store(self, notice: Notice, body: bytes, received_at_ms: int) -> bool:
        """Raises JournalUnavailable; then the provider sends it again."""
        async with reading():
            stored = await self._pool.fetchval(
                sql("inbox_store"),
                notice.notice_id,
                notice.cname,
                notice.uid,
                notice.sid,
                notice.event_type,
                notice.sequence,
                notice.at_ms,
                notice.details,
                body,
                received_at_ms,
            )
        return stored is not None

    async def meeting_of(self, notice: Notice) -> MeetingId | None:
        async with reading():
            found = await self._pool.fetchval(sql("inbox_meeting"), notice.cname, notice.uid, notice.sid)
        return None if found is None else MeetingId(found)

    async def unprocessed(self, older_than_ms: int, limit: int) -> list[tuple[MeetingId, Notice]]:
        async with reading():
            rows = await self._pool.fetch(sql("inbox_unprocessed"), older_than_ms, limit, self._node)
        return [
            (
                row["meeting_id"],
                Notice(
                    notice_id=row["notice_id"],
                    event_type=row["event_type"],
                    sid=row["sid"],
                    uid=row["uid"],
                    cname=row["cname"],
                    sequence=row["sequence"],
                    at_ms=row["sent_ms"],
                    details=row["details"],
                ),
            )
            for row in rows
        ]

    async def set_aside(self, notice_id: NoticeId) -> None:
        async with reading():
            await self._pool.execute(sql("inbox_set_aside"), notice_id)
