"""Which words of which lists were found in what a case is about"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_hits",
        sa.Column("case_id", Whole, autoincrement=False, nullable=False),
        sa.Column("list", Storable(64), nullable=False),
        sa.Column("word", Whole, autoincrement=False, nullable=False),
        sa.Column("at", Whole, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_hits_case_id")),
        sa.PrimaryKeyConstraint("case_id", "list", "word", name=op.f("pk_case_hits")),
    )
    op.create_index("ix_case_hits_list_word_at", "case_hits", ["list", "word", "at"])
    op.create_index("ix_case_hits_at", "case_hits", ["at"])
