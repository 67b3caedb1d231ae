"""How often an account's directory was kept, so that nobody decodes it again before it has changed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """One column."""
    op.add_column("directory", sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"))
