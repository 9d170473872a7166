-- Names this history: its own id, and the server that holds it.
SELECT id::text || '-' || (SELECT system_identifier FROM pg_control_system())::text FROM identity
