"""What is read: every kind of ticket, every change, whole pages and whole conversations."""

from adapters.base import Note
from adapters.contract.sandbox import Sandbox
from adapters.contract.ticket import ALL, ROW, carry_out, everything
from policies.model import Instant, Need, Priority, Status, TicketRef, Who
from policies.plan import Assign

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
