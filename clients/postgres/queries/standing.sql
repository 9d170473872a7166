-- Recordings that are not over, by state: for the metrics. Ages in seconds; `recorders`: those whose session is known.
SELECT state,
       count(*) AS count,
       extract(epoch FROM now() - min(created_at))::float8 AS oldest_seconds,
       count(*) FILTER (WHERE deadline_at_ms < extract(epoch FROM now()) * 1000) AS overdue,
       count(*) FILTER (WHERE live AND data->'attempt'->>'sid' IS NOT NULL) AS recorders
FROM recordings WHERE status = 'processing' GROUP BY state
