"""What is written: once, on the ticket it was planned for, and never over what a human did."""

import contextlib

import pytest

from adapters.base import Gone, Note, OutcomeUnknown, Stale, TryLater, VendorAction, WontAccept
from adapters.contract.sandbox import Sandbox
from adapters.contract.ticket import ALL, ROW, SKEW, carry_out, everything, ours, prepared
from policies.model import Priority
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField


class Writing:
    """Every kind of action, and every way a write may end."""

    def test_a_reply_is_public(self, sandbox: Sandbox) -> None:
        if "reply" in sandbox.adapter.capabilities.actions:
            (receipt,) = carry_out(sandbox, Note(public=True, body="Dear customer."))
            assert [message.public for message in ours(sandbox, receipt)] == [True]

    def test_group_and_assignee_are_written_together(self, sandbox: Sandbox) -> None:
        directory = sandbox.adapter.directory()
        group, agent = directory.group(sandbox.second), directory.agent(sandbox.agent)
        assert group is not None
        assert agent is not None
        carry_out(sandbox, Assign(group=group, assignee=agent.person))
        ticket = sandbox.adapter.load(sandbox.ref, ROW)
        assert ticket.group == group
        assert ticket.assignee is not None
        assert ticket.assignee.id == agent.person.id
        carry_out(sandbox, Assign(group=group, assignee=None))
        assert sandbox.adapter.load(sandbox.ref, ROW).assignee is None

    def test_all_at_once_needs_no_write_twice(self, sandbox: Sandbox) -> None:
        group = sandbox.adapter.directory().group(sandbox.second)
        actions = (
            Assign(group=group, assignee=None),
            RaisePriority(at_least=Priority.URGENT),
            ChangeTags(add=frozenset({"uptier-contract"})),
            Note(public=False, body="All at once."),
        )
        carry_out(sandbox, *actions)
        assert not prepared(sandbox, *actions[:-1])

    def test_a_lost_reply_is_unknown_and_then_found(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Lost on the way back."))
        sandbox.drop_reply(applied=True)
        with pytest.raises(OutcomeUnknown):
            sandbox.adapter.send(write, write.expects)
        assert sandbox.adapter.find_written(write) is not None
        assert sandbox.written() == 1

    def test_a_lost_request_is_not_taken_for_written(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Lost on the way there."))
        sandbox.drop_reply(applied=False)
        with pytest.raises((OutcomeUnknown, TryLater)):
            sandbox.adapter.send(write, write.expects)
        assert sandbox.adapter.find_written(write) is None
        sandbox.adapter.send(write, write.expects)
        assert sandbox.written() == 1

    def test_a_human_in_between_wins(self, sandbox: Sandbox) -> None:
        writes = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        sandbox.agent_says(sandbox.ref, "I have it.")
        sandbox.settle()
        with pytest.raises(Stale):
            sandbox.adapter.send(writes[0], writes[0].expects)
        assert sandbox.written() == 0

    def test_the_tags_of_a_human_survive(self, sandbox: Sandbox) -> None:
        sandbox.agent_tags(sandbox.ref, "by-hand")
        sandbox.settle()
        before = sandbox.adapter.load(sandbox.ref, ROW).tags
        carry_out(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        assert sandbox.adapter.load(sandbox.ref, ROW).tags == before | {"uptier-contract"}

    def test_a_refused_write_is_not_tried_for_ever(self, sandbox: Sandbox) -> None:
        writes = prepared(sandbox, RaisePriority(at_least=Priority.URGENT))
        sandbox.refuse()
        with pytest.raises(WontAccept) as told:
            sandbox.adapter.send(writes[0], writes[0].expects)
        assert str(told.value)
        assert sandbox.written() == 0

    def test_a_ticket_that_is_gone_is_said_to_be(self, sandbox: Sandbox) -> None:
        writes = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        sandbox.delete(sandbox.ref)
        with pytest.raises(Gone):
            sandbox.adapter.send(writes[0], writes[0].expects)
        with contextlib.suppress(Gone):
            assert sandbox.adapter.load(sandbox.ref, ROW).gone
        assert sandbox.ref not in {ticket.ref for ticket in everything(sandbox.adapter.census)}

    def test_every_kind_of_action_is_found_once_it_is_written(self, sandbox: Sandbox) -> None:
        for kind, action in actions(sandbox).items():
            if kind not in sandbox.adapter.capabilities.actions:
                continue
            ref = sandbox.open(f"For {kind}")
            sandbox.settle()
            made = sandbox.adapter.prepare(sandbox.adapter.load(ref, ALL), (action,), f"contract:{kind}")
            assert (made.gaps, bool(made.writes)) == ((), True), kind
            written, revision = sandbox.written(), made.writes[0].expects
            for write in made.writes:
                assert sandbox.adapter.find_written(write) is None, kind
                receipt = sandbox.adapter.send(write, revision)
                revision = receipt.revision
                found = sandbox.adapter.find_written(write)
                assert found is not None, kind
                assert set(found.facts) >= set(receipt.facts)
                assert (found.key, found.revision) == (write.key, revision)
                assert receipt.key == write.key
                assert abs(receipt.at - sandbox.now()) <= SKEW
            assert sandbox.adapter.load(ref, ROW).revision == revision
            assert sandbox.written() - written == len(made.writes)

    def test_a_field_is_set(self, sandbox: Sandbox) -> None:
        name, value = sandbox.custom
        (receipt,) = carry_out(sandbox, SetField(field=f"custom.{name}", value=value))
        assert sandbox.adapter.load(sandbox.ref, ROW).custom[name] == value
        assert (f"custom.{name}", value) in {(field, after) for field, _, after in receipt.changed}
        assert not prepared(sandbox, SetField(field=f"custom.{name}", value=value))


def actions(sandbox: Sandbox) -> dict[str, VendorAction]:
    """One of every kind that changes a ticket which was just opened."""
    directory = sandbox.adapter.directory()
    agent = directory.agent(sandbox.agent)
    assert agent is not None
    name, value = sandbox.custom
    return {
        "assign": Assign(group=directory.group(sandbox.second), assignee=None),
        "priority": RaisePriority(at_least=Priority.URGENT),
        "tags": ChangeTags(add=frozenset({"uptier-contract"})),
        "set": SetField(field=f"custom.{name}", value=value),
        "follow": Follow(person=agent.person),
        "note": Note(public=False, body="To be found."),
        "reply": Note(public=True, body="Dear customer."),
    }
