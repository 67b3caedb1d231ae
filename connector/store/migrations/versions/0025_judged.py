"""What the last look at a ticket came to is kept as values, not in words: the words of looks before cannot be read as
such, and say so (`null`) until the ticket is looked at again. Lines of the ledger keep theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

STOPS_OLDER = True
"""A release before would read values as words, and fail."""


def upgrade() -> None:
    """No column changes."""
    op.execute(sa.text("UPDATE ticket SET trace = 'null' WHERE trace <> '[]'"))
