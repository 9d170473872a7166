-- Notifications of known recorders that no commit has marked, oldest first; those of meetings that another node owns are its.
SELECT r.meeting_id, i.notice_id, i.cname, i.uid, i.sid, i.event_type, i.sequence, i.sent_ms, i.details
FROM inbox i
JOIN LATERAL (
    SELECT meeting_id FROM recorders WHERE (cname = i.cname AND uid = i.uid) OR (sid = i.sid)
    ORDER BY (cname = i.cname AND uid = i.uid) DESC LIMIT 1
) r ON true
WHERE i.processed_at IS NULL AND i.received_at <= to_timestamp($1::bigint / 1000.0)
  AND NOT EXISTS (
      SELECT FROM meetings m JOIN nodes n USING (node)
      WHERE m.meeting_id = r.meeting_id AND m.wake_at IS NOT NULL AND n.node <> $3 AND n.lease_until > now()
  )
ORDER BY i.received_at
LIMIT $2
