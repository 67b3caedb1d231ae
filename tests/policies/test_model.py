"""The nouns: names of tickets, ranks, and what a directory knows."""

import pytest

from policies.language.references import KnownAccount
from policies.model import Priority, TicketRef
from tests.policies.lives import ANN, DIRECTORY, TIER2


def test_a_ticket_is_named_by_account_and_id() -> None:
    assert TicketRef.parse("acme/4711") == TicketRef("acme", "4711")
    assert str(TicketRef("acme", "4711")) == "acme/4711"


@pytest.mark.parametrize("text", ["", "acme", "acme/", "/4711", "acme/47/11"])
def test_anything_else_is_an_error_that_shows_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match="write ACCOUNT/ID, for example acme/4711"):
        TicketRef.parse(text)


def test_priorities_rank_from_low_to_urgent() -> None:
    assert [each.rank for each in Priority] == [1, 2, 3, 4]


def test_a_directory_knows_groups_by_name_and_agents_by_address_or_name() -> None:
    assert DIRECTORY.group("Tier 2") == TIER2
    assert DIRECTORY.group("tier 2") is None
    found = [DIRECTORY.agent(label) for label in ("ann@acme.test", "Ann", "ann")]
    assert [each.person if each else None for each in found] == [ANN, ANN, None]


def test_what_check_may_refer_to_is_what_the_directory_knows() -> None:
    known = KnownAccount.of(DIRECTORY)
    assert "Tier 2" in known.groups
    assert {"ann@acme.test", "Ann"} <= known.people
