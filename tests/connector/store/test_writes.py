"""A write's way through its states, and the fence around it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from adapters.base import Receipt
from connector.store import writes
from connector.store.writes import KeptWrite, State
from policies.history import by_revision
from policies.model import TicketRef
from tests.connector.store.samples import REF, a_write

KEY = a_write().key
RECEIPT = Receipt(key=KEY, revision="r2", at=12, facts=("audit-9",), changed=(("tags", ("a",), ("a", "b")),))


def plan(
    connection: Connection, key: str = KEY, *, now: int = 10, place: int = 1, **more: Any
) -> KeptWrite | None:
    return writes.plan(
        connection,
        a_write(key),
        episodes=frozenset({"e1", "e2"}),
        policy="p",
        level="L1",
        place=place,
        now=now,
        **more,
    )


def kept(connection: Connection, key: str = KEY) -> KeptWrite:
    found = writes.get(connection, key)
    assert found is not None
    return found


def begun(connection: Connection, key: str = KEY, now: int = 11) -> int:
    attempt = writes.begin(connection, key, 0, now)
    assert attempt is not None
    return attempt


def ended(connection: Connection, key: str, attempt: int, state: State, now: int, **more: Any) -> bool:
    return writes.settle(connection, replace(kept(connection, key), attempt=attempt), state, now, **more)


def test_from_planned_over_sending_to_done(connection: Connection) -> None:
    assert plan(connection)
    assert (kept(connection).write, kept(connection).state) == (a_write(), State.PLANNED)
    attempt = begun(connection)
    assert (kept(connection).state, kept(connection).sent_at) == (State.SENDING, 11)
    assert ended(connection, KEY, attempt, State.DONE, 12, receipt=RECEIPT)
    done = kept(connection)
    assert (done.state, done.receipt, done.settled_at) == (State.DONE, RECEIPT, 12)
    assert done.episodes == frozenset({"e1", "e2"})


def test_a_receipt_makes_its_facts_ours(connection: Connection) -> None:
    plan(connection)
    ended(connection, KEY, begun(connection), State.DONE, 12, receipt=RECEIPT)
    ours = frozenset({"e1", "e2"})
    assert writes.episodes_by_fact(connection, REF) == {"audit-9": ours, by_revision("r2"): ours}
    assert writes.episodes_by_fact(connection, TicketRef("acme", "2")) == {}


def test_nothing_is_sent_twice_at_once(connection: Connection) -> None:
    plan(connection)
    begun(connection)
    assert writes.begin(connection, KEY, 0, 11) is None


@pytest.mark.parametrize("state", [State.DONE, State.REFUSED, State.STALE])
def test_what_has_ended_is_not_sent(connection: Connection, state: State) -> None:
    plan(connection)
    ended(connection, KEY, begun(connection), state, 12)
    assert writes.begin(connection, KEY, 0, 13) is None


def test_an_unknown_write_may_be_sent_again_under_a_new_attempt(connection: Connection) -> None:
    plan(connection)
    first = begun(connection)
    ended(connection, KEY, first, State.UNKNOWN, 12, error="timeout")
    assert begun(connection) == first + 1
    assert kept(connection).error is None


def test_an_old_attempt_can_no_longer_settle(connection: Connection) -> None:
    plan(connection)
    old = begun(connection)
    ended(connection, KEY, old, State.UNKNOWN, 12)
    new = begun(connection)
    assert not ended(connection, KEY, old, State.DONE, 13, receipt=RECEIPT)
    assert kept(connection).state is State.SENDING
    assert writes.episodes_by_fact(connection, REF) == {}
    assert ended(connection, KEY, new, State.DONE, 14)


def test_an_end_is_an_end(connection: Connection) -> None:
    plan(connection)
    attempt = begun(connection)
    ended(connection, KEY, attempt, State.DONE, 12, receipt=RECEIPT)
    assert not ended(connection, KEY, attempt, State.REFUSED, 13)
    assert not plan(connection)
    assert kept(connection).state is State.DONE


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.REFUSED])
def test_what_was_sent_is_not_planned_over(connection: Connection, state: State) -> None:
    plan(connection)
    attempt = begun(connection)
    if state is not State.SENDING:
        ended(connection, KEY, attempt, state, 12)
    assert not plan(connection, now=20)
    assert (kept(connection).state, kept(connection).planned_at) == (state, 10)


def test_a_stale_write_is_planned_again_and_its_attempts_go_on(connection: Connection) -> None:
    plan(connection)
    attempt = begun(connection)
    ended(connection, KEY, attempt, State.STALE, 12, error="changed")
    assert plan(connection, now=20)
    again = kept(connection)
    assert (again.state, again.planned_at, again.error, again.sent_at) == (State.PLANNED, 20, None, None)
    assert begun(connection) == attempt + 1


def test_dropping_forgets_only_what_is_merely_planned(connection: Connection) -> None:
    for key in ("a", "b", "c"):
        plan(connection, key)
    ended(connection, "b", begun(connection, "b"), State.PLANNED, 12)
    begun(connection, "c")
    writes.drop_planned(connection, writes.in_state(connection, REF, State.PLANNED))
    assert writes.get(connection, "a") is None
    assert kept(connection, "b").state is State.STALE
    assert kept(connection, "c").state is State.SENDING


def test_dropping_is_for_one_ticket(connection: Connection) -> None:
    plan(connection)
    writes.drop_planned(connection, writes.in_state(connection, TicketRef("acme", "2"), State.PLANNED))
    assert kept(connection).state is State.PLANNED


def test_writes_come_in_the_order_they_are_to_be_sent(connection: Connection) -> None:
    for key, place in (("k:10", 10), ("k:2", 2), ("k:1", 1)):
        plan(connection, key, place=place)
    plan(connection, "later:1", now=11)
    found = writes.in_state(connection, REF, State.PLANNED)
    assert [one.write.key for one in found] == ["k:1", "k:2", "k:10", "later:1"]
    begun(connection, "k:2")
    assert [one.write.key for one in writes.in_state(connection, REF, State.SENDING)] == ["k:2"]
    assert len(writes.of_ticket(connection, REF)) == 4
    assert [one.write.key for one in writes.everywhere(connection, State.PLANNED, 2)] == ["k:1", "k:10"]


def test_counting(connection: Connection) -> None:
    for place, key in enumerate(("a", "b", "c"), 1):
        plan(connection, key, place=place)
    begun(connection, "a", now=99)
    begun(connection, "b", now=100)
    assert writes.count_sent(connection, REF, rounds_since=0, since=100, now=1_000_000) == (0, 1)
    assert writes.count_sent(connection, TicketRef("acme", "2"), rounds_since=0, since=0, now=1_000_000) == (
        0,
        0,
    )
    assert writes.counts(connection) == {State.PLANNED: 1, State.SENDING: 2}
