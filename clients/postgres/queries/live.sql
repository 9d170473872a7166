-- A meeting's live recording.
SELECT data FROM recordings WHERE meeting_id = $1 AND live
