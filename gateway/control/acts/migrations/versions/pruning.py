"""What refers to an act is found without looking at all of them, so that old ones can be pruned"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_acts_undoes", "acts", ["undoes"])
    op.create_index("ix_acts_undone_by", "acts", ["undone_by"])
