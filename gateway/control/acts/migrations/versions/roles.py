"""Roles of people, tokens of machines, and which of these did an act

Whoever is here already could do everything, and goes on so: as an admin whom nobody has given that role. An older
program that works with this schema makes people of the same kind.
"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable, Whole

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("roles", sa.JSON(), nullable=False, server_default='["admin"]'))
    op.add_column("people", sa.Column("roles_given", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("acts", sa.Column("token", Storable(64), nullable=True))
    op.create_table(
        "tokens",
        sa.Column("name", Storable(64), nullable=False),
        sa.Column("token_hash", Storable(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_by", Storable(64), nullable=False),
        sa.Column("created_at", Whole, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
    )
