"""Nodes and their leases: a meeting is owned as long as its owner's lease holds.

A server of the version before has no row here: what it owns is free to this version's, which is no less safe than it was.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One heartbeat a node (recipe 3.2). `url` is for forwarding; nothing writes it yet.
    """
    CREATE TABLE nodes (
        node        text PRIMARY KEY,
        process     text NOT NULL,
        incarnation bigint NOT NULL,
        url         text,
        lease_until timestamptz NOT NULL
    ) WITH (fillfactor = 50)
    """,
    # Of all nodes together, so that a number is never used twice, whatever becomes of the rows.
    "CREATE SEQUENCE incarnations",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
