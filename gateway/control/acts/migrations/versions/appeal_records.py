"""What happens to appeals is told to the journal"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What happened before is not told any more.
    op.add_column("appeal_events", sa.Column("journalled", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("ix_appeal_events_journalled", "appeal_events", ["journalled"])
