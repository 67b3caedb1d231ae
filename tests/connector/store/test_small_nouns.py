"""Timers, cursors, spending, leases, directories and policy texts: one row a key, the last word counts."""

from dataclasses import replace

from sqlalchemy import Connection

from connector.store import accounts, fleet, forgetting, inbox, writes
from connector.store.inbox import Timer
from policies.model import Agent, Directory, Group, Person, TicketRef
from tests.connector.store.samples import REF

DIRECTORY = Directory(
    account="acme",
    groups=(Group(id="1", name="Tier 1"),),
    agents=(Agent(person=Person(id="7", name="Dana"), groups=frozenset({"1"})),),
    leads={"Tier 1": "Dana"},
)


def test_a_ticket_has_one_timer(connection: Connection) -> None:
    inbox.start_timer(connection, REF, 200, "level", holds=True)
    inbox.start_timer(connection, REF, 300, "repeat")
    assert inbox.timer_of(connection, REF) == Timer(ref=REF, due=300, why="repeat", holds=False, urgent=True)
    assert inbox.outstanding_timers(connection) == 1
    inbox.stop_timer(connection, REF)
    assert inbox.timer_of(connection, REF) is None


def test_coming_timers_in_the_order_they_are_due(connection: Connection) -> None:
    for number, due in (("1", 300), ("2", 100), ("3", 200)):
        inbox.start_timer(connection, TicketRef("acme", number), due, "level")
    assert [timer.ref.id for timer in inbox.coming_timers(connection, 2)] == ["2", "3"]


def test_a_cursor_is_of_one_account_and_feed(connection: Connection) -> None:
    accounts.save_cursor(connection, "acme", "poll", "c1", 100)
    accounts.save_cursor(connection, "acme", "census", "x", 100)
    accounts.save_cursor(connection, "acme", "poll", "c2", 200)
    assert accounts.read_cursor(connection, "acme", "poll") == "c2"
    assert accounts.cursor_updated(connection, "acme", "poll") == 200
    assert accounts.read_cursor(connection, "beta", "poll") is None
    accounts.forget_cursor(connection, "acme", "poll")
    assert accounts.read_cursor(connection, "acme", "poll") is None
    assert accounts.read_cursor(connection, "acme", "census") == "x"


def test_requests_are_counted_by_the_second(connection: Connection) -> None:
    for at in (100, 100, 101, 105):
        fleet.count_requests(connection, "acme", ("account", "search"), at)
    fleet.count_requests(connection, "beta", ("account",), 101)
    begins = {"account": 101, "search": 102, "other": 0}
    found = fleet.by_second(connection, "acme", begins)
    assert found == {"account": [(101, 1), (105, 1)], "search": [(105, 1)], "other": []}
    fleet.pause_until(connection, "acme", "other", 107, 90)
    known = fleet.known_spending(connection, "acme", begins, 106)
    assert known == fleet.Spending(requests={"account": 2, "search": 1}, pauses={"other": 107})
    fleet.forget_spending(connection, 101)
    assert fleet.by_second(connection, "acme", {"account": 0})["account"] == [(101, 1), (105, 1)]


def test_the_longest_pause_counts(connection: Connection) -> None:
    fleet.pause_until(connection, "acme", "account", 200, 90)
    fleet.pause_until(connection, "acme", "account", 150, 90)
    fleet.pause_until(connection, "acme", "search", 300, 90)
    assert fleet.pauses(connection, "acme", 199) == {"account": 200, "search": 300}
    assert fleet.pauses(connection, "acme", 200) == {"search": 300}
    assert fleet.pauses(connection, "beta", 0) == {}


def test_a_lease_is_of_one_at_a_time_and_ends(connection: Connection) -> None:
    assert fleet.take_lease(connection, "poll acme", "a", 20, 100)
    assert not fleet.take_lease(connection, "poll acme", "b", 20, 105)
    assert fleet.take_lease(connection, "poll acme", "a", 20, 110)
    assert fleet.holds_lease(connection, "poll acme", "a", 129)
    assert not fleet.holds_lease(connection, "poll acme", "b", 129)
    assert not fleet.holds_lease(connection, "poll acme", "a", 130)
    assert fleet.take_lease(connection, "poll acme", "b", 20, 130)
    assert fleet.holds_lease(connection, "poll acme", "b", 140)
    fleet.give_lease_back(connection, "b")
    assert not fleet.holds_lease(connection, "poll acme", "b", 140)
    assert fleet.take_lease(connection, "poll acme", "a", 20, 140)


def test_a_directory_is_read_again_without_forgetting_whom_round_robin_served(connection: Connection) -> None:
    assert accounts.read_directory(connection, "acme") is None
    accounts.save_directory(connection, DIRECTORY, 100)
    accounts.note_served(connection, "acme", "1", "7", 150)
    accounts.note_served(connection, "acme", "1", "7", 160)
    accounts.note_served(connection, "beta", "1", "7", 170)
    accounts.save_directory(connection, DIRECTORY, 200)
    known = accounts.read_directory(connection, "acme")
    assert known is not None
    assert known.directory == replace(DIRECTORY, served={("1", "7"): 160})
    assert known.read_at == 200


def test_a_policy_text_stays_as_it_was_first_kept(connection: Connection) -> None:
    forgetting.keep_policy_text(connection, "h1", "name = 'p'", 100)
    forgetting.keep_policy_text(connection, "h1", "other", 200)
    assert forgetting.read_policy_text(connection, "h1") == "name = 'p'"
    assert forgetting.read_policy_text(connection, "h2") is None


def test_a_fact_kept_twice_is_kept_once(connection: Connection) -> None:
    writes.keep_receipt(connection, REF, "k:1", ["f1", "f2"], frozenset({"e1"}))
    writes.keep_receipt(connection, REF, "k:1", ["f1"], frozenset({"e1"}))
    assert writes.episodes_by_fact(connection, REF) == {"f1": frozenset({"e1"}), "f2": frozenset({"e1"})}
