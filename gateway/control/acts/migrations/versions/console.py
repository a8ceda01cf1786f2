"""Passwords, sessions at the console, how people want to have it, and what somebody has decided today"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("encoded", Storable(256), nullable=False),
        sa.Column("set_at", Whole, nullable=False),
        sa.Column("once", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_passwords")),
    )
    op.create_table(
        "console_sessions",
        sa.Column("digest", Storable(64), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("opened_at", Whole, nullable=False),
        sa.Column("seen_at", Whole, nullable=False),
        sa.Column("ends_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_console_sessions")),
    )
    op.create_index("ix_console_sessions_person", "console_sessions", ["person"])
    op.create_table(
        "console_choices",
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("language", Storable(8), nullable=False),
        sa.Column("theme", Storable(8), nullable=False),
        sa.Column("declined", sa.JSON(), nullable=False),
        sa.Column("cap", Whole, nullable=False),
        sa.Column("rest", Whole, nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_console_choices")),
    )
    op.create_index("ix_case_events_person_at", "case_events", ["person", "at"])


def downgrade() -> None:
    op.drop_index("ix_case_events_person_at", "case_events")
    op.drop_table("console_choices")
    op.drop_table("console_sessions")
    op.drop_table("passwords")
