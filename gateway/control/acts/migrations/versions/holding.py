"""Held messages with their traces and releases, and re-send tickets"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("case_id", Whole, nullable=True),
        sa.Column("route", Storable(64), nullable=False),
        sa.Column("surface", Storable(16), nullable=False),
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("edit", sa.Boolean(), nullable=False),
        sa.Column("reason", Storable(64), nullable=False),
        sa.Column("fingerprint", Storable(16), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("expires_at", Whole, nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("changed_at", Whole, nullable=False),
        sa.Column("due_at", Whole, nullable=False),
        sa.Column("since", Whole, nullable=False),
        sa.Column("tries", Whole, nullable=False),
        sa.Column("size", Whole, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=True),
        sa.Column("release", Storable(36), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("takedown_id", Whole, nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_held")),
    )
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.create_index("ix_held_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_held_state_expires_at", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_held_state_route_sender", ["state", "route", "sender"], unique=False)
        batch_op.create_index("ix_held_state_room", ["state", "room"], unique=False)
    op.create_table(
        "held_events",
        sa.Column("id", Whole, nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("event", Storable(16), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("status", Whole, nullable=True),
        sa.Column("problem", Storable(64), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("journalled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["held.message_id"], name=op.f("fk_held_events_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("held_events", schema=None) as batch_op:
        batch_op.create_index("ix_held_events_journalled", ["journalled"], unique=False)
        batch_op.create_index(batch_op.f("ix_held_events_message_id"), ["message_id"], unique=False)
    op.create_table(
        "releases",
        sa.Column("id", Storable(36), nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("status", Whole, nullable=True),
        sa.Column("problem", Storable(64), nullable=False),
        sa.Column("upstream_id", Storable(256), nullable=False),
        sa.Column("doubted", sa.Boolean(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["held.message_id"], name=op.f("fk_releases_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.create_index("ix_releases_told", ["told"], unique=False)
        batch_op.create_index(batch_op.f("ix_releases_message_id"), ["message_id"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("id", Whole, nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("route", Storable(64), nullable=False),
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("digest", Storable(32), nullable=False),
        sa.Column("state", Storable(8), nullable=False),
        sa.Column("spent_by", Storable(36), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.Column("expires_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("message_id", name=op.f("uq_tickets_message_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_state_expires_at", ["state", "expires_at"], unique=False)
