-- Meetings whose wake-up time has come, the longest due first.
SELECT meeting_id FROM meetings WHERE wake_at <= to_timestamp($1::bigint / 1000.0) ORDER BY wake_at LIMIT $2
