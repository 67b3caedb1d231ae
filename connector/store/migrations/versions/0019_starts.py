"""Since when a policy is enforced on an account, and how far its start there has come.

What ran before this version counts as having run if it is enforced when this version first takes it up."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Two columns. Which policies are enforced, the config says: they are marked when it is read."""
    op.add_column("first_run", sa.Column("enforced", sa.BigInteger(), nullable=True))
    op.add_column("first_run", sa.Column("stage", sa.Text(), nullable=False, server_default="observed"))
    op.execute("UPDATE first_run SET stage = 'before'")
