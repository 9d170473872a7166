-- The turn is over.
UPDATE sweep_turn SET lease_until = '-infinity' WHERE holder = $1
