-- The end of the settled part of the feed: everything behind it is still to come.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS tx
