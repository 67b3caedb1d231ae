"""VIPs by the lists of the account, whatever the helpdesk says."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.base import with_vip
from policies.model import Person, Ticket
from tests.adapters.freshdesk.world import account
from tests.policies.lives import NEWBORN

CLEO = Person(id="7", name="Cleo", address="Cleo@Initech.test", organization="Initech")


def is_vip(ticket: Ticket, **lists: Any) -> bool:
    marked = with_vip(ticket, account(**{name: frozenset(each) for name, each in lists.items()}))
    return marked.requester is not None and marked.requester.vip


@pytest.mark.parametrize(
    ("lists", "vip"),
    [
        ({"vip_addresses": ["cleo@initech.TEST"]}, True),
        ({"vip_addresses": ["@initech.test"]}, True),
        ({"vip_addresses": ["@tech.test", "leo@initech.test"]}, False),
        ({"vip_organizations": ["INITECH"]}, True),
        ({"vip_organizations": ["Globex"]}, True),
        ({"vip_organizations": ["Init", "Hooli"]}, False),
        ({}, False),
    ],
)
def test_who_is_on_a_list(lists: dict[str, list[str]], vip: bool) -> None:
    ticket = replace(NEWBORN, requester=CLEO, organization="Globex")
    assert is_vip(ticket, **lists) is vip


def test_nobody_and_somebody_without_an_address_is_on_none() -> None:
    lists = {"vip_addresses": ["@initech.test"], "vip_organizations": ["Initech"]}
    assert not is_vip(replace(NEWBORN, requester=None), **lists)
    assert not is_vip(replace(NEWBORN, requester=Person(id="7", name="Max")), **lists)


def test_who_is_one_already_stays_one() -> None:
    assert is_vip(replace(NEWBORN, requester=replace(CLEO, vip=True)))
