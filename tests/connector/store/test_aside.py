"""What is set aside: said once, counted across processes, and gone when it is well."""

from sqlalchemy import Connection

from connector.store import holds, inbox, ledger
from connector.work.retry import ASIDE
from tests.connector.store.samples import REF


def put(connection: Connection, why: str, now: int, ticket: str = REF.id, kind: str = holds.LOOK) -> bool:
    return holds.set_aside(connection, REF.account, ticket, kind, why, now)


def test_it_is_said_once_and_its_pauses_grow(connection: Connection) -> None:
    assert put(connection, "403", 100)
    assert not put(connection, "403 again", 115)
    (one,) = holds.every_aside(connection)
    assert (one.why, one.since, one.tries, one.tried_at, one.next_try) == ("403 again", 100, 2, 115, 145)
    assert [line.what for line in ledger.of_ticket(connection, REF)] == ["set aside"]


def test_the_longest_pause_is_an_hour(connection: Connection) -> None:
    for _ in range(40):
        put(connection, "403", 100)
    (one,) = holds.every_aside(connection)
    assert one.next_try == 100 + ASIDE.steps[-1]


def test_what_works_again_is_said_once(connection: Connection) -> None:
    put(connection, "403", 100)
    assert holds.clear_aside(connection, REF.account, REF.id, holds.LOOK, 200)
    assert not holds.clear_aside(connection, REF.account, REF.id, holds.LOOK, 201)
    assert holds.every_aside(connection) == ()
    assert [line.what for line in ledger.of_ticket(connection, REF)] == ["set aside", "no longer aside"]
    assert put(connection, "403", 300)


def test_kinds_and_tickets_are_apart(connection: Connection) -> None:
    put(connection, "a list", 100, kind="row")
    put(connection, "403", 101)
    put(connection, "refused", 102, ticket="", kind="audits")
    assert [(one.ticket, one.kind) for one in holds.every_aside(connection)] == [
        (REF.id, "row"), (REF.id, "look"), ("", "audits"),
    ]  # fmt: skip
    holds.clear_aside(connection, REF.account, REF.id, "row", 103)
    assert [one.kind for one in holds.every_aside(connection)] == ["look", "audits"]


def test_a_ticket_that_cannot_be_looked_at_waits_for_its_next_try(connection: Connection) -> None:
    assert holds.set_look_aside(connection, REF, "403", 100)
    assert not holds.set_look_aside(connection, REF, "403", 115)
    timer = inbox.timer_of(connection, REF)
    assert timer is not None
    assert (timer.due, timer.holds, timer.why) == (145, True, "403")
