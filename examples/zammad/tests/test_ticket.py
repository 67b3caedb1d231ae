"""What is Zammad's own in reading a ticket."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import Gone, Unreadable
from policies.model import FROM_HELPDESK, Metric, Need, Priority, Stage, Status, Target, TicketRef, Who


def test_a_new_ticket_is_owned_by_nobody(world: Any) -> None:
    ticket = world.load()
    assert world.row.json["owner_id"] == 1
    assert ticket.assignee is None
    assert (ticket.status, ticket.status_name, ticket.channel) == (Status.NEW, "new", "email")
    assert ticket.link.endswith("/#ticket/zoom/1")


def test_the_customer_is_known_with_organization_and_language(world: Any) -> None:
    ticket = world.load()
    asked = ticket.requester
    assert (asked.name, asked.address, asked.organization) == ("Cleo", "cleo@initech.test", "Initech")
    assert asked.vip
    assert (ticket.language, ticket.organization, ticket.description) == ("pt", "Initech", "It burns")


def test_a_customer_whom_we_may_not_see_is_known_by_id_only(world: Any) -> None:
    cleo = world.row.json["customer_id"]
    world.fault("answer", status=403, path=f"*/users/{cleo}", times=None)
    ticket = world.load()
    assert ticket.requester.id == str(cleo)
    assert {"requester.address", "language"} <= ticket.hidden


@pytest.mark.parametrize(("group", "status"), [("Tier 1", Status.SOLVED), ("Tier 2", Status.CLOSED)])
def test_closed_is_final_where_the_group_opens_no_ticket_again(
    world: Any, group: str, status: Status
) -> None:
    world.desk.agent_changes(1, "Ann", group=group, state="closed")
    assert world.load().status is status


def test_a_state_of_ones_own_counts_as_its_type(world: Any) -> None:
    world.desk.seed(states=[{"id": 20, "name": "waiting for parts", "state_type_id": 3}])
    world.desk.agent_changes(1, "Ann", state="waiting for parts")
    ticket = world.load()
    assert (ticket.status, ticket.status_name) == (Status.PENDING, "waiting for parts")


def test_a_state_of_no_known_type_is_unknown_unless_the_account_says_it(
    worlds: Callable[..., Any],
) -> None:
    for said, expected, hidden in (({}, Status.OPEN, True), ({"odd": Status.ON_HOLD}, Status.ON_HOLD, False)):
        with worlds({"statuses": said}) as world:
            world.desk.seed(states=[{"id": 20, "name": "odd", "state_type_id": 99}])
            world.desk.agent_changes(1, "Ann", state="odd")
            ticket = world.load()
            assert ticket.status is expected
            assert ("status" in ticket.hidden) is hidden


def test_a_priority_that_nothing_counts_as_is_hidden(world: Any) -> None:
    world.desk.seed(priorities=[{"id": 9, "name": "whenever"}])
    world.desk.agent_changes(1, "Ann", priority="whenever")
    assert "priority" in world.load().hidden
    world.desk.agent_changes(1, "Ann", priority="4 disaster")
    assert world.load().priority is Priority.URGENT


def test_deadlines_rest_with_the_state_and_end_with_their_stamp(world: Any) -> None:
    due = world.clock.at + 3600
    world.desk.set_due(1, first_response_escalation_at=due, close_escalation_at=due + 60)
    first = Target(metric=Metric.FIRST_REPLY, stage=Stage.ACTIVE, due=due)
    last = Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=due + 60)
    assert world.load().targets == (first, last)
    world.desk.agent_changes(1, "Ann", state="pending reminder")
    assert {each.stage for each in world.load().targets} == {Stage.PAUSED}
    world.desk.agent_says(1, "Ann", "Try again, please.", state="open")
    assert [each.stage for each in world.load().targets] == [Stage.ACHIEVED, Stage.ACTIVE]


def test_who_did_it_is_told_apart(world: Any) -> None:
    world.desk.agent_changes(1, "Both", owner="Both")
    world.desk.trigger_changes(1, group="Tier 2")
    world.desk.agent_changes(1, "Ben", state="closed")
    world.desk.customer_says(1, "It burns again.")
    world.desk.trigger_says(1, "We have your mail.")
    ticket = world.load()
    told = [(each.field, each.act.who) for each in ticket.changes]
    assert told == [
        ("assignee", Who.AGENT),
        ("group", Who.AUTOMATION),
        ("status", Who.AGENT),
        ("status", Who.CUSTOMER),
    ]
    assert [each.act.who for each in ticket.messages] == [Who.CUSTOMER, Who.CUSTOMER, Who.AUTOMATION]
    assert (ticket.counts.replies, ticket.counts.reopens) == (0, 1)


def test_tags_are_put_together_from_what_the_history_tells(world: Any) -> None:
    world.desk.tag(1, "Ann", "eu")
    world.desk.tag(1, "Ann", "vip")
    world.desk.tag(1, "Ann", "eu", add=False)
    told = [(each.before, each.after) for each in world.load().changes if each.field == "tags"]
    assert told == [((), ("eu",)), (("eu",), ("eu", "vip")), (("eu", "vip"), ("vip",))]


def test_markup_is_read_as_text(world: Any) -> None:
    said = {"body": "Still <b>burns</b>.<br>Help &amp; water!", "content_type": "text/html"}
    world.desk.change(world.row, world.row.json["customer_id"], {}, {"sender": "Customer", **said})
    assert world.load().messages[-1].body == "Still burns.\nHelp & water!"


def test_a_merged_or_strange_ticket_is_gone(world: Any) -> None:
    world.desk.open(customer="Dan", subject="The same", group="Tier 1")
    world.desk.merge(1, 2, "Ann")
    for ref in (world.ref, TicketRef("acme", "99"), TicketRef("acme", "INC1")):
        with pytest.raises(Gone):
            world.adapter.load(ref, FROM_HELPDESK)


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        ("*/tickets/1", ["updated_at"], None),
        ("*/tickets/1", ["state_id"], None),
        ("*/by_ticket/1", [0, "created_at"], "yesterday"),
        ("*/tags", ["tags"], None),
    ],
)
def test_what_cannot_be_read_is_no_ticket_and_no_empty_one(
    world: Any, path: str, place: list[Any], value: Any
) -> None:
    world.adapter.directory()
    world.fault("spoil", path=path, place=place, value=value, absent=value is None and place == ["state_id"])
    with pytest.raises(Unreadable):
        world.adapter.load(world.ref, frozenset({Need.MESSAGES}))


def test_agents_are_those_with_full_access_and_never_we_ourselves(world: Any) -> None:
    bot = world.desk.access.caller("Token token=zammad-simulator-token")
    world.desk.groups[world.desk.group("Tier 1")["id"]]["user_ids"].append(bot)
    world.desk.user("Ann")["group_ids"][str(world.desk.group("Tier 2")["id"])] = ["read"]
    day = "2026-09-21"  # the first of the world's days
    world.desk.user("Ben").update(out_of_office=True, out_of_office_start_at=day, out_of_office_end_at=day)
    agents = {each.person.name: each for each in world.adapter.directory().agents}
    assert agents.keys() == {"Ann", "Ben", "Both"}
    assert len(agents["Ann"].groups) == 1
    assert (agents["Ann"].available, agents["Ben"].available) == (True, False)
