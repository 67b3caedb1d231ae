"""At rest, what a tick and a sweep read does not grow with the number of open tickets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.store import inbox, tickets
from connector.store.database import Store
from tests.connector.engine.engines import NOW, fleet
from tests.connector.store.samples import a_ticket
from tests.connector.stores import fresh_store

READ = text("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables")
MANY = 1500


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store("postgresql", tmp_path) as store:
        yield store


def fill(store: Store, first: int) -> None:
    """So many more open tickets, each with a timer that is far away."""
    more = [a_ticket(str(number)) for number in range(first, first + MANY)]
    with store.writing() as connection:
        tickets.record_snapshots(connection, more, NOW)
        for ticket in more:
            inbox.start_timer(connection, ticket.ref, NOW + 86400, "level")
    with store.writing() as connection:
        connection.execute(text("ANALYZE"))


def rows_read(store: Store) -> int:
    """How many rows five ticks and five sweeps read."""
    engine = fleet(store)
    counts = []
    for work in (lambda: None, lambda: [(engine.tick(), engine.sweep()) for _ in range(5)]):
        work()
        with store.writing() as connection:
            connection.execute(text("SELECT pg_stat_force_next_flush()"))
        with store.writing() as connection:
            connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            counts.append(int(connection.execute(READ).scalar_one()))
    return counts[1] - counts[0]


def test_twice_as_many_open_tickets_cost_nothing_at_rest(store: Store) -> None:
    fill(store, 1)
    before = rows_read(store)
    fill(store, 1 + MANY)
    assert rows_read(store) <= before + 100
    assert before < MANY
