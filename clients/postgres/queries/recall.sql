-- One recording of a meeting, settled or not.
SELECT data FROM recordings WHERE meeting_id = $1 AND recording_id = $2
