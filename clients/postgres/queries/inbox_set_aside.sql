-- A notification that makes its actor fail is kept, and not offered again.
UPDATE inbox SET processed_at = now() WHERE notice_id = $1 AND processed_at IS NULL
