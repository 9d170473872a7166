-- The fenced append of a whole batch of meetings (recipe 3.3). Each is fenced by the epoch and seq of its own locked row and
-- answered on its own; the rows are locked in one order, here as in every claim, so that batches cannot deadlock.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::bigint[])
        AS i (meeting_id, epoch, expected, seq, sequence, state, wake_ms)
), locked AS MATERIALIZED (
    SELECT m.meeting_id, m.epoch, m.seq FROM meetings m JOIN input USING (meeting_id)
    ORDER BY m.meeting_id FOR NO KEY UPDATE OF m
), done AS (
    UPDATE meetings m
    SET seq = i.seq, sequence = i.sequence, state = i.state, wake_at = to_timestamp(i.wake_ms / 1000.0)
    FROM input i JOIN locked l USING (meeting_id)
    WHERE m.meeting_id = i.meeting_id AND l.epoch = i.epoch AND l.seq = i.expected
    RETURNING m.meeting_id, m.epoch
), ev AS (
    INSERT INTO events (meeting_id, seq, epoch, sequence, at, recording_id, kind, version, actor, data, recording, live)
    SELECT e.meeting_id, e.seq, d.epoch, e.sequence, to_timestamp(e.at_ms / 1000.0), e.recording_id, e.kind, e.version,
           e.actor, e.data, e.recording, e.live
    FROM unnest($8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::int[],
                $15::jsonb[], $16::jsonb[], $17::jsonb[], $18::jsonb[])
        AS e (meeting_id, seq, sequence, at_ms, recording_id, kind, version, actor, data, recording, live)
    JOIN done d USING (meeting_id)
), rec AS (
    INSERT INTO recordings (meeting_id, recording_id, live, state, status, created_at, data)
    SELECT r.meeting_id, r.recording_id, r.live, r.state, r.status, to_timestamp(r.created_ms / 1000.0), r.data
    FROM unnest($19::text[], $20::text[], $21::bool[], $22::text[], $23::text[], $24::bigint[], $25::jsonb[])
        AS r (meeting_id, recording_id, live, state, status, created_ms, data)
    JOIN done USING (meeting_id)
    -- What stops being live makes room for what begins to be.
    ORDER BY r.live
    ON CONFLICT (meeting_id, recording_id) DO UPDATE
    SET live = excluded.live, state = excluded.state, status = excluded.status, data = excluded.data
), who AS (
    INSERT INTO recorders AS old (cname, uid, sid, meeting_id, recording_id, attempt)
    SELECT w.cname, w.uid, w.sid, w.meeting_id, w.recording_id, w.attempt
    FROM unnest($26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::int[])
        AS w (meeting_id, cname, uid, sid, recording_id, attempt)
    JOIN done USING (meeting_id)
    ON CONFLICT (cname, uid) DO UPDATE SET sid = coalesce(excluded.sid, old.sid)
), cmd AS (
    INSERT INTO commands (meeting_id, command_id, body_hash, recording_id)
    SELECT c.meeting_id, c.command_id, c.body_hash, c.recording_id
    FROM unnest($32::text[], $33::text[], $34::text[], $35::text[])
        AS c (meeting_id, command_id, body_hash, recording_id)
    JOIN done USING (meeting_id)
), seen AS (
    UPDATE inbox b SET processed_at = now()
    FROM unnest($36::text[], $37::text[]) AS n (meeting_id, notice_id) JOIN done USING (meeting_id)
    WHERE b.notice_id = n.notice_id
)
SELECT i.meeting_id, d.meeting_id IS NOT NULL AS ok
FROM input i LEFT JOIN done d USING (meeting_id)
