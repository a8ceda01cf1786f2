"""Cases: what waits for a person, why, and what happened to it; accounts at the platform that people here own"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", Whole, nullable=False),
        sa.Column("kind", Storable(16), nullable=False),
        sa.Column("message_id", Storable(36), nullable=False),
        sa.Column("open_as", Storable(64), nullable=True),
        sa.Column("route", Storable(64), nullable=False),
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("category", Storable(64), nullable=False),
        sa.Column("fingerprint", Storable(16), nullable=False),
        sa.Column("opened_at", Whole, nullable=False),
        sa.Column("due_at", Whole, nullable=False),
        sa.Column("expires_at", Whole, nullable=False),
        sa.Column("state", Storable(16), nullable=False),
        sa.Column("desk", Storable(16), nullable=False),
        sa.Column("version", Whole, nullable=False),
        sa.Column("claimed_by", Storable(64), nullable=False),
        sa.Column("claimed_until", Whole, nullable=False),
        sa.Column("last_holder", Storable(64), nullable=False),
        sa.Column("read_version", Whole, nullable=False),
        sa.Column("barred", sa.JSON(), nullable=False),
        sa.Column("proposed_by", Storable(64), nullable=False),
        sa.Column("proposed_outcome", Storable(16), nullable=False),
        sa.Column("proposed_ground", Storable(256), nullable=False),
        sa.Column("outcome", Storable(16), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("decided_by", Storable(64), nullable=False),
        sa.Column("decided_at", Whole, nullable=False),
        sa.Column("effective_at", Whole, nullable=False),
        sa.Column("act_uid", Storable(36), nullable=False),
        sa.Column("closed_at", Whole, nullable=False),
        sa.Column("tell", Storable(64), nullable=False),
        sa.Column("reopens", Whole, nullable=True),
        sa.ForeignKeyConstraint(["reopens"], ["cases.id"], name=op.f("fk_cases_reopens")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("open_as", name=op.f("uq_cases_open_as")),
        sqlite_autoincrement=True,
    )
    for name, columns in (
        ("ix_cases_queue", ["state", "desk", "due_at", "id"]),
        ("ix_cases_state_due_at", ["state", "due_at", "id"]),
        ("ix_cases_route_queue", ["route", "state", "desk", "due_at", "id"]),
        ("ix_cases_claimed_by", ["claimed_by", "id"]),
        ("ix_cases_tell", ["tell", "id"]),
        ("ix_cases_state_claimed_until", ["state", "claimed_until"]),
        ("ix_cases_state_effective_at", ["state", "effective_at"]),
        ("ix_cases_sender", ["sender", "state", "due_at", "id"]),
        ("ix_cases_fingerprint", ["fingerprint", "state", "due_at", "id"]),
        ("ix_cases_message_id", ["message_id", "id"]),
        ("ix_cases_closed_at", ["closed_at"]),
        ("ix_cases_reopens", ["reopens"]),
    ):
        op.create_index(name, "cases", columns)
    op.create_table(
        "case_causes",
        sa.Column("id", Whole, nullable=False),
        sa.Column("case_id", Whole, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("cause", Storable(16), nullable=False),
        sa.Column("reference", Storable(64), nullable=False),
        sa.Column("category", Storable(64), nullable=False),
        sa.Column("reason", Storable(64), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("answer", Storable(16), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_causes_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_causes")),
        sa.UniqueConstraint("case_id", "cause", "reference", name=op.f("uq_case_causes_case_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "case_events",
        sa.Column("id", Whole, nullable=False),
        sa.Column("case_id", Whole, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("event", Storable(16), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("note", Storable(512), nullable=False),
        sa.Column("outcome", Storable(16), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_case_events_case_id", "case_events", ["case_id", "id"])
    op.create_table(
        "own_senders",
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_own_senders")),
    )
    op.create_index("ix_own_senders_person", "own_senders", ["person"])
