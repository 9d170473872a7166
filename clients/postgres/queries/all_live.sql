-- Every meeting with a live recording.
SELECT m.meeting_id, m.sequence, m.state -> 'live' AS live, (extract(epoch FROM now()) * 1000)::bigint AS at_ms
FROM meetings m JOIN recordings r USING (meeting_id) WHERE r.live ORDER BY m.meeting_id
