-- Names this history: its own id, the server that holds it, and its timeline. A restored dump has the id but other transaction
-- numbers, and a promoted standby repeats some: the one is told by the server, the other by the timeline.
SELECT id::text || '-' || (SELECT system_identifier FROM pg_control_system())::text
       || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
FROM identity
