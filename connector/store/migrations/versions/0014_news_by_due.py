"""When a level may be due on a ticket of which there is news, so that the most overdue is looked at first."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """One column."""
    op.add_column("inbox", sa.Column("due", sa.BigInteger(), nullable=True))
