-- The turn to sweep, for a sweep that is not yet known; none while another's lease holds. `$3`: seconds since the last one
-- began, at least.
INSERT INTO sweep_turn AS t (holder, began_at, lease_until)
VALUES ($1, clock_timestamp(), clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (one) DO UPDATE
SET holder = excluded.holder, began_at = excluded.began_at, lease_until = excluded.lease_until
WHERE t.lease_until < clock_timestamp() AND t.began_at <= clock_timestamp() - make_interval(secs => $3)
RETURNING began_at
