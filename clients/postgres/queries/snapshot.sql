-- A meeting as a subscriber joins it; its time is that of the last event that it contains.
SELECT m.sequence, m.state -> 'live' AS live, (extract(epoch FROM e.at) * 1000)::bigint AS at_ms
FROM meetings m LEFT JOIN events e ON e.meeting_id = m.meeting_id AND e.sequence = m.sequence
WHERE m.meeting_id = $1
