-- Sessions that notifications of late told of, that are no recorder's of ours and have not told of their end (reference 9.3).
SELECT i.sid, min(i.cname) AS cname, min(i.uid) AS uid
FROM inbox i
WHERE i.received_at > now() - make_interval(secs => $1) AND i.sid <> ''
  AND NOT EXISTS (SELECT FROM recorders r WHERE (r.cname = i.cname AND r.uid = i.uid) OR r.sid = i.sid)
GROUP BY i.sid
HAVING NOT bool_or(i.event_type = ANY($2::bigint[]))
LIMIT $3
