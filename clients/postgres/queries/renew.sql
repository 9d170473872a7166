-- Hold the name for so long from now on. Whose lease had run out, or who wants to, begins a new incarnation; nothing is returned
-- if the name belongs to another process.
INSERT INTO nodes AS n (node, process, incarnation, lease_until)
VALUES ($1, $2, nextval('incarnations'), now() + $3::float8 * interval '1 second')
ON CONFLICT (node) DO UPDATE
SET lease_until = excluded.lease_until,
    incarnation = CASE WHEN n.lease_until > now() AND NOT $4 THEN n.incarnation ELSE excluded.incarnation END
WHERE n.process = excluded.process
RETURNING incarnation
