-- What a sweep to the end has not found any more: it is gone, or has come to belong to somebody.
DELETE FROM sweep_findings WHERE last_seen_at < to_timestamp($1::bigint / 1000.0)
