-- Sessions that were given up on and are not proven gone.
SELECT e ->> 'channel_name' AS cname, e #>> '{attempt,uids,-1}' AS uid, e #>> '{attempt,sid}' AS sid
FROM meetings m CROSS JOIN LATERAL jsonb_array_elements(m.state -> 'evictions') AS e
WHERE m.wake_at IS NOT NULL AND m.state -> 'evictions' <> '[]'
LIMIT $1
