"""Decisions that a second person makes once more, unseen"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_samples",
        sa.Column("id", Whole, nullable=False),
        sa.Column("case_id", Whole, nullable=False),
        sa.Column("drawn_at", Whole, nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("first_by", Storable(64), nullable=False),
        sa.Column("first_outcome", Storable(16), nullable=False),
        sa.Column("first_ground", Storable(256), nullable=False),
        sa.Column("claimed_by", Storable(64), nullable=False),
        sa.Column("claimed_until", Whole, nullable=False),
        sa.Column("outcome", Storable(16), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("decided_by", Storable(64), nullable=False),
        sa.Column("decided_at", Whole, nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("differs", Storable(8), nullable=False),
        sa.Column("settled_by", Storable(64), nullable=False),
        sa.Column("settled_at", Whole, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_samples_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_samples")),
        sa.UniqueConstraint("case_id", name=op.f("uq_case_samples_case_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_case_samples_state", "case_samples", ["state", "id"])
    op.create_index("ix_case_samples_claimed_by", "case_samples", ["claimed_by", "state"])
    op.create_index("ix_case_samples_decided_at", "case_samples", ["decided_at"])
    op.create_index("ix_case_samples_disagreed", "case_samples", ["differs", "settled_at", "id"])
