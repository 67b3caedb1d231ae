"""Tickets can be counted by who has them, so that work goes to who has least."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

FROM_FACTS = {
    "sqlite": "UPDATE ticket SET assignee = json_extract(facts, '$.assignee.id')",
    "postgresql": "UPDATE ticket SET assignee = facts::json -> 'assignee' ->> 'id'",
}


def upgrade() -> None:
    """One column, filled from the facts that stand beside it, and its index."""
    op.add_column("ticket", sa.Column("assignee", sa.Text()))
    op.execute(FROM_FACTS[op.get_bind().dialect.name])
    op.create_index("ix_ticket_assignee", "ticket", ["account", "assignee", "status"])
