-- Reserve the next place in a lane of the provider's budget; returns the seconds to wait for it.
INSERT INTO provider_budget AS b (app_id, lane, next_at)
VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 second')
ON CONFLICT (app_id, lane) DO UPDATE
SET next_at = greatest(b.next_at, clock_timestamp()) + $3::float8 * interval '1 second'
RETURNING greatest(extract(epoch FROM next_at - clock_timestamp())::float8 - $3::float8, 0)
