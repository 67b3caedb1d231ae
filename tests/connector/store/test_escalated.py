"""The rows of what is escalated: found, counted and ordered by the database, on both kinds of it."""

from dataclasses import replace

from sqlalchemy import Connection

from connector.store import codec, escalated, holds
from connector.store.database import Store, put
from connector.store.escalated import AHEAD, ANSWERED, OBSERVED, OPEN, Escalated, Wanted, columns_of, keep
from connector.store.holds import Hold
from connector.store.schema import escalated as table
from policies.model import TicketRef
from tests.connector.work.test_statements import counted

NOW = 1_000_000
HOUR = 3600


def row(number: int, **more: object) -> Escalated:
    """One that is late, but for what is said."""
    made = Escalated(
        ref=TicketRef("acme", str(number)),
        subject=f"Subject {number}",
        link=f"https://acme.example/{number}",
        team="Tier 1",
        assignee="",
        policy="vip",
        more=(),
        level="Second line",
        owner="Tier 2",
        since=NOW - HOUR,
        at=NOW - 60,
        next_level="Duty managers",
        next_due=NOW - 60,
        awaiting="",
        acknowledged_by="",
        snoozed_until=None,
        waits_since=NOW - 2 * HOUR,
        observed=False,
        observes=False,
        rank=OPEN,
    )
    return replace(made, **more)  # type: ignore[arg-type]


ROWS = (
    row(1),
    row(2, at=NOW + 60, next_due=NOW + 60, team="Billing", owner="", subject="50% off: Straße"),
    row(3, at=NOW + 2 * HOUR, policy="urgent", more=("vip", "old"), waits_since=None),
    row(4, rank=ANSWERED, acknowledged_by="dana", at=NOW - 9),
    row(5, rank=ANSWERED, snoozed_until=NOW + 9, at=NOW + 9, assignee="Dana Okafor"),
    row(6, rank=OBSERVED, observed=True, observes=True),
    row(7, rank=AHEAD, level="", owner="", at=NOW + 5),
    row(8, at=NOW - 90),
)


ASKED: tuple[tuple[Wanted, str], ...] = (
    (Wanted(), "81234567"),
    (Wanted(state="overdue"), "1"),
    (Wanted(state="soon"), "2"),
    (Wanted(state="later"), "3"),
    (Wanted(state="acknowledged"), "4"),
    (Wanted(state="snoozed"), "5"),
    (Wanted(state="observed"), "6"),
    (Wanted(state="coming"), "7"),
    (Wanted(state="held"), "8"),
    (Wanted(policy="vip"), "81234567"),
    (Wanted(policy="old"), "3"),
    (Wanted(policy="v%p"), ""),
    (Wanted(owner="-"), "27"),
    (Wanted(level="-"), "7"),
    (Wanted(team="Billing"), "2"),
    (Wanted(account="other"), ""),
    (Wanted(enforced=True), "812345"),
    (Wanted(enforced=False), "6"),
    (Wanted(people=("dana", "Dana Okafor")), "45"),
    (Wanted(words=("SUBJECT", "acme/3")), "3"),
    (Wanted(words=("0% o", "straße")), "2"),
    (Wanted(words=("5_%",)), ""),
    (Wanted(sort="waits", state="later"), "3"),
    (Wanted(sort="ticket", backward=True), "87654321"),
)


def test_what_is_asked_is_what_the_database_finds(connection: Connection) -> None:
    put(connection, table, [columns_of(each, codec.dump(Escalated, each)) for each in ROWS])
    holds.put_hold(connection, Hold(ref=TicketRef("acme", "8"), scope="loop", why="a loop", since=NOW))
    for wanted, numbers in ASKED:
        found = escalated.listed(connection, wanted, NOW, limit=20, offset=0)
        assert "".join(each.ref.id for each, _ in found) == numbers, wanted
        counts = escalated.counted(connection, replace(wanted, state=None), NOW)
        if wanted.state is None:
            assert sum(counts.values()) == len(numbers), wanted
        else:
            assert {state for _, state in found} == {wanted.state}
            assert counts[wanted.state] == len(numbers)
    put(
        connection,
        table,
        [columns_of(one, codec.dump(Escalated, one)) for one in (row(10), row(9, rank=AHEAD))],
    )
    by_ticket = escalated.listed(connection, Wanted(sort="ticket"), NOW, limit=20, offset=7)
    assert [each.ref.id for each, _ in by_ticket] == ["8", "9", "10"]
    assert escalated.choices(connection, 1) == {"team": ("Tier 1",), "owner": ("Tier 2",)}


def test_a_row_is_written_only_where_it_changed(store: Store) -> None:
    with store.writing() as connection, counted() as told:
        one = row(1)
        keep(connection, one.ref, one, None)
        text = codec.dump(Escalated, one)
        keep(connection, one.ref, one, text)
        assert len([each for each in told if "INTO escalated" in each]) == 1
        keep(connection, one.ref, None, text)
        keep(connection, one.ref, None, None)
        assert len([each for each in told if "FROM escalated" in each]) == 1
        assert escalated.counted(connection, Wanted(), NOW) == {}


def test_the_worst_are_read_along_their_index(sqlite_connection: Connection) -> None:
    plan = sqlite_connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT row FROM escalated e LEFT JOIN hold h ON h.account = e.account AND "
        "h.ticket = e.ticket ORDER BY rank, at, waits_since, e.account, e.ticket LIMIT 100"
    )
    told = str(plan.all())
    assert "USING INDEX ix_escalated_rank" in told
    assert "TEMP B-TREE" not in told


def test_all_are_counted_without_reading_a_row(sqlite_connection: Connection) -> None:
    plan = sqlite_connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT rank, at, acknowledged_by, h.ticket, count(*) FROM escalated e LEFT JOIN hold h ON "
        "h.account = e.account AND h.ticket = e.ticket GROUP BY 1, 2, 3, 4"
    )
    assert "COVERING INDEX ix_escalated_rank" in str(plan.all())
