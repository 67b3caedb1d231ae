"""Tickets can be counted by who asked and when, so that policies see a customer who writes again and again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

FROM_FACTS = {
    "sqlite": """
        UPDATE ticket SET requester = json_extract(facts, '$.requester.id'),
            organization = CASE WHEN json_extract(facts, '$.partial') THEN NULL
                ELSE json_extract(facts, '$.organization') END,
            created = json_extract(facts, '$.created')
    """,
    "postgresql": """
        UPDATE ticket SET requester = facts::json -> 'requester' ->> 'id',
            organization = CASE WHEN (facts::json ->> 'partial')::boolean THEN NULL
                ELSE facts::json ->> 'organization' END,
            created = (facts::json ->> 'created')::bigint
    """,
}


def upgrade() -> None:
    """Three columns, filled from the facts that stand beside them, and an index for each question."""
    op.add_column("ticket", sa.Column("requester", sa.Text()))
    op.add_column("ticket", sa.Column("organization", sa.Text()))
    op.add_column("ticket", sa.Column("created", sa.BigInteger()))
    op.execute(FROM_FACTS[op.get_bind().dialect.name])
    op.create_index("ix_ticket_requester", "ticket", ["account", "requester", "created"])
    op.create_index("ix_ticket_organization", "ticket", ["account", "organization", "created"])
