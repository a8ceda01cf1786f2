"""Messages that were taken down come back"""

import sqlalchemy as sa
from alembic import op

from gateway.control.acts.columns import Storable

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("takedowns", sa.Column("restoration", Storable(36), nullable=False, server_default=""))
