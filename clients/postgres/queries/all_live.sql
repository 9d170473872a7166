-- Every meeting with a live recording, each as a subscriber of its own would join it.
SELECT m.meeting_id, m.sequence, m.state -> 'live' AS live, (extract(epoch FROM e.at) * 1000)::bigint AS at_ms
FROM meetings m
JOIN recordings r ON r.meeting_id = m.meeting_id AND r.live
LEFT JOIN events e ON e.meeting_id = m.meeting_id AND e.sequence = m.sequence
ORDER BY m.meeting_id
