-- The last public number of each meeting.
SELECT meeting_id, sequence FROM meetings WHERE meeting_id = ANY($1::text[])
