"""The contract on a simulated helpdesk: what is read, what is written once and over nobody's change, webhooks,
trouble."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.base import (
    AccessLost,
    ActionKind,
    Adapter,
    Gone,
    HookRequest,
    Malformed,
    NotAuthentic,
    Note,
    OutcomeUnknown,
    Stale,
    TryLater,
    VendorAction,
    WontAccept,
    Write,
)
from adapters.contract.sandbox import Sandbox
from adapters.contract.ticket import ALL, ROW, SKEW, carry_out, everything, one_of_each, ours, prepared
from policies.model import Instant, Need, Priority, Status, TicketRef, Who
from policies.plan import Assign, ChangeTags, Follow, RaisePriority, SetField

MANY = 110
"""More than a page of any helpdesk holds."""


class Reading:
    """The feeds, the census, and a loaded ticket."""

    def test_every_status_and_priority_has_a_common_word(self, sandbox: Sandbox) -> None:
        refs = list(sandbox.every_kind())
        sandbox.settle()
        tickets = [sandbox.adapter.load(ref, ALL) for ref in refs]
        assert {ticket.status for ticket in tickets} >= {Status.OPEN, Status.SOLVED, Status.CLOSED}
        assert {ticket.priority for ticket in tickets} >= set(Priority)
        listed = {ticket.ref for ticket in everything(sandbox.adapter.census)}
        over = (Status.SOLVED, Status.CLOSED)
        assert {ticket.ref for ticket in tickets if ticket.status not in over} <= listed
        assert not {ticket.ref for ticket in tickets if ticket.status in over} & listed

    def test_no_change_is_missed_while_pages_are_read(self, sandbox: Sandbox) -> None:
        refs = [sandbox.open(f"Ticket {number}") for number in range(30)]
        since = sandbox.now() - 60
        sandbox.settle()
        seen: dict[TicketRef, Instant] = {}
        cursor, rounds = None, 0
        changing = list(refs)
        while rounds < 2:  # the first may have begun before the last change
            page = sandbox.adapter.poll(cursor, since=since, limit=7)
            cursor = page.cursor
            seen.update({ticket.ref: ticket.updated for ticket in page.tickets})
            if changing:
                sandbox.agent_says(changing.pop(), "While you read.")
                sandbox.settle()
            else:
                rounds += not page.more
        now = {ref: sandbox.adapter.load(ref, ROW).updated for ref in refs}
        assert {ref: seen.get(ref) for ref in refs} == now

    def test_a_feed_begins_where_it_is_told_to(self, sandbox: Sandbox) -> None:
        since = sandbox.now()
        refs = {sandbox.open(f"Ticket {number}") for number in range(20)}
        sandbox.settle()
        assert refs <= {
            each.ref for each in everything(lambda cursor: sandbox.adapter.poll(cursor, since=since, limit=7))
        }

    def test_the_census_has_as_many_pages_as_it_takes(self, sandbox: Sandbox) -> None:
        refs = {sandbox.open(f"Ticket {number}") for number in range(MANY)}
        sandbox.settle()
        listed = [each.ref for each in everything(sandbox.adapter.census)]
        assert refs <= set(listed)
        assert len(listed) == len(set(listed))

    def test_a_long_conversation_is_loaded_whole(self, sandbox: Sandbox) -> None:
        for number in range(MANY):
            sandbox.customer_says(sandbox.ref, f"Still broken ({number}).")
        sandbox.settle()
        said = [each.body for each in sandbox.adapter.load(sandbox.ref, ALL).messages]
        assert all(any(f"({number})" in body for body in said) for number in range(MANY))

    def test_our_change_is_told_with_what_was_before(self, sandbox: Sandbox) -> None:
        before, directory = sandbox.adapter.load(sandbox.ref, ROW).group, sandbox.adapter.directory()
        second = directory.group(sandbox.second)
        assert before is not None
        assert second is not None
        (receipt,) = carry_out(sandbox, Assign(group=second, assignee=None))
        ticket = sandbox.adapter.load(sandbox.ref, ALL)
        told = [each for each in ticket.changes if each.field == "group" and each.act.id in receipt.facts]
        if Need.CHANGES in ticket.loaded and told:
            assert [(each.before, each.after, each.act.who) for each in told] == [
                (before.id, second.id, Who.BOT)
            ]
        assert ("group", before.id, second.id) in receipt.changed

    def test_who_said_it_is_told_apart(self, sandbox: Sandbox) -> None:
        sandbox.customer_says(sandbox.ref, "Still broken.")
        sandbox.agent_says(sandbox.ref, "Looking.")
        carry_out(sandbox, Note(public=False, body="Ours."))
        said = sandbox.adapter.load(sandbox.ref, ALL).messages
        who = {
            word: message.act.who
            for message in said
            for word in ("Still", "Looking", "Ours")
            if word in message.body
        }
        assert who == {"Still": Who.CUSTOMER, "Looking": Who.AGENT, "Ours": Who.BOT}
        assert all(0 < message.act.at <= sandbox.now() for message in said)
        assert not any(message.auto_reply for message in said)
        assert len({message.act.id for message in said}) == len(said)
        assert [message.act.sequence for message in said] == sorted(message.act.sequence for message in said)


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


def actions(sandbox: Sandbox) -> dict[ActionKind, VendorAction]:
    """One of every kind that changes a ticket which was just opened. What puts a priority back needs one that was
    raised before, and has a test of its own."""
    directory = sandbox.adapter.directory()
    agent = directory.agent(sandbox.agent)
    assert agent is not None
    name, value = sandbox.custom
    found = one_of_each(directory)
    del found["put_back"]
    return found | {
        "assign": Assign(group=directory.group(sandbox.second), assignee=None),
        "set": SetField(field=f"custom.{name}", value=value),
        "follow": Follow(person=agent.person),
    }


class Trouble:
    """Limits, outages, lost credentials."""

    def test_come_back_later_is_said_with_the_wait(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        calls: tuple[Callable[[], object], ...] = (
            lambda: sandbox.adapter.load(sandbox.ref, ROW),
            lambda: sandbox.adapter.send(write, write.expects),
        )
        for call in calls:
            sandbox.busy(17)
            with pytest.raises(TryLater) as told:
                call()
            assert told.value.wait == 17
            assert 17 in {wait for _, wait in sandbox.gate.held}
            sandbox.gate.held.clear()
        assert sandbox.written() == 0

    def test_every_request_goes_through_the_gate(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Counted."))
        for call in (*reads(sandbox), *about(sandbox, write), sandbox.adapter.probe):
            entered, came = len(sandbox.gate.entered), sandbox.requests()
            call()
            assert 0 < sandbox.requests() - came <= len(sandbox.gate.entered) - entered

    def test_a_closed_gate_lets_nothing_out(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Not now."))
        came, sandbox.gate.closed = sandbox.requests(), 31
        for call in (*reads(sandbox), *about(sandbox, write)):
            with pytest.raises(TryLater) as told:
                call()
            assert told.value.wait == 31
        assert sandbox.requests() == came

    def test_an_outage_is_never_an_empty_list(self, sandbox: Sandbox) -> None:
        sandbox.broken()
        for read in reads(sandbox):
            with pytest.raises(TryLater):
                read()

    def test_lost_credentials_are_said_by_every_call(self, sandbox: Sandbox) -> None:
        writes = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        sandbox.revoke()
        for read in reads(sandbox):
            with pytest.raises(AccessLost):
                read()
        with pytest.raises(AccessLost):
            sandbox.adapter.send(writes[0], writes[0].expects)


def about(sandbox: Sandbox, write: Write) -> tuple[Callable[[], object], ...]:
    """Every call about a write, and the look at the whole ticket before it."""
    adapter = sandbox.adapter
    return (
        lambda: adapter.load(write.ref, ALL),
        lambda: adapter.find_written(write),
        lambda: adapter.send(write, write.expects),
    )


def reads(sandbox: Sandbox) -> tuple[Callable[[], object], ...]:
    """Every call that reads."""
    adapter = sandbox.adapter
    return (
        lambda: adapter.load(sandbox.ref, ROW),
        lambda: adapter.census(None),
        lambda: adapter.poll(None, since=sandbox.now() - 60, limit=10),
        adapter.directory,
    )


class Hooks:
    """What the helpdesk posts."""

    def test_a_webhook_names_the_ticket_and_a_repeat_is_known(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        first, second = sandbox.adapter.decode(request), sandbox.adapter.decode(request)
        assert {event.ref for event in first} == {sandbox.ref}
        assert [event.delivery for event in first] == [event.delivery for event in second]
        sandbox.settle()
        other = sandbox.adapter.decode(sandbox.hook(sandbox.ref))
        assert {event.delivery for event in first}.isdisjoint(event.delivery for event in other)

    def test_a_forged_webhook_is_refused(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        for name in request.headers:
            bare = {key: value for key, value in request.headers.items() if key != name}
            for headers in (bare, bare | {name: "forged"}):
                decoded = attempt(sandbox.adapter, replace(request, headers=headers))
                assert decoded in (None, {sandbox.ref})
        with pytest.raises(NotAuthentic):
            sandbox.adapter.decode(replace(request, headers={}))

    def test_a_webhook_without_a_ticket_is_malformed_or_not_authentic(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        for body in (b"", b"[]", b"{", b"\xff\xfe", b'{"a": 1}', b"9" * 5000):
            with pytest.raises((Malformed, NotAuthentic)):
                sandbox.adapter.decode(replace(request, body=body))


def attempt(adapter: Adapter, request: HookRequest) -> set[TicketRef] | None:
    """The tickets a webhook names; None if it is not let in."""
    try:
        return {event.ref for event in adapter.decode(request)}
    except (NotAuthentic, Malformed):
        return None
