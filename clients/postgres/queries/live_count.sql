-- How many recordings are live, counted up to a limit: asked before each start. The index of live ones answers.
SELECT count(*) FROM (SELECT FROM recordings WHERE live LIMIT $1) AS live
