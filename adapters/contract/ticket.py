"""The part of the contract that needs nothing but one ticket, so that it also runs on a live trial account.

It writes a tag, a few notes and a priority there. Needs pytest.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Protocol

from adapters.base import ActionKind, Adapter, Note, Page, Receipt, VendorAction, Write
from policies.model import FROM_HELPDESK, Directory, Instant, Message, Need, Priority, Ticket, TicketRef, Who
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

ALL = FROM_HELPDESK
ROW = frozenset[Need]()
PAGES = 1000
"""More pages than any sandbox has: a feed that is longer does not end."""

SKEW = 60
"""Seconds by which a helpdesk's stamps may differ from its sandbox's time."""


class OneTicket(Protocol):
    """A helpdesk with one ticket that may be played with: open, in a group, without priority urgent."""

    adapter: Adapter
    ref: TicketRef

    def settle(self) -> None:
        """Let enough time pass that the last change may be decided on."""

    def now(self) -> Instant:
        """The helpdesk's time."""


class OnAnyTicket:
    """What holds on one ticket, on a simulator and on a live trial account."""

    def test_the_directory_names_groups_and_the_people_in_them(self, sandbox: OneTicket) -> None:
        directory = sandbox.adapter.directory()
        groups = {group.id for group in directory.groups}
        assert groups
        assert len(groups) == len(directory.groups)
        assert directory.agents
        assert all(agent.groups <= groups for agent in directory.agents)
        assert all(agent.person.label for agent in directory.agents)

    def test_the_census_lists_each_open_ticket_once(self, sandbox: OneTicket) -> None:
        listed = [ticket.ref for ticket in everything(sandbox.adapter.census)]
        assert sandbox.ref in listed
        assert len(listed) == len(set(listed))

    def test_a_listed_ticket_says_what_a_loaded_one_says(self, sandbox: OneTicket) -> None:
        (listed,) = (each for each in everything(sandbox.adapter.census) if each.ref == sandbox.ref)
        loaded = sandbox.adapter.load(sandbox.ref, ROW)
        assert listed.loaded == loaded.loaded == ROW
        for name in ("subject", "status", "priority", "tags", "created", "revision"):
            assert getattr(listed, name) == getattr(loaded, name), name
        pairs = (("group", listed.group, loaded.group), ("assignee", listed.assignee, loaded.assignee))
        for name, short, whole in pairs:
            assert (short and short.id) == (whole and whole.id)
            assert name in listed.hidden or short == whole

    def test_times_are_the_helpdesks(self, sandbox: OneTicket) -> None:
        sandbox.settle()
        ticket = sandbox.adapter.load(sandbox.ref, ROW)
        assert 0 < ticket.created <= ticket.updated <= sandbox.now() + SKEW
        assert abs(ticket.read_at - sandbox.now()) <= SKEW

    def test_what_is_asked_for_is_loaded_and_nothing_else(self, sandbox: OneTicket) -> None:
        for needs in (ROW, *(frozenset({need}) for need in ALL), ALL):
            ticket = sandbox.adapter.load(sandbox.ref, needs)
            assert ticket.loaded >= needs
            assert Need.MESSAGES in ticket.loaded or not ticket.messages
            assert Need.CHANGES in ticket.loaded or not ticket.changes

    def test_a_feed_ends_and_goes_on_from_its_cursor(self, sandbox: OneTicket) -> None:
        page = last(lambda cursor: sandbox.adapter.poll(cursor, since=sandbox.now() - 60, limit=50))
        assert page.cursor
        assert not page.more
        assert not last(lambda cursor: sandbox.adapter.poll(cursor or page.cursor, since=0, limit=50)).more

    def test_a_tag_is_added_and_taken_away_and_others_stay(self, sandbox: OneTicket) -> None:
        before = sandbox.adapter.load(sandbox.ref, ROW).tags
        carry_out(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        assert sandbox.adapter.load(sandbox.ref, ROW).tags == before | {"uptier-contract"}
        carry_out(sandbox, ChangeTags(remove=frozenset({"uptier-contract"})))
        assert sandbox.adapter.load(sandbox.ref, ROW).tags == before

    def test_a_note_is_internal_and_ours(self, sandbox: OneTicket) -> None:
        (receipt,) = carry_out(sandbox, Note(public=False, body="A note by the contract."))
        (said,) = ours(sandbox, receipt)
        assert not said.public
        assert "A note by the contract." in said.body
        assert said.act.who is Who.BOT

    def test_priority_is_raised_and_never_lowered(self, sandbox: OneTicket) -> None:
        carry_out(sandbox, RaisePriority(at_least=Priority.URGENT))
        assert sandbox.adapter.load(sandbox.ref, ROW).priority is Priority.URGENT
        assert not prepared(sandbox, RaisePriority(at_least=Priority.LOW))

    def test_a_priority_is_put_back_and_found_written(self, sandbox: OneTicket) -> None:
        before = sandbox.adapter.load(sandbox.ref, ROW).priority
        if "put_back" not in sandbox.adapter.capabilities.actions or before is None:
            return
        carry_out(sandbox, RaisePriority(at_least=Priority.URGENT))
        (write,) = prepared(sandbox, PutBackPriority(to=before))
        assert sandbox.adapter.find_written(write) is None
        receipt = sandbox.adapter.send(write, write.expects)
        assert sandbox.adapter.load(sandbox.ref, ROW).priority is before
        assert ("priority", Priority.URGENT, before) in receipt.changed
        assert sandbox.adapter.find_written(write) is not None
        assert not prepared(sandbox, PutBackPriority(to=before))

    def test_what_holds_already_is_not_written(self, sandbox: OneTicket) -> None:
        ticket = sandbox.adapter.load(sandbox.ref, ROW)
        held = ticket.priority or Priority.LOW
        assert not prepared(
            sandbox, ChangeTags(add=ticket.tags), Assign(group=ticket.group, assignee=ticket.assignee)
        )
        assert ticket.priority is None or not prepared(sandbox, RaisePriority(at_least=held))

    def test_a_write_can_be_kept_as_json(self, sandbox: OneTicket) -> None:
        for write in prepared(
            sandbox, Note(public=False, body="Kept."), ChangeTags(add=frozenset({"uptier-kept"}))
        ):
            assert json.loads(json.dumps(dict(write.request))) == write.request
            assert json.dumps([asdict(action) for action in write.intent], default=sorted)

    def test_what_was_written_is_found_and_what_was_not_is_not(self, sandbox: OneTicket) -> None:
        for write in prepared(sandbox, Note(public=False, body="To be found.")):
            assert sandbox.adapter.find_written(write) is None
            receipt = sandbox.adapter.send(write, write.expects)
            found = sandbox.adapter.find_written(write)
            assert found is not None
            assert set(found.facts) >= set(receipt.facts)

    def test_a_kind_it_does_not_have_is_a_gap_and_no_write(self, sandbox: OneTicket) -> None:
        directory = sandbox.adapter.directory()
        ticket = sandbox.adapter.load(sandbox.ref, ROW)
        kinds = one_of_each(directory)
        for kind in kinds.keys() - sandbox.adapter.capabilities.actions:
            made = sandbox.adapter.prepare(ticket, (kinds[kind],), "contract")
            assert made.gaps
            assert not made.writes

    def test_the_probe_finds_nothing_fatal(self, sandbox: OneTicket) -> None:
        findings = sandbox.adapter.probe()
        assert findings
        assert [finding for finding in findings if finding.fatal] == []


def one_of_each(directory: Directory) -> dict[ActionKind, VendorAction]:
    """An action of every kind, for any ticket that is open and not urgent."""
    return {
        "assign": Assign(group=directory.groups[0], assignee=None),
        "priority": RaisePriority(at_least=Priority.URGENT),
        "put_back": PutBackPriority(to=Priority.LOW),
        "tags": ChangeTags(add=frozenset({"uptier-contract"})),
        "set": SetField(field="custom.nowhere", value="x"),
        "follow": Follow(person=directory.agents[0].person),
        "note": Note(public=False, body="To be found."),
        "reply": Note(public=True, body="Dear customer."),
    }


def everything(census: Callable[[str | None], Page]) -> Iterator[Ticket]:
    """The tickets of all pages."""
    cursor = None
    for _ in range(PAGES):
        page = census(cursor)
        yield from page.tickets
        if not page.more:
            return
        cursor = page.cursor
    raise AssertionError("this feed does not end")


def last(feed: Callable[[str | None], Page]) -> Page:
    """The last page."""
    page = feed(None)
    for _ in range(PAGES):
        if not page.more:
            return page
        page = feed(page.cursor)
    raise AssertionError("this feed does not end")


def prepared(sandbox: OneTicket, *actions: VendorAction) -> tuple[Write, ...]:
    """The writes of these actions on the ticket as it stands once it has settled."""
    sandbox.settle()
    made = sandbox.adapter.prepare(
        sandbox.adapter.load(sandbox.ref, ALL), actions, f"contract:{sandbox.now()}:level"
    )
    assert made.gaps == ()
    return made.writes


def carry_out(sandbox: OneTicket, *actions: VendorAction) -> list[Receipt]:
    """Prepare and send, each write on the revision after the one before it."""
    receipts: list[Receipt] = []
    for write in prepared(sandbox, *actions):
        receipts.append(sandbox.adapter.send(write, receipts[-1].revision if receipts else write.expects))
        assert receipts[-1].key == write.key
    sandbox.settle()
    return receipts


def ours(sandbox: OneTicket, receipt: Receipt) -> list[Message]:
    """The messages of the ticket that a receipt names, by their ids or by the marks that they carry."""
    said = sandbox.adapter.load(sandbox.ref, ALL).messages
    named = frozenset(receipt.facts)
    return [message for message in said if {message.act.id, message.act.mark} & named]
