"""De-escalation: what an episode wrote is put back, as far as nobody has changed it since (rule 5)."""

from collections.abc import Iterator

from policies.model import Ticket
from policies.plan import Action, Assign, ChangeTags, PutBackPriority, SetField


def restoring(ticket: Ticket, before: Ticket) -> tuple[Action, ...]:
    """The actions that lead from the ticket as it is to how the episode's writes found it."""
    return tuple(differences(ticket, before))


def differences(ticket: Ticket, before: Ticket) -> Iterator[Action]:
    """One action for each thing that differs."""
    if (ticket.group, ticket.assignee) != (before.group, before.assignee):
        yield Assign(group=before.group, assignee=before.assignee)
    if ticket.priority != before.priority and before.priority is not None:
        yield PutBackPriority(to=before.priority)
    if ticket.tags != before.tags:
        yield ChangeTags(add=before.tags - ticket.tags, remove=ticket.tags - before.tags)
    for name, value in before.custom.items():
        if ticket.custom.get(name) != value:
            yield SetField(field=f"custom.{name}", value=value)
