-- Meetings with something left to do that this process has not claimed: all of them after a restart.
SELECT meeting_id FROM meetings
WHERE wake_at IS NOT NULL AND incarnation IS DISTINCT FROM $1
ORDER BY wake_at
LIMIT $2
