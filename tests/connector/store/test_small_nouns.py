"""Timers, cursors, budgets, directories and policy texts: one row a key, the last word counts."""

from dataclasses import replace

from sqlalchemy import Connection

from connector.store import budgets, cursors, directories, policy_texts, receipts, timers
from connector.store.budgets import Budget
from connector.store.timers import Timer
from policies.model import Agent, Directory, Group, Person, TicketRef
from tests.connector.store.samples import REF

ACCOUNT = Budget(bucket="account", total=400, remaining=2, window=60, resets_at=500, updated=440)
DIRECTORY = Directory(
    account="acme",
    groups=(Group(id="1", name="Tier 1"),),
    agents=(Agent(person=Person(id="7", name="Dana"), groups=frozenset({"1"})),),
    leads={"Tier 1": "Dana"},
)


def test_a_ticket_has_one_timer(connection: Connection) -> None:
    timers.start(connection, REF, 200, "level", holds=True)
    timers.start(connection, REF, 300, "repeat")
    assert timers.of_ticket(connection, REF) == Timer(
        ref=REF, due=300, why="repeat", holds=False, urgent=True
    )
    assert timers.outstanding(connection) == 1
    timers.stop(connection, REF)
    assert timers.of_ticket(connection, REF) is None


def test_coming_timers_in_the_order_they_are_due(connection: Connection) -> None:
    for number, due in (("1", 300), ("2", 100), ("3", 200)):
        timers.start(connection, TicketRef("acme", number), due, "level")
    assert [timer.ref.id for timer in timers.coming(connection, 2)] == ["2", "3"]


def test_a_cursor_is_of_one_account_and_feed(connection: Connection) -> None:
    cursors.save(connection, "acme", "poll", "c1", 100)
    cursors.save(connection, "acme", "census", "x", 100)
    cursors.save(connection, "acme", "poll", "c2", 200)
    assert cursors.read(connection, "acme", "poll") == "c2"
    assert cursors.updated(connection, "acme", "poll") == 200
    assert cursors.read(connection, "beta", "poll") is None
    cursors.forget(connection, "acme", "poll")
    assert cursors.read(connection, "acme", "poll") is None
    assert cursors.read(connection, "acme", "census") == "x"


def test_a_budget_is_taken_from_down_to_its_reserve(connection: Connection) -> None:
    budgets.save(connection, "acme", [ACCOUNT])
    assert budgets.take(connection, "acme", "account", reserve=1)
    assert not budgets.take(connection, "acme", "account", reserve=1)
    assert budgets.take(connection, "acme", "account")
    assert not budgets.take(connection, "acme", "account")
    assert not budgets.take(connection, "acme", "search")
    assert budgets.of_account(connection, "acme") == {"account": replace(ACCOUNT, remaining=0)}
    assert budgets.of_account(connection, "beta") == {}


def test_a_directory_is_read_again_without_forgetting_whom_round_robin_served(connection: Connection) -> None:
    assert directories.read(connection, "acme") is None
    directories.save(connection, DIRECTORY, 100)
    directories.serve(connection, "acme", "1", "7", 150)
    directories.serve(connection, "acme", "1", "7", 160)
    directories.serve(connection, "beta", "1", "7", 170)
    directories.save(connection, DIRECTORY, 200)
    known = directories.read(connection, "acme")
    assert known is not None
    assert known.directory == replace(DIRECTORY, served={("1", "7"): 160})
    assert known.read_at == 200


def test_a_policy_text_stays_as_it_was_first_kept(connection: Connection) -> None:
    policy_texts.keep(connection, "h1", "name = 'p'", 100)
    policy_texts.keep(connection, "h1", "other", 200)
    assert policy_texts.read(connection, "h1") == "name = 'p'"
    assert policy_texts.read(connection, "h2") is None


def test_a_fact_kept_twice_is_kept_once(connection: Connection) -> None:
    receipts.keep(connection, REF, "k:1", ["f1", "f2"], frozenset({"e1"}))
    receipts.keep(connection, REF, "k:1", ["f1"], frozenset({"e1"}))
    assert receipts.episodes_by_fact(connection, REF) == {"f1": frozenset({"e1"}), "f2": frozenset({"e1"})}
