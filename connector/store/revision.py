"""Which migration a database stands at."""

from sqlalchemy import Connection


def revision(connection: Connection) -> str | None:
    """Where the database stands, or None before its first migration."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
