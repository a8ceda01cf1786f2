"""The database's own id, by which state knows whose it is"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "origin",
        sa.Column("id", Storable(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origin")),
    )
