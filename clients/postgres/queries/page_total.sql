-- How many recordings the filters of a page match.
SELECT count(*) FROM recordings
WHERE ($1::text IS NULL OR meeting_id = $1)
  AND (cardinality($2::text[]) = 0 OR status = ANY($2))
  AND (cardinality($3::text[]) = 0 OR state = ANY($3))
  AND (cardinality($2::text[]) + cardinality($3::text[]) > 0 OR status <> 'deleted')
