-- Recordings by state, and the age in seconds of the oldest of each: for the metrics.
SELECT state, count(*) AS count, extract(epoch FROM now() - min(created_at))::float8 AS oldest_seconds
FROM recordings WHERE status = 'processing' GROUP BY state
