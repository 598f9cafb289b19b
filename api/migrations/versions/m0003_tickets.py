"""By which ticket of the queue a job was taken, and jobs by state."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give jobs their ticket."""
    op.add_column("jobs", sa.Column("ticket", sa.String()))
    op.create_index("jobs_by_state", "jobs", ["state", "created_s"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("jobs_by_state", "jobs")
    op.drop_column("jobs", "ticket")
