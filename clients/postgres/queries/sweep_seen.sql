-- What a sweep has found, and since when it is known.
INSERT INTO sweep_findings AS f (kind, key, first_seen_at, last_seen_at)
SELECT kind, key, clock_timestamp(), clock_timestamp() FROM unnest($1::text[], $2::text[]) AS i (kind, key)
ON CONFLICT (kind, key) DO UPDATE SET last_seen_at = excluded.last_seen_at
RETURNING kind, key, (extract(epoch FROM first_seen_at) * 1000)::bigint AS first_seen_ms
