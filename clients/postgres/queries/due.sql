-- Meetings whose wake-up time has come, a page at a time: what is slow, or set aside, must not hide what is behind it.
SELECT meeting_id FROM meetings
WHERE wake_at <= to_timestamp($1::bigint / 1000.0) AND meeting_id > $3::text
ORDER BY meeting_id
LIMIT $2
