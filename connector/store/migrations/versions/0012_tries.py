"""How often a write was tried, when it is tried again, and what of it the helpdesk refused."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Three columns."""
    op.add_column("write", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("write", sa.Column("next_try", sa.BigInteger(), nullable=True))
    op.add_column("write", sa.Column("missing", sa.Text(), nullable=False, server_default="[]"))
