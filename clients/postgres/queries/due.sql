-- Meetings whose wake-up time has come, a page at a time: what is slow, or set aside, must not hide what is behind it.
SELECT meeting_id FROM meetings m
WHERE wake_at <= to_timestamp($1::bigint / 1000.0) AND meeting_id > $3::text
  AND NOT EXISTS (SELECT FROM nodes n WHERE n.node = m.node AND n.node <> $4 AND n.lease_until > now())
ORDER BY meeting_id
LIMIT $2
