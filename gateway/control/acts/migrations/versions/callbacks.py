"""Calls to others, how far each receiver was told, and what somebody on call was called for"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", Whole, nullable=False),
        sa.Column("uid", Storable(36), nullable=False),
        sa.Column("receiver", Storable(64), nullable=False),
        sa.Column("event", Storable(32), nullable=False),
        sa.Column("subject", Storable(80), nullable=False),
        sa.Column("sequence", Whole, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("since", Whole, nullable=False),
        sa.Column("state", Storable(8), nullable=False),
        sa.Column("changed_at", Whole, nullable=False),
        sa.Column("due_at", Whole, nullable=False),
        sa.Column("tries", Whole, nullable=False),
        sa.Column("status", Whole, nullable=True),
        sa.Column("problem", Storable(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("uid", name=op.f("uq_callbacks_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_callbacks_state_changed_at", "callbacks", ["state", "changed_at"])
    op.create_index("ix_callbacks_state_receiver_due_at", "callbacks", ["state", "receiver", "due_at"])
    op.create_index("ix_callbacks_subject_receiver", "callbacks", ["subject", "receiver", "state", "id"])
    op.create_table(
        "callback_cursors",
        sa.Column("receiver", Storable(64), nullable=False),
        sa.Column("held", Whole, nullable=False),
        sa.Column("appeals", Whole, nullable=False),
        sa.Column("acts", Whole, nullable=False),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_callback_cursors")),
    )
    op.create_table(
        "on_call_topics",
        sa.Column("topic", Storable(96), nullable=False),
        sa.Column("called_at", Whole, nullable=False),
        sa.Column("folded", Whole, nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_on_call_topics")),
    )
