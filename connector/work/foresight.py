"""What the policies would make of a ticket at some time, if nothing happened until then. Nothing is written."""

from dataclasses import replace

from connector.desks import Desk
from connector.public_holidays import calendars
from connector.store import accounts, tickets, writes
from connector.store.database import Store
from connector.work.complete import complete
from connector.work.loads import with_loads
from connector.work.rules import Rules
from policies.language.policy import PolicySet
from policies.model import Instant, Ticket, TicketRef
from policies.plan import Plan


class Unforeseeable(Exception):
    """The question has no answer; the text says why."""


def foresight(
    store: Store, desk: Desk, policies: PolicySet, ref: TicketRef, at: Instant
) -> tuple[Ticket, Plan]:
    """The ticket as the helpdesk has it now, and the plan that a look at `at` would make.

    Raises Unforeseeable before the first directory was read and for a time before the ticket's last change,
    and what `Adapter.load` raises.
    """
    with store.reading() as connection:
        known = accounts.read_directory(connection, ref.account)
        directory = None if known is None else with_loads(connection, known.directory, policies)
        names = None if known is None else known.names
        remembered = tickets.standings_of(connection, ref)
        ours = writes.episodes_by_fact(connection, ref)
        first_ran = accounts.first_runs(connection, ref.account)
    if directory is None:
        raise Unforeseeable(f"the directory of {ref.account} has not been read yet; run uptier once")
    read = desk.adapter.load(ref, policies.to_load)
    if at < read.updated:
        raise Unforeseeable(
            f"{ref} changed after that time; `uptier history {ref}` tells what happened before"
        )
    ticket = complete(store, replace(read, read_at=at), ours, policies.needs, at)
    rules = Rules(policies=policies, calendars=calendars(policies, at), first_ran={ref.account: first_ran})
    return ticket, rules.judge(ticket, remembered, directory, at, names=names)
