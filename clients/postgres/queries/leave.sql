-- Give a node's name back, if it is still this process's: what it owned is free at once.
DELETE FROM nodes WHERE node = $1 AND process = $2
