-- One recording by its id.
SELECT data FROM recordings WHERE recording_id = $1
