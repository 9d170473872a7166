-- Take a meeting: make its row if it is new, wait for a statement that holds it, and make every older epoch stale.
INSERT INTO meetings AS m (meeting_id, node, incarnation, epoch)
VALUES ($1, $2, $3, 1)
ON CONFLICT (meeting_id) DO UPDATE SET node = $2, incarnation = $3, epoch = m.epoch + 1
RETURNING epoch, state
