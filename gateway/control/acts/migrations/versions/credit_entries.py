"""What a message cost its sender's credit, and what gave that back"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credit_entries",
        sa.Column("id", Whole, nullable=False),
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("points", Whole, nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("reverses", Whole, nullable=True),
        sa.ForeignKeyConstraint(["reverses"], ["credit_entries.id"], name=op.f("fk_credit_entries_reverses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entries")),
        sa.UniqueConstraint("reverses", name=op.f("uq_credit_entries_reverses")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_credit_entries_sender", "credit_entries", ["sender", "id"])
    op.create_index("ix_credit_entries_message_id", "credit_entries", ["message_id"])
    op.create_index("ix_credit_entries_at", "credit_entries", ["at"])
