-- Sessions that were given up and may still run; and the seconds until the provider's budget has its next place.
SELECT (SELECT coalesce(sum(jsonb_array_length(state->'evictions')), 0) FROM meetings
        WHERE wake_at IS NOT NULL AND state->'evictions' <> '[]') AS evicting,
       coalesce((SELECT greatest(extract(epoch FROM next_at - clock_timestamp())::float8, 0)
                 FROM provider_budget WHERE app_id = $1 AND lane = 'all'), 0) AS budget_wait_seconds
