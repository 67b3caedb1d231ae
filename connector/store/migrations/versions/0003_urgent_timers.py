"""Timers say whether a deadline waits behind them, or back-fill that was put off."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One column; what stands there was set for deadlines."""
    op.add_column("timer", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.true()))
