"""How many messages of an account a person approved"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Whole

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("approved", Whole, nullable=False, server_default="0"))
        batch_op.create_check_constraint(op.f("ck_accounts_approved"), "approved BETWEEN 0 AND 100")
