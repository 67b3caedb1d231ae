"""What if a ticket had other values: every field of the language can be supposed, or says why not."""

from dataclasses import replace

import pytest

from policies.language.fields import FIELDS, find
from policies.model import Counts, Need, Person, Priority, Status, Ticket
from policies.suppose import DERIVED, suppose
from tests.policies.lives import BEN, CLEO, DIRECTORY, REF, TIER2

TICKET = Ticket(
    ref=REF,
    link="",
    subject="Down",
    status=Status.OPEN,
    status_name="Open",
    created=0,
    updated=0,
    read_at=0,
    revision="r",
    requester=CLEO,
    tags=frozenset({"a", "b"}),
    custom={"plan": "7", "seats": 5},
)
GIVEN: dict[str, tuple[str, object]] = {
    "status": ("pending", Status.PENDING),
    "priority": ("urgent", Priority.URGENT),
    "satisfaction": ("bad", "bad"),
    "group": ("Tier 2", TIER2.name),
    "assignee": ("ben@acme.test", BEN.label),
}
OF_KIND: dict[str, tuple[str, object]] = {
    "text": ("some words", "some words"),
    "choice": ("word", "word"),
    "number": ("3", 3),
    "yes_no": ("yes", True),
    "list": ("x,y", ("x", "y")),
}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_can_be_supposed_or_says_why_not(name: str) -> None:
    hidden = replace(TICKET, hidden=FIELDS[name].reads)
    text, value = GIVEN.get(name) or OF_KIND[FIELDS[name].kind]
    if name in DERIVED:
        with pytest.raises(ValueError, match="cannot be set"):
            suppose(hidden, {name: text}, DIRECTORY)
        return
    after = suppose(hidden, {name: text}, DIRECTORY)
    assert FIELDS[name].read(after) == value
    assert not after.hidden & FIELDS[name].reads
    assert after.loaded >= FIELDS[name].needs
    if FIELDS[name].nullable:
        assert FIELDS[name].read(suppose(TICKET, {name: ""}, DIRECTORY)) is None


def test_tags_are_replaced_or_added_and_taken_away() -> None:
    assert suppose(TICKET, {"tags": "x, y"}, DIRECTORY).tags == {"x", "y"}
    assert suppose(TICKET, {"tags": "+x,-a"}, DIRECTORY).tags == {"b", "x"}
    assert suppose(TICKET, {"tags": ""}, DIRECTORY).tags == frozenset()


def test_a_custom_field_keeps_its_kind() -> None:
    for name, text, value in (("plan", "8", "8"), ("seats", "9", 9), ("new", "true", True), ("new", "gold", "gold"),
                              ("new", '"12"', "12"), ("new", '["a"]', ("a",)), ("new", "{}", "{}")):  # fmt: skip
        after = suppose(TICKET, {f"custom.{name}": text}, DIRECTORY, ("plan", "seats", "new"))
        of = find(f"custom.{name}")
        assert of is not None
        assert of.read(after) == value


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"prioritty": "high"}, 'there is no field "prioritty". Did you mean "priority"?'),
        ({"custom.plam": "1"}, 'there is no field "custom.plam". Did you mean "custom.plan"?'),
        ({"priority": "urgend"}, 'priority cannot be "urgend". Did you mean "urgent"?'),
        ({"status": ""}, "status cannot be empty"),
        ({"status": "x"}, "It is one of new, open"),
        ({"replies": "many"}, "it is a number"),
        ({"requester.vip": "maybe"}, "it is true, yes, false or no"),
        ({"group": "Tier 4"}, 'acme knows no group "Tier 4". Did you mean "Tier 2"?'),
        ({"assignee": "x@y.test"}, "acme knows no assignee"),
    ],
)
def test_what_cannot_be_is_said(said: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError) as error:
        suppose(TICKET, said, DIRECTORY, ("plan",))
    assert text in str(error.value)


def test_the_ticket_itself_stays_as_it_is() -> None:
    suppose(TICKET, {"priority": "urgent", "replies": "4", "requester.name": "Dora"}, DIRECTORY)
    assert (TICKET.priority, TICKET.counts, TICKET.requester) == (None, Counts(), CLEO)
    made = suppose(replace(TICKET, requester=None), {"requester.name": "Dora"}, DIRECTORY)
    assert made.requester == Person(id="", name="Dora")
    assert Need.MESSAGES in suppose(TICKET, {"replies": "4"}, DIRECTORY).loaded
