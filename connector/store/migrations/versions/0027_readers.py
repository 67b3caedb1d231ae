"""Users may choose the zone and the language in which pages tell them; empty is as the browser says. A process of the
release before goes on making and reading users."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Two columns."""
    for name in ("zone", "language"):
        op.add_column("console_user", sa.Column(name, sa.Text(), nullable=False, server_default=""))
