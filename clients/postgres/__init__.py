"""The journal, ownership, inbox and query side in Postgres."""
