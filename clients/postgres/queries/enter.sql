-- Take a node's name, also from a process that holds it, and begin an incarnation.
INSERT INTO nodes AS n (node, process, incarnation, lease_until)
VALUES ($1, $2, nextval('incarnations'), now() + $3::float8 * interval '1 second')
ON CONFLICT (node) DO UPDATE
SET process = excluded.process, incarnation = excluded.incarnation, lease_until = excluded.lease_until
RETURNING incarnation
