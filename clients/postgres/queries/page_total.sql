-- How many recordings the filters of a page match.
SELECT count(*) FROM recordings
WHERE ($1::text IS NULL OR meeting_id = $1)
  AND (($2::text[] IS NULL AND state <> 'deleted') OR state = ANY($2))
  AND ($3::text IS NULL OR external_id = $3)
  AND ($4::text IS NULL OR completeness = $4)
  AND ($5::bigint IS NULL OR created_at >= to_timestamp($5 / 1000.0))
  AND ($6::bigint IS NULL OR created_at < to_timestamp($6 / 1000.0))
  AND ($7::bigint IS NULL OR updated_at_ms >= $7)
  AND ($8::bigint IS NULL OR (status = 'processing' AND deadline_at_ms <= $8))
