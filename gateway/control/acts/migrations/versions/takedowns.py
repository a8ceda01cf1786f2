"""Takedowns, their deletions and traces, and the texts that are refused as copies"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "takedowns",
        sa.Column("id", Whole, nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("upstream_id", Storable(256), nullable=False),
        sa.Column("route", Storable(64), nullable=False),
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("reason", Storable(256), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedowns")),
        sa.UniqueConstraint("message_id", name=op.f("uq_takedowns_message_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "copies",
        sa.Column("id", Whole, nullable=False),
        sa.Column("fingerprint", Storable(16), nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("expires_at", Whole, nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_copies_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deletions",
        sa.Column("takedown_id", Whole, nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("due_at", Whole, nullable=False),
        sa.Column("confirm_by", Whole, nullable=False),
        sa.Column("tries", Whole, nullable=False),
        sa.ForeignKeyConstraint(["takedown_id"], ["takedowns.id"], name=op.f("fk_deletions_takedown_id")),
        sa.PrimaryKeyConstraint("takedown_id", name=op.f("pk_deletions")),
    )
    with op.batch_alter_table("deletions", schema=None) as batch_op:
        batch_op.create_index("ix_deletions_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "takedown_events",
        sa.Column("id", Whole, nullable=False),
        sa.Column("takedown_id", Whole, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("event", Storable(16), nullable=False),
        sa.Column("status", Whole, nullable=True),
        sa.Column("problem", Storable(64), nullable=False),
        sa.Column("journalled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["takedown_id"], ["takedowns.id"], name=op.f("fk_takedown_events_takedown_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedown_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("takedown_events", schema=None) as batch_op:
        batch_op.create_index("ix_takedown_events_journalled", ["journalled"], unique=False)
        batch_op.create_index(batch_op.f("ix_takedown_events_takedown_id"), ["takedown_id"], unique=False)
