"""What sweeps have found that belongs to nobody, and whose turn it is to look.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Nothing is deleted that was not seen by an earlier sweep too.
    """
    CREATE TABLE sweep_findings (
        kind          text NOT NULL,
        key           text COLLATE "C" NOT NULL,
        first_seen_at timestamptz NOT NULL,
        last_seen_at  timestamptz NOT NULL,
        PRIMARY KEY (kind, key)
    )
    """,
    # One row: the sweep that runs, or ran last. A node that dies in the middle loses its turn when its lease is over.
    """
    CREATE TABLE sweep_turn (
        one         boolean PRIMARY KEY DEFAULT true CHECK (one),
        holder      text NOT NULL,
        began_at    timestamptz NOT NULL,
        lease_until timestamptz NOT NULL
    )
    """,
    # Recordings in the order in which a store lists their folders.
    """
    CREATE INDEX recordings_folders ON recordings ((data #>> '{prefix,0}'), (data #>> '{prefix,1}') COLLATE "C")
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
