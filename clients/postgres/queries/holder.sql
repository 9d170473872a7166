-- The incarnation that has a node's name.
SELECT incarnation FROM nodes WHERE node = $1
