-- Take a node's name from the incarnation that was seen to have it, and begin one. Nothing is returned if another process has come
-- since.
INSERT INTO nodes AS n (node, process, incarnation, lease_until)
VALUES ($1, $2, nextval('incarnations'), now() + $3::float8 * interval '1 second')
ON CONFLICT (node) DO UPDATE
SET process = excluded.process, incarnation = excluded.incarnation, lease_until = excluded.lease_until
WHERE n.incarnation = $4 OR n.process = excluded.process
RETURNING incarnation
