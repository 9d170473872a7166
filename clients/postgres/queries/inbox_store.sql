-- Keep a notification; nothing is returned if it, or its meaning, is there already. One that is about no recorder of ours is
-- kept as done: recorders are stored before they are asked for, so it will never be about one, and need not be looked at again.
INSERT INTO inbox (notice_id, cname, uid, sid, event_type, sequence, sent_ms, details, body, received_at, processed_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::bigint / 1000.0),
       CASE WHEN EXISTS (SELECT 1 FROM recorders WHERE (cname = $2 AND uid = $3) OR sid = $4) THEN NULL ELSE now() END
ON CONFLICT DO NOTHING
RETURNING notice_id
