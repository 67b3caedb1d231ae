"""What several machines share: requests sent and pauses asked for, leases, and which look owns a write."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Three tables and two columns. The table of budgets was never read."""
    op.drop_table("budget")
    op.create_table(
        "pause",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "bucket", name=op.f("pk_pause")),
    )
    op.create_table(
        "spent",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "bucket", "at", name=op.f("pk_spent")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.add_column("ticket", sa.Column("looks", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("write", sa.Column("look", sa.BigInteger(), nullable=False, server_default="0"))
