"""The trace a job belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give jobs the request that made them."""
    op.add_column("jobs", sa.Column("traceparent", sa.String()))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("jobs", "traceparent")
