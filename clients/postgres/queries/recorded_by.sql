-- The recording whose recorder it is, in one meeting: by channel and uid, else by sid.
SELECT r.data FROM (
    SELECT recording_id, 0 AS rank FROM recorders WHERE meeting_id = $1 AND cname = $2 AND uid = $3
    UNION ALL
    SELECT recording_id, 1 AS rank FROM recorders WHERE meeting_id = $1 AND sid = $4
) AS found
JOIN recordings r ON r.meeting_id = $1 AND r.recording_id = found.recording_id
ORDER BY found.rank LIMIT 1
