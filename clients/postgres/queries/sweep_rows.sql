-- Recordings by their folder, those behind `$2`. `bytes`, `completeness`: as they were proven.
SELECT data #>> '{prefix,1}' AS folder, recording_id, meeting_id, state, completeness,
       (data ->> 'file_size')::bigint AS bytes, (data ->> 'deleted_at_ms')::bigint AS deleted_at_ms
FROM recordings
WHERE data #>> '{prefix,0}' = $1 AND (data #>> '{prefix,1}') COLLATE "C" > $2
ORDER BY (data #>> '{prefix,1}') COLLATE "C" LIMIT $3
