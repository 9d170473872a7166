-- Meetings with something left to do that this incarnation has not claimed, and may: all of them after a restart.
SELECT meeting_id FROM meetings m
WHERE wake_at IS NOT NULL AND incarnation IS DISTINCT FROM $1::bigint::text
  AND NOT EXISTS (SELECT FROM nodes n WHERE n.node = m.node AND n.node <> $3 AND n.lease_until > now())
ORDER BY wake_at
LIMIT $2
