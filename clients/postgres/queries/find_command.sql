-- A user's command of that key.
SELECT command_id, body_hash, recording_id FROM commands WHERE meeting_id = $1 AND command_id = $2
