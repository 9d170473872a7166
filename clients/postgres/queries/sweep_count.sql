-- How many recordings a sweep will come by.
SELECT count(*) FROM recordings WHERE data #>> '{prefix,0}' = $1
