"""Lists are filtered by more than a state: without reading every recording there ever was.

The columns come out of `data` by themselves, so a server of the version before goes on writing. Adding them rewrites the
table once; whoever writes recordings meanwhile waits.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE recordings
        ADD COLUMN external_id text GENERATED ALWAYS AS (data #>> '{spec,external_id}') STORED,
        ADD COLUMN completeness text GENERATED ALWAYS AS (data ->> 'completeness') STORED,
        ADD COLUMN updated_at_ms bigint GENERATED ALWAYS AS ((data ->> 'updated_at_ms')::bigint) STORED,
        ADD COLUMN deadline_at_ms bigint GENERATED ALWAYS AS ((data ->> 'deadline_at_ms')::bigint) STORED
    """,
    """
    CREATE INDEX recordings_external ON recordings (external_id, created_at DESC, recording_id DESC)
    WHERE external_id IS NOT NULL
    """,
    # What shows no tombstones asks every row for its state, so the indexes that totals are counted in hold it.
    "CREATE INDEX recordings_states ON recordings (state, created_at DESC, recording_id DESC)",
    """
    CREATE INDEX recordings_completeness ON recordings (completeness, created_at DESC, recording_id DESC)
    INCLUDE (state)
    """,
    "CREATE INDEX recordings_updated ON recordings (updated_at_ms) INCLUDE (state)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
