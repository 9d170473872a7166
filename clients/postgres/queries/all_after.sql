-- The feed over all meetings: only of transactions that no running one can still precede (recipe 3.5).
SELECT tx::text::bigint AS tx, meeting_id, seq, sequence, (extract(epoch FROM at) * 1000)::bigint AS at_ms,
       kind, version, actor, data, recording, live
FROM events
WHERE sequence IS NOT NULL
  AND (tx, meeting_id, sequence) > ($1::text::xid8, $2::text, $3::bigint)
  AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, meeting_id, sequence
LIMIT $4
