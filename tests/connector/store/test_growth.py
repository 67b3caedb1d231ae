"""What every look and every tick asks stays as cheap as it was, however much is due, open or known beside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, text

from connector.store import codec, inbox, schema, tickets
from connector.store.database import Store
from connector.store.due import COUNTED as SO_FAR
from connector.store.due import DuePage, due_page
from connector.store.inbox import SWEEP_PER_ACCOUNT, TICK_PER_ACCOUNT
from policies.model import Person
from tests.connector.store.samples import a_ticket

NOW = 1_000_000
FEW, MANY = 500, 50_000
SLOWER = 4
"""A hundred times as much may cost this much more: a deeper index, and nothing that is read in full."""

COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) SELECT"


def run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def fill_timers(connection: Connection, many: int, account: str = "acme") -> None:
    """Every tenth of them is not due yet, every third is back-fill."""
    run(
        connection,
        f"INSERT INTO timer (account, ticket, due, why, holds, urgent) {COUNTED.format(many=many)} "
        f"'{account}', CAST(i AS TEXT), CASE WHEN i % 10 = 0 THEN {NOW + 60} ELSE {NOW} - i END, "
        f"'level', false, i % 3 != 0 FROM n",
    )


def fill_news(connection: Connection, many: int) -> None:
    """Of every ticket two rows, and of every third one only back-fill."""
    for each in ("first", "second"):
        run(
            connection,
            "INSERT INTO inbox (account, delivery, ticket, kind, hint, received_at, due, urgent) "
            f"{COUNTED.format(many=many)} 'acme', '{each}' || i, CAST(i AS TEXT), 'poll', '', {NOW} - i, "
            f"{NOW} - i, i % 3 != 0 FROM n",
        )


def fill_writes(connection: Connection, many: int, state: str) -> None:
    run(
        connection,
        'INSERT INTO "write" (key, account, ticket, episodes, policy, level, place, state, attempt, request, '
        f"planned_at) {COUNTED.format(many=many)} '{state}' || i, 'acme', CAST(i AS TEXT), '[]', 'p', 'L1', 1, "
        f"'{state}', 0, '{{}}', {NOW} - i FROM n",
    )


def fill_tickets(connection: Connection, many: int) -> None:
    """A hundred people have them, nine in ten are solved; ten requesters, of whom each has one a minute."""
    run(
        connection,
        "INSERT INTO ticket (account, id, facts, trace, revision, status, updated, seen_at, matched, assignee, "
        f"requester, organization, created) {COUNTED.format(many=many)} 'acme', CAST(i AS TEXT), '{{}}', '[]', 'r', "
        f"CASE WHEN i % 10 = 0 THEN 'open' ELSE 'solved' END, 1, 1, false, CAST(i / 10 % 100 AS TEXT), "
        f"CAST(i % 10 AS TEXT), CAST(i % 10 AS TEXT), {NOW} - i * 6 FROM n",
    )


@contextmanager
def asked(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that this connection runs meanwhile, and what they ask with."""
    told: list[tuple[str, Any]] = []

    def ran(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        told.append((statement, values))

    event.listen(connection, "before_cursor_execute", ran)
    try:
        yield told
    finally:
        event.remove(connection, "before_cursor_execute", ran)


def plans(connection: Connection, question: Callable[[], object]) -> list[str]:
    """How the database goes about each statement of this question."""
    is_file = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("ANALYZE")
    with asked(connection) as told:
        question()
    how = "EXPLAIN QUERY PLAN" if is_file else "EXPLAIN"
    return [
        "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{how} {statement}", values))
        for statement, values in told
    ]


def reads_in_full(plan: str, table: str) -> bool:
    """Whether this plan goes through the table, or through one of its indexes, from end to end."""
    lines = [line.strip() for line in plan.splitlines()]
    return any(f"Seq Scan on {table}" in line or line.startswith(f"SCAN {table}") for line in lines)


def test_timers_that_are_due_are_found_by_their_index(connection: Connection) -> None:
    fill_timers(connection, 20_000)
    found = plans(connection, lambda: inbox.with_due_timer(connection, NOW, TICK_PER_ACCOUNT))
    assert len(found) == 2, "urgent ones fill the slice"
    assert "ix_timer_next" in found[1]
    assert "Sort" not in found[1], found[1]
    assert "TEMP B-TREE" not in found[1], found[1]
    assert not any(reads_in_full(each, "timer") for each in found), found


def test_news_is_found_by_its_index(connection: Connection) -> None:
    fill_news(connection, 10_000)
    found = plans(connection, lambda: inbox.with_news(connection, NOW, 100))
    assert "ix_inbox_next" in found[1]
    assert not any(reads_in_full(each, "inbox") for each in found), found


def test_open_writes_are_found_beside_all_that_were_done(connection: Connection) -> None:
    fill_writes(connection, 20_000, "done")
    fill_writes(connection, 10, "unknown")
    found = plans(connection, lambda: inbox.with_open_write(connection, NOW, SWEEP_PER_ACCOUNT))
    assert "ix_write_open" in found[0]
    assert "ix_write_open" in found[1] or "ix_write_state" in found[1], found[1]


def test_what_people_have_and_what_is_recent_is_counted_by_an_index(connection: Connection) -> None:
    fill_tickets(connection, 20_000)
    [found] = plans(connection, lambda: tickets.loads(connection, "acme", {"7", "8"}))
    assert "ix_ticket_open" in found
    of = a_ticket("1", requester=Person(id="1", name="Cleo"), organization="1")
    by_requester, by_organization = plans(connection, lambda: tickets.recent(connection, of, NOW - 600))
    assert "ix_ticket_requester" in by_requester
    assert "ix_ticket_organization" in by_organization
    assert not any(reads_in_full(each, "ticket") for each in (found, by_requester, by_organization))


