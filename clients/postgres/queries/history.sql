-- Every event of a recording, internal ones too.
SELECT meeting_id, seq, sequence, (extract(epoch FROM at) * 1000)::bigint AS at_ms, kind, version, actor, data, recording, live
FROM events WHERE recording_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
