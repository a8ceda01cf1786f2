"""The first schema: people, what is in force, acts and their outbox"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("sender", Storable(256), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("verified_until", Whole, nullable=False),
        sa.Column("credit", Whole, nullable=False),
        sa.CheckConstraint("credit BETWEEN 0 AND 100", name=op.f("ck_accounts_credit")),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_accounts")),
    )
    op.create_table(
        "acts",
        sa.Column("id", Whole, nullable=False),
        sa.Column("uid", Storable(36), nullable=False),
        sa.Column("person", Storable(64), nullable=False),
        sa.Column("reason", Storable(256), nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.Column("kind", Storable(32), nullable=False),
        sa.Column("subject", Storable(320), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("undoes", Whole, nullable=True),
        sa.Column("undone_by", Whole, nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["acts.id"], name=op.f("fk_acts_undoes")),
        sa.ForeignKeyConstraint(["undone_by"], ["acts.id"], name=op.f("fk_acts_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sa.UniqueConstraint("uid", name=op.f("uq_acts_uid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("acts", schema=None) as batch_op:
        batch_op.create_index("ix_acts_kind_id", ["kind", "id"], unique=False)

    op.create_table(
        "blocks",
        sa.Column("id", Whole, nullable=False),
        sa.Column("scope", Storable(16), nullable=False),
        sa.Column("value", Storable(256), nullable=False),
        sa.Column("reason", Storable(256), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("expires_at", Whole, nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("scope", "value", name=op.f("uq_blocks_scope")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "marks",
        sa.Column("name", Storable(32), nullable=False),
        sa.Column("value", Whole, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "people",
        sa.Column("name", Storable(64), nullable=False),
        sa.Column("token_hash", Storable(64), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_people")),
    )
    op.create_table(
        "rooms",
        sa.Column("room", Storable(256), nullable=False),
        sa.Column("status", Storable(16), nullable=False),
        sa.Column("interval_ms", Whole, nullable=False),
        sa.PrimaryKeyConstraint("room", name=op.f("pk_rooms")),
    )
    op.create_table(
        "switches",
        sa.Column("id", Whole, nullable=False),
        sa.Column("kind", Storable(16), nullable=False),
        sa.Column("scope", Storable(8), nullable=False),
        sa.Column("value", Storable(256), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switches")),
        sa.UniqueConstraint("kind", "scope", "value", name=op.f("uq_switches_kind")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "urgent_words",
        sa.Column("id", Whole, nullable=False),
        sa.Column("word", Storable(128), nullable=False),
        sa.Column("ground", Storable(256), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_words")),
        sa.UniqueConstraint("word", name=op.f("uq_urgent_words_word")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "words",
        sa.Column("id", Whole, nullable=False),
        sa.Column("list", Storable(64), nullable=False),
        sa.Column("line", Storable(1024), nullable=False),
        sa.Column("effect", Storable(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_words")),
        sa.UniqueConstraint("list", "line", name=op.f("uq_words_list")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("words", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_words_list"), ["list"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("act_id", Whole, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("acknowledged_journal", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_state", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["acts.id"], name=op.f("fk_outbox_act_id")),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_acknowledged", ["acknowledged_journal", "acknowledged_state"], unique=False)
