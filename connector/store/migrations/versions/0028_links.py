"""Links in messages with which people act: of each what it is bound to and the digest of its word, never the word. A
process of the release before makes none and knows none."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "link",
        sa.Column("digest", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("verb", "account", "ticket", "policy", "episode", "level", "channel", "person")
        ),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name="pk_link"),
    )
    op.create_index("ix_link_until", "link", ["until"])
    op.create_index("ix_link_ticket", "link", ["account", "ticket"])
