-- A meeting as a subscriber joins it.
SELECT m.sequence, m.state -> 'live' AS live,
       (extract(epoch FROM (SELECT max(at) FROM events e WHERE e.meeting_id = m.meeting_id AND e.sequence = m.sequence)) * 1000)::bigint AS at_ms
FROM meetings m WHERE m.meeting_id = $1
