"""What a lead writes for the next one"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shift_notes",
        sa.Column("id", Whole, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("note", Storable(2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_notes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shift_notes_at", "shift_notes", ["at"])
