"""Looking back at one ticket: its history with what only Uptier knows of it, from its helpdesk or from an archive, and
what a look would have made of it at a past instant."""

from dataclasses import dataclass

from connector.config.holidays import calendars
from connector.store import accounts, ledger, writes
from connector.store.archive import Archive
from connector.store.database import Store
from connector.store.ledger import LedgerEntry
from connector.store.standings import wrote_on
from connector.store.writes import KeptWrite
from connector.work.budget import Desk
from connector.work.context import Unforeseeable, complete
from policies.hindsight import Hindsight, judged_then
from policies.history import OPENING
from policies.language.policy import PolicySet
from policies.model import FROM_HELPDESK, Directory, Instant, Ticket, TicketRef
from policies.past import UNASKED, asking_silenced, unknown_past, with_writes
from policies.replay import Rulebook

ORDERS = frozenset({"acknowledged", "snoozed", "escalated", "deescalated", "approved", "rejected"})
"""What the ledger calls orders that were carried out; an acknowledgement at the helpdesk has nobody as its `who`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTicket:
    """A ticket with its history, what of its past nobody tells, who works there, and the policies as they can be asked
    about it. `until` is how far its history reaches, `source` where it was read, `orders` what people ordered, as far
    as is known."""

    ticket: Ticket
    unknown: frozenset[str]
    directory: Directory
    policies: PolicySet
    until: Instant
    source: str
    orders: tuple[LedgerEntry, ...] = ()

    @property
    def subject(self) -> str:
        """What it is about, where its words are there."""
        return "" if UNASKED in self.ticket.hidden else self.ticket.subject

    def judged(self, at: Instant) -> Hindsight:
        """What a look would have made of it then, by these policies, in force since long before, each in its mode.
        Raises Unforeseeable for a time that its history does not reach."""
        ref = self.ticket.ref
        if at > self.until:
            raise Unforeseeable(
                f"{self.source} does not reach that time; without --archive the helpdesk is asked"
            )
        if at < self.ticket.created:
            raise Unforeseeable(f"{ref} came in after that time")
        rules = Rulebook(
            policies=self.policies,
            calendars=calendars(self.policies, at),
            first_ran={each.name: 0 for each in self.policies.policies},
        )
        return judged_then(self.ticket, self.unknown, rules, self.directory, at)


def from_helpdesk(store: Store, desk: Desk, policies: PolicySet, ref: TicketRef, now: Instant) -> PastTicket:
    """The ticket as its helpdesk tells its past now. Raises Unforeseeable before the first directory was read, and what
    `Adapter.load` raises."""
    with store.reading() as connection:
        known = accounts.read_directory(connection, ref.account)
        told = ledger.of_ticket(connection, ref)
    if known is None:
        raise Unforeseeable(f"the directory of {ref.account} has not been read yet; run uptier once")
    ticket, unknown = remembered(store, desk, desk.adapter.load(ref, FROM_HELPDESK), now)
    return PastTicket(
        ticket=ticket,
        unknown=unknown,
        directory=known.directory,
        policies=policies,
        until=now,
        source="the history that the helpdesk tells",
        orders=tuple(line for line in told if line.what in ORDERS and line.who != "uptier"),
    )


def from_archive(archive: Archive, policies: PolicySet, ref: TicketRef) -> PastTicket:
    """The ticket as it lies in an archive. Raises Unforeseeable where it does not."""
    row, directory = archive.row(ref), archive.directories().get(ref.account)
    if row is None or directory is None:
        raise Unforeseeable(f"{ref} is not in {archive.path}")
    ticket, said = row.ticket(), archive.said()
    if UNASKED in ticket.hidden:
        policies = asking_silenced(policies, said.asked, said.packs)
    return PastTicket(
        ticket=ticket,
        unknown=row.unknown,
        directory=directory,
        policies=policies,
        until=ticket.read_at or said.made,
        source=f"the archive {archive.path.name}",
    )


def remembered(store: Store, desk: Desk, read: Ticket, now: Instant) -> tuple[Ticket, frozenset[str]]:
    """The ticket, read whole just now, with what only Uptier knows of it, and what of its past nobody tells."""
    ref = read.ref
    with store.reading() as connection:
        receipts = writes.episodes_by_fact(connection, ref)
    ticket = complete(store, read, receipts, frozenset(), now)
    if not ticket.actors_hidden:
        return ticket, unknown_past(ticket, only_ours=False)
    with store.reading() as connection:
        sent = writes.of_ticket(connection, ref)
        wrote = wrote_on(connection, ref)
    receipts_sent = [each.receipt for each in sent if each.receipt is not None]
    facts = [fact for each in receipts_sent for fact in (*each.facts, each.revision)]
    order = {fact: place for place, fact in enumerate(facts)}
    ticket = with_writes(ticket, sorted(wrote, key=lambda one: order.get(one.fact, -1)))
    return ticket, unknown_past(ticket, only_ours=is_only_ours(ticket, sent, desk))


def is_only_ours(ticket: Ticket, sent: tuple[KeptWrite, ...], desk: Desk) -> bool:
    """Whether each revision is known, back to that in which the ticket came in: each of our writes met the revision
    that the one before it left."""
    stamp_of = desk.adapter.capabilities.revision_stamp
    before = {each.receipt.revision: each.write.expects for each in sent if each.receipt is not None}
    revision, steps = ticket.revision, 0
    while revision in before and steps <= len(before):
        revision, steps = before[revision], steps + 1
    stamp = ticket.updated if revision == ticket.revision else stamp_of(revision) if stamp_of else None
    return stamp is not None and stamp <= ticket.created + OPENING
