-- A page of recordings, newest first. Tombstones only when a status or state is asked for.
SELECT data FROM recordings
WHERE ($1::text IS NULL OR meeting_id = $1)
  AND (cardinality($2::text[]) = 0 OR status = ANY($2))
  AND (cardinality($3::text[]) = 0 OR state = ANY($3))
  AND (cardinality($2::text[]) + cardinality($3::text[]) > 0 OR status <> 'deleted')
  AND ($4::bigint IS NULL OR (created_at, recording_id) < (to_timestamp($4 / 1000.0), $5::text))
ORDER BY created_at DESC, recording_id DESC
LIMIT $6 OFFSET $7
