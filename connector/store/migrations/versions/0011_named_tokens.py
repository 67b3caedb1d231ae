"""Tokens have a name, an end and a last use. One of an earlier release has none of them yet: it ends a year after it
was made. A process of the release before goes on making and reading tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Three columns."""
    op.add_column("console_token", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    op.add_column("console_token", sa.Column("until", sa.BigInteger(), nullable=True))
    op.add_column("console_token", sa.Column("used", sa.BigInteger(), nullable=True))
