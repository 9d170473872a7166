-- A meeting's newest recording.
SELECT data FROM recordings WHERE meeting_id = $1 ORDER BY created_at DESC, recording_id DESC LIMIT 1
