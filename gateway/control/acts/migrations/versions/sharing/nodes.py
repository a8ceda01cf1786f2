"""The nodes that share a database, and what one of them has for itself for a while"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nodes",
        sa.Column("number", Whole, autoincrement=False, nullable=False),
        sa.Column("folder", Storable(36), nullable=False),
        sa.Column("place", Storable(512), nullable=False),
        sa.Column("address", Storable(256), nullable=False),
        sa.Column("version", Storable(64), nullable=False),
        sa.Column("generation", Whole, nullable=False),
        sa.Column("compiled", Storable(64), nullable=False),
        sa.Column("since", Whole, nullable=False),
        sa.Column("seen", Whole, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_nodes")),
        sa.UniqueConstraint("folder", name=op.f("uq_nodes_folder")),
    )
    op.create_table(
        "leases",
        sa.Column("name", Storable(32), nullable=False),
        sa.Column("holder", Storable(64), nullable=False),
        sa.Column("until", Whole, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
