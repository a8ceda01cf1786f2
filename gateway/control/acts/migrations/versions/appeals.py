"""Appeals and their traces"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", Whole, nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("code", Storable(10), nullable=False),
        sa.Column("route", Storable(64), nullable=False),
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("standing", Storable(16), nullable=False),
        sa.Column("check", Storable(32), nullable=False),
        sa.Column("reason", Storable(64), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("category", Storable(64), nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("filed_at", Whole, nullable=False),
        sa.Column("due_at", Whole, nullable=False),
        sa.Column("closed_at", Whole, nullable=False),
        sa.Column("language", Storable(2), nullable=False),
        sa.Column("statement", Storable(2000), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=True),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("case_id", Whole, nullable=True),
        sa.Column("answer", Storable(1000), nullable=False),
        sa.Column("answer_ground", Storable(256), nullable=False),
        sa.Column("decided_by", Storable(64), nullable=False),
        sa.Column("same_person", sa.Boolean(), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("redress", Storable(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("message_id", name=op.f("uq_appeals_message_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_appeals_case_id", "appeals", ["case_id"])
    op.create_index("ix_appeals_closed_at", "appeals", ["closed_at"])
    op.create_index("ix_appeals_code", "appeals", ["code"])
    op.create_index("ix_appeals_state_due_at", "appeals", ["state", "due_at"])
    op.create_table(
        "appeal_events",
        sa.Column("id", Whole, nullable=False),
        sa.Column("appeal_id", Whole, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("event", Storable(16), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_events_appeal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_appeal_events_appeal_id", "appeal_events", ["appeal_id", "id"])


def downgrade() -> None:
    op.drop_table("appeal_events")
    op.drop_table("appeals")
