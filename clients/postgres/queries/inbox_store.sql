-- Keep a notification; nothing is returned if it, or its meaning, is there already.
INSERT INTO inbox (notice_id, cname, uid, sid, event_type, sequence, sent_ms, details, body, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::bigint / 1000.0))
ON CONFLICT DO NOTHING
RETURNING notice_id
