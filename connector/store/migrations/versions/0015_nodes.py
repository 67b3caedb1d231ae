"""What each process of a fleet knows of itself, for those that show it; and when a policy text last was in force."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """One table and one column."""
    op.create_table(
        "node",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("failing", sa.Text(), nullable=False),
        sa.Column("skews", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.add_column("policy_text", sa.Column("last_ran", sa.BigInteger(), nullable=True))
