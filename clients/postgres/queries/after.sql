-- The public events of a meeting behind a public number.
SELECT meeting_id, seq, sequence, (extract(epoch FROM at) * 1000)::bigint AS at_ms, kind, version, actor, data, recording, live
FROM events WHERE meeting_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
