-- Take a meeting: make its row if it is new, wait for a statement that holds it, and make every older epoch stale. Only for an
-- incarnation that stands, and not while another node that stands has something left to do in it.
WITH own AS (
    SELECT FROM nodes WHERE node = $2 AND incarnation = $3::bigint AND lease_until > now()
), taken AS (
    INSERT INTO meetings AS m (meeting_id, node, incarnation, epoch)
    SELECT $1, $2, $3::bigint::text, 1 FROM own
    ON CONFLICT (meeting_id) DO UPDATE
    SET node = excluded.node, incarnation = excluded.incarnation, epoch = m.epoch + 1
    WHERE m.wake_at IS NULL OR NOT EXISTS (
        SELECT FROM nodes n WHERE n.node = m.node AND n.node <> excluded.node AND n.lease_until > now()
    )
    RETURNING epoch, state
)
SELECT taken.epoch, taken.state, EXISTS (SELECT FROM own) AS standing,
       (SELECT node FROM meetings WHERE meeting_id = $1) AS owner
FROM (SELECT) AS answer LEFT JOIN taken ON true
