"""The metrics count what is not settled each time they are asked: without reading every recording there ever was.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX recordings_unsettled ON recordings (state, created_at) WHERE status = 'processing'")
