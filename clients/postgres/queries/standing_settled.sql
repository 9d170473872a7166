-- Recordings that are over, by state: for the metrics. Asks for states alone, so that the index of states answers.
SELECT state, count(*) AS count FROM recordings
WHERE state IN ('completed', 'failed', 'aborted', 'deleted') GROUP BY state
