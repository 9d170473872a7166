-- Whose recorder it is: by channel and uid, else by sid.
SELECT meeting_id FROM (
    SELECT meeting_id, 0 AS rank FROM recorders WHERE cname = $1 AND uid = $2
    UNION ALL
    SELECT meeting_id, 1 AS rank FROM recorders WHERE sid = $3
) AS found ORDER BY rank LIMIT 1
