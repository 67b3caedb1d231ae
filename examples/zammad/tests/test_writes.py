"""What is Zammad's own in writing."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import Note, OutcomeUnknown, Prepared, Receipt, VendorAction, WontAccept
from policies.model import Priority
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField


def prepared(world: Any, *actions: VendorAction) -> Prepared:
    """The requests of these actions on the ticket as it stands."""
    made: Prepared = world.adapter.prepare(world.load(), actions, "key")
    return made


def carried_out(world: Any, *actions: VendorAction) -> list[Receipt]:
    """The receipts of these actions, each on the revision after the one before."""
    made: list[Receipt] = []
    for write in prepared(world, *actions).writes:
        made.append(world.adapter.send(write, made[-1].revision if made else write.expects))
    return made


def second(world: Any) -> Any:
    """The group that the ticket is not in."""
    return world.adapter.directory().group("Tier 2")


def agent(world: Any, name: str) -> Any:
    """An agent by name."""
    return world.adapter.directory().agent(name).person


NOTE = Note(public=False, body="Second line, please.")


def test_fields_and_note_are_one_update_and_each_tag_is_one_more(world: Any) -> None:
    tags = ChangeTags(add=frozenset({"eu", "escalated"}), remove=frozenset({"gone"}))
    receipts = carried_out(world, Assign(group=second(world), assignee=None), tags, NOTE)
    paths = [path for path, _ in world.written()]
    assert paths == ["tickets/1", "tags/add", "tags/add"]
    assert [each.changed[0][0] for each in receipts] == ["group", "tags", "tags"]
    assert [each.changed[0][2] for each in receipts[1:]] == [("escalated",), ("escalated", "eu")]
    ours = {each.act.id for each in (*world.load().messages, *world.load().changes) if each.act.mark}
    assert ours <= {fact for each in receipts for fact in each.facts}


def test_every_change_of_ours_is_known_by_a_receipt(world: Any) -> None:
    receipts = carried_out(
        world,
        Assign(group=second(world), assignee=agent(world, "Ben")),
        RaisePriority(at_least=Priority.URGENT),
        ChangeTags(add=frozenset({"eu"})),
        SetField(field="custom.product", value="X200"),
        NOTE,
    )
    ticket = world.load()
    facts = {fact for each in receipts for fact in each.facts}
    assert {each.act.id for each in ticket.changes} | {ticket.messages[-1].act.id} == facts
    assert {each.field for each in ticket.changes} == {
        "group",
        "assignee",
        "priority",
        "tags",
        "custom.product",
    }


def test_a_reply_is_mailed_to_the_customer_by_itself(world: Any) -> None:
    reply = Note(public=True, body="We are on it.")
    carried_out(world, RaisePriority(at_least=Priority.HIGH), reply)
    assert [sorted(body) for _, body in world.written()] == [["priority_id"], ["article"]]
    said = world.row.articles[-1]
    assert (said["type"], said["to"], said["internal"]) == ("email", "cleo@initech.test", False)


def test_a_reply_that_opens_a_new_ticket_is_nobody_elses_doing(world: Any) -> None:
    (receipt,) = carried_out(world, Note(public=True, body="We are on it."))
    assert receipt.remarks == ()
    assert receipt.revision == world.row.json["updated_at"]
    assert {each.act.id for each in world.load().changes} <= set(receipt.facts)


def test_without_an_address_nothing_is_sent(world: Any) -> None:
    world.desk.user("Cleo")["email"] = ""
    made = prepared(world, Note(public=True, body="Dear customer."))
    assert (made.writes, len(made.gaps)) == ((), 1)


def test_what_was_refused_is_named_so_that_the_note_is_said(world: Any) -> None:
    (write,) = prepared(world, SetField(field="custom.product", value="X9"), NOTE).writes
    world.fault("answer", method="PUT", status=422, body={"error": "Invalid value 'X9' for field 'product'!"})
    with pytest.raises(WontAccept, match="X9") as told:
        world.adapter.send(write, write.expects)
    assert [(each.field, each.vendor_field) for each in told.value.parts] == [("custom.product", "product")]


def test_an_owner_whom_zammad_drops_is_told(world: Any) -> None:
    ann, ticket = agent(world, "Ann"), world.load()
    (write,) = world.adapter.prepare(ticket, (Assign(group=ticket.group, assignee=ann),), "key").writes
    world.desk.user("Ann")["group_ids"].clear()
    receipt = world.adapter.send(write, write.expects)
    assert [(each.field, each.wanted, each.found) for each in receipt.not_taken] == [
        ("assignee", ann.id, None)
    ]
    assert receipt.revision == write.expects


@pytest.mark.parametrize(
    "act",
    [
        {"act": "agent_says", "ticket": 1, "agent": "Ann", "text": "I have it."},
        {"act": "agent_changes", "ticket": 1, "agent": "Ann", "owner": "Ann"},
    ],
)
def test_a_human_in_the_very_moment_of_a_write_is_noticed(world: Any, act: dict[str, Any]) -> None:
    first, _ = prepared(world, NOTE, ChangeTags(add=frozenset({"eu"}))).writes
    world.fault("edit", method="PUT", act=act)
    receipt = world.adapter.send(first, first.expects)
    assert receipt.remarks
    assert receipt.revision == first.expects  # so that the tag is not written on a ticket nobody decided on


def test_what_became_of_a_write_is_unknown_while_nobody_can_look(world: Any) -> None:
    (write,) = prepared(world, NOTE).writes
    world.fault("answer", path="*/ticket_history/*", status=502)
    with pytest.raises(OutcomeUnknown):
        world.adapter.send(write, write.expects)
    found = world.adapter.find_written(write)
    assert found is not None
    assert found.facts == (world.load().messages[-1].act.id,)


def test_a_note_whose_mark_was_dropped_is_known_by_its_words(worlds: Callable[..., Any]) -> None:
    with worlds(drops_preferences=True) as world:
        carried_out(world, NOTE)
        (write,) = prepared(world, NOTE).writes
        assert world.adapter.find_written(write) is None  # the words are older than the decision
        world.adapter.send(write, write.expects)
        assert world.adapter.find_written(write) is not None


def test_a_note_of_ours_with_another_mark_is_another(world: Any) -> None:
    (first,) = prepared(world, NOTE).writes
    (second,) = world.adapter.prepare(world.load(), (NOTE,), "another").writes
    world.adapter.send(second, second.expects)
    assert world.adapter.find_written(first) is None
    assert world.adapter.find_written(second) is not None


def test_a_tag_that_may_not_be_made_is_refused(worlds: Callable[..., Any]) -> None:
    with worlds(new_tags=False) as world:
        (write,) = prepared(world, ChangeTags(add=frozenset({"brand-new"}))).writes
        with pytest.raises(Exception, match="403"):
            world.adapter.send(write, write.expects)


def test_what_zammad_cannot_do_is_a_gap(world: Any) -> None:
    ann = agent(world, "Ann")
    for action in (Follow(person=ann), SetField(field="custom.nowhere", value="x")):
        made = prepared(world, action)
        assert (made.writes, len(made.gaps)) == ((), 1)


def test_a_priority_is_neither_guessed_nor_written_over_unseen(worlds: Callable[..., Any]) -> None:
    with worlds({"settings": {}}) as world:  # nothing counts as urgent
        assert prepared(world, RaisePriority(at_least=Priority.URGENT)).gaps
        world.desk.agent_changes(1, "Ann", priority="4 disaster")
        assert prepared(world, PutBackPriority(to=Priority.LOW)).gaps
        assert prepared(world, RaisePriority(at_least=Priority.HIGH)).gaps
