-- Give a meeting back, unless somebody has claimed it since.
UPDATE meetings SET node = NULL, incarnation = NULL WHERE meeting_id = $1 AND epoch = $2
