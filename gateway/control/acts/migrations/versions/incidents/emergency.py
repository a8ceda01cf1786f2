"""Incidents, and which of them held a message"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", Whole, nullable=False),
        sa.Column("scope", Storable(8), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("freeze", sa.Boolean(), nullable=False),
        sa.Column("pace_ms", Whole, nullable=False),
        sa.Column("level", Whole, nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("reason", Storable(256), nullable=False),
        sa.Column("opened_by", Storable(64), nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("begun_at", Whole, nullable=False),
        sa.Column("ends_at", Whole, nullable=False),
        sa.Column("ended_at", Whole, nullable=False),
        sa.Column("ended_by", Storable(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_ended_at", ["ended_at", "id"], unique=False)
    op.add_column("held", sa.Column("incident", Whole, nullable=False, server_default="0"))
    with op.batch_alter_table("held", schema=None) as batch_op:
        batch_op.create_index("ix_held_incident", ["incident", "state", "message_id"], unique=False)
