"""When pauses, holds and backoffs began, so that one can be cut to its length when the clock was set back."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Three columns, empty for what stands there, and where they are looked for."""
    for table in ("pause", "timer", "notice"):
        op.add_column(table, sa.Column("since", sa.BigInteger()))
    for table in ("timer", "notice"):
        known = sa.text("since IS NOT NULL")
        op.create_index(f"ix_{table}_since", table, ["since"], sqlite_where=known, postgresql_where=known)
    tried = sa.text("next_try IS NOT NULL")
    op.create_index("ix_write_next_try", "write", ["sent_at"], sqlite_where=tried, postgresql_where=tried)
