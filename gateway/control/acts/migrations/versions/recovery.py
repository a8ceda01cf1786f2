"""Credits that come back with time"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recovering",
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("credit", Whole, nullable=False),
        sa.Column("since", Whole, nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_recovering")),
    )
