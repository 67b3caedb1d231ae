"""The migrations make exactly the tables that the questions are asked of, and both databases know them."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from connector.store.migrate import configuration
from connector.store.schema import HEAD, metadata


def test_migrations_and_tables_agree(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []


def test_the_head_named_in_the_code_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]


def test_every_table_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert f"CREATE TABLE {dialect.identifier_preparer.format_table(table)}" in str(
            CreateTable(table).compile(dialect=dialect)
        )
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect)).startswith("CREATE INDEX")


def test_open_rows_are_found_by_their_own_index(connection: Connection) -> None:
    plan = connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT id FROM inbox WHERE account = 'a' AND ticket = '1' AND done_at IS NULL"
    )
    assert "ix_inbox_open" in str(plan.all())
