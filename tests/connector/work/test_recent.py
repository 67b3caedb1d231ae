"""Recent tickets of the same people, as a look sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.store import tickets
from connector.store.database import Store
from connector.work.context import WINDOW, complete
from policies.model import Need, Person, Recent, Ticket
from tests.connector.store.samples import a_ticket
from tests.connector.stores import made_in

NOW = 10_000_000
CLEO, MAX = Person(id="41", name="Cleo"), Person(id="42", name="Max")
NEEDS = frozenset({Need.RECENT})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = made_in(tmp_path)
    yield store
    store.close()


def one(
    number: str, requester: Person | None = CLEO, organization: str | None = "Initech", **more: Any
) -> Ticket:
    return a_ticket(number, requester=requester, organization=organization, **{"created": NOW - 60, **more})


def counted(store: Store, ticket: Ticket, *others: Ticket) -> Recent:
    with store.writing() as connection:
        tickets.record_snapshots(connection, [*others], NOW)
    return complete(store, ticket, {}, NEEDS, NOW).recent


def test_the_ticket_itself_counts_stored_or_not(store: Store) -> None:
    assert counted(store, one("1")) == Recent(of_requester=1, of_organization=1)
    assert counted(store, one("1"), one("1")) == Recent(of_requester=1, of_organization=1)


def test_others_count_by_requester_and_by_organization(store: Store) -> None:
    others = (one("2"), one("3", MAX), one("4", MAX, "Hooli"), one("5", None, None))
    assert counted(store, one("1"), *others) == Recent(of_requester=2, of_organization=3)


def test_not_those_of_another_account_and_not_those_that_are_gone(store: Store) -> None:
    assert counted(store, one("1"), one("2", account="other"), one("3", gone="spam")).of_requester == 1


@pytest.mark.parametrize(("age", "number"), [(WINDOW - 1, 1), (WINDOW, 0)])
def test_seven_days_is_too_old(store: Store, age: int, number: int) -> None:
    assert counted(store, one("1"), one("2", created=NOW - age)).of_requester == 1 + number
    assert counted(store, one("3", MAX, created=NOW - age)).of_requester == number, "the ticket itself too"


def test_without_people_the_numbers_are_missing(store: Store) -> None:
    assert counted(store, one("1", None, None)) == Recent()


def test_what_no_policy_needs_is_not_counted(store: Store) -> None:
    ticket = one("1")
    assert complete(store, ticket, {}, frozenset({Need.MESSAGES}), NOW) == ticket
    assert Need.RECENT in complete(store, ticket, {}, NEEDS, NOW).loaded


UNNAMED = frozenset({"organization"})


def test_a_row_that_hides_the_organization_does_not_take_it_away(store: Store) -> None:
    counted(store, one("1"), one("2"))
    assert (
        counted(store, one("1"), one("2", organization="31", hidden=UNNAMED, updated=200)).of_organization
        == 2
    )
    assert counted(store, one("1"), one("3", organization="31", hidden=UNNAMED)).of_organization == 2