STANDING = """
    'acme', CAST(i AS TEXT), 'p', '{{}}',
    {now} + CASE i % 5 WHEN 0 THEN -i WHEN 1 THEN -i WHEN 2 THEN -i WHEN 3 THEN i ELSE i END,
    CASE i % 5 WHEN 0 THEN {now} - i WHEN 1 THEN NULL WHEN 2 THEN {now} + i WHEN 3 THEN {now} + i END, NULL
"""
"""In turn what is overdue, asks somebody, waits for its hours, comes, and nobody knows when."""


def fill_coming(connection: Connection, many: int) -> None:
    """As many of each kind, a level a ticket; every hundredth is held."""
    series = COUNTED.format(many=many)
    facts = codec.dump_facts(a_ticket("1"))
    connection.execute(
        text(
            "INSERT INTO ticket (account, id, facts, trace, revision, status, updated, seen_at, matched) "
            f"{series} 'acme', CAST(i AS TEXT), :facts, '[]', 'r', 'open', 1, 1, true FROM n"
        ),
        {"facts": facts},
    )
    columns = "account, ticket, policy, memory, due, acts, coming"
    run(connection, f"INSERT INTO standing ({columns}) {series} {STANDING.format(now=NOW)} FROM n")
    run(
        connection,
        f"INSERT INTO hold (account, ticket, scope, why, since) {series} "
        f"'acme', CAST(i AS TEXT), 'ticket', 'a cap', {NOW} - i FROM n WHERE i % 100 = 2",
    )


def rows_of_plan(node: dict[str, Any]) -> int:
    """How many rows PostgreSQL went through by this part of a plan and all below it."""
    names = (
        "Actual Rows",
        "Rows Removed by Filter",
        "Rows Removed by Join Filter",
        "Rows Removed by Index Recheck",
    )
    own = sum(node.get(name, 0) for name in names) * node["Actual Loops"]
    return int(own) + sum(rows_of_plan(each) for each in node.get("Plans", ()))


def work(connection: Connection, question: Callable[[], object]) -> int:
    """How much the database does for this question: thousands of steps of SQLite, rows of PostgreSQL."""
    if connection.dialect.name == "sqlite":
        steps: list[int] = []
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.append(1), 1000)
        question()
        driver.set_progress_handler(None, 0)
        return len(steps)
    with asked(connection) as told:
        question()
    found = (
        connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
        for statement, values in told
    )
    return sum(rows_of_plan(each[0]["Plan"]) for each in found)


@pytest.mark.parametrize("asked_for", [{}, {"policy": "p"}, {"within": 600}, {"limit": 200, "offset": 400}])
def test_a_page_of_what_is_due_costs_what_it_shows(connection: Connection, asked_for: dict[str, Any]) -> None:
    def page() -> DuePage:
        return due_page(connection, NOW, names=("acme",), **asked_for)

    fill_coming(connection, 8000)
    connection.exec_driver_sql("ANALYZE")
    few = work(connection, page)
    for table in (schema.ticket, schema.standing, schema.hold):
        connection.execute(delete(table))
    fill_coming(connection, 32_000)
    connection.exec_driver_sql("ANALYZE")
    many = work(connection, page)
    assert page().counts["overdue"] == SO_FAR
    assert many < few * 1.2, (few, many)


def quickest(store: Store, question: Callable[[Connection], tuple[object, ...]], many: int) -> float:
    """Seconds that the question takes at best; it has so many answers."""
    spent = []
    with store.reading() as connection:
        for _ in range(5):
            began = time.perf_counter()
            found = question(connection)
            spent.append(time.perf_counter() - began)
            assert len(found) == many
    return min(spent)


def filled(store: Store, fill: Callable[..., None], *how: object) -> None:
    with store.writing() as connection:
        fill(connection, *how)
        connection.exec_driver_sql("ANALYZE")


def test_fifty_thousand_timers_due_at_once_are_taken_in_slices_that_cost_no_more(store: Store) -> None:
    def tick(connection: Connection) -> tuple[object, ...]:
        return inbox.with_due_timer(connection, NOW, TICK_PER_ACCOUNT)

    filled(store, fill_timers, FEW * 10 // 9)
    few = quickest(store, tick, FEW)
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM timer")
    filled(store, fill_timers, MANY)
    many = quickest(store, tick, TICK_PER_ACCOUNT)
    assert many < few * SLOWER, (few, many)


def test_a_slice_of_much_news_costs_little_more_than_one_of_little(store: Store) -> None:
    def sweep(connection: Connection) -> tuple[object, ...]:
        return inbox.with_news(connection, NOW, FEW)

    filled(store, fill_news, FEW)
    few = quickest(store, sweep, FEW)
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM inbox")
    filled(store, fill_news, MANY // 2)
    many = quickest(store, sweep, FEW)
    assert many < few * SLOWER, (few, many)


@pytest.mark.parametrize("state", ["done", "unknown"])
def test_a_slice_of_writes_costs_no_more_for_what_is_done(store: Store, state: str) -> None:
    filled(store, fill_writes, FEW, "planned")
    with store.reading() as connection:
        assert len(inbox.with_open_write(connection, NOW, 100)) == 100
    filled(store, fill_writes, 2000, state)
    with store.reading() as connection:
        found = inbox.with_open_write(connection, NOW, SWEEP_PER_ACCOUNT)
    assert len(found) == (FEW if state == "done" else 2000)
