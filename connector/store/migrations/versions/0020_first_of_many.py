"""What is owed a look, the open writes and who has how many open tickets are found by an index of their own, however
much stands beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """One column, filled by what stands beside it, and four indexes in place of one."""
    op.add_column("inbox", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(
        sa.text(
            "UPDATE inbox SET due = coalesce(due, received_at), urgent = kind NOT IN ('poll', 'census', 'known') "
            "WHERE done_at IS NULL"
        )
    )
    create("ix_inbox_next", "inbox", ["account", "urgent", "due", "id"], "done_at IS NULL")
    op.create_index("ix_timer_next", "timer", ["account", "urgent", "due"])
    is_open = "state IN ('planned', 'sending', 'unknown')"
    create("ix_write_open", "write", ["account", "ticket", "planned_at"], is_open)
    is_open = "status NOT IN ('solved', 'closed') AND gone IS NULL"
    create("ix_ticket_open", "ticket", ["account", "assignee"], is_open)
    op.drop_index("ix_ticket_assignee", "ticket")


def create(name: str, table: str, columns: list[str], rows: str) -> None:
    """An index over these rows alone."""
    op.create_index(name, table, columns, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
