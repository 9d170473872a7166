-- The same turn for longer. Nothing is returned if somebody else has it by now.
UPDATE sweep_turn SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE holder = $1 RETURNING holder
