"""Who answers for an escalation: `owner` as written, resolved on the ticket and the directory (rule 9)."""

import re
from dataclasses import dataclass

from policies.memory import Owner
from policies.model import Directory, Group, Person, Ticket
from policies.policy import Level
from policies.staff import is_there, stand_in

CALL = re.compile(r"(lead_of|manager_of|on_call)\((.+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An owner, and a warning if they are not who the policy asked for."""

    owner: Owner
    warning: str | None = None


def owner_of(
    level: Level, ticket: Ticket, before: Owner | None, directory: Directory, default: str | None
) -> Named:
    """The owner of a level on the ticket as it is after the assignment; `before` is the owner until then."""
    asked = level.owner
    if asked is not None:
        found = resolved(asked, ticket, before, directory)
        return replaced(found, directory) if found else unresolved(asked, directory, default)
    if level.assign is not None:
        holder = of_person(ticket.assignee) or of_group(ticket.group)
        return Named(owner=holder) if holder else unresolved("assignee", directory, default)
    return Named(owner=before) if before else Named(owner=fallback(directory, default, ""))


def replaced(owner: Owner, directory: Directory) -> Named:
    """The owner, or who stands in while they are away."""
    if owner.kind == "group" or is_there(owner.name, directory):
        return Named(owner=owner)
    chain = stand_in(owner.name, directory)
    found = labelled(chain[-1], directory) if chain else None
    if found is None:
        return Named(owner=owner)
    return Named(owner=found, warning=f"{owner.name} is away; {found.name} stands in as owner")


def resolved(asked: str, ticket: Ticket, before: Owner | None, directory: Directory) -> Owner | None:
    """A name or a function of the ticket; None if it leads to nobody."""
    call = CALL.fullmatch(asked)
    if call is None:
        return of_person(ticket.assignee) if asked == "assignee" else by_name(asked, directory)
    function, argument = call.groups()
    if function == "on_call":
        return labelled(directory.on_call.get(argument), directory)
    if function == "lead_of":
        group = ticket.group if argument == "group" else group_of_assignee(ticket, directory)
        return labelled(directory.leads.get(group.name) if group else None, directory)
    return labelled(manager_of(argument, ticket, before, directory), directory)


def manager_of(argument: str, ticket: Ticket, before: Owner | None, directory: Directory) -> str | None:
    """The manager of the assignee or of the owner before; a group stands for its lead."""
    if argument == "assignee":
        label = ticket.assignee.label if ticket.assignee else None
    elif before is not None and before.kind == "group":
        label = directory.leads.get(before.name)
    else:
        label = before.name if before else None
    return directory.managers.get(label) if label else None


def group_of_assignee(ticket: Ticket, directory: Directory) -> Group | None:
    """The ticket's group if the assignee is in it, else the first by name of those they are in."""
    if ticket.assignee is None:
        return None
    member_of = groups_of(ticket.assignee, directory)
    if ticket.group is not None and ticket.group.id in member_of:
        return ticket.group
    theirs = (group for group in directory.groups if group.id in member_of)
    return min(theirs, key=lambda group: group.name, default=None)


def groups_of(person: Person, directory: Directory) -> frozenset[str]:
    """The ids of the groups a person is in."""
    found = (agent.groups for agent in directory.agents if agent.person.id == person.id)
    return next(found, frozenset())


def by_name(name: str, directory: Directory) -> Owner | None:
    """A group or a person of that name."""
    agent = directory.agent(name)
    return of_group(directory.group(name)) or of_person(agent.person if agent else None)


def labelled(label: str | None, directory: Directory) -> Owner | None:
    """A person whom the config names; they need not be in the directory."""
    if label is None:
        return None
    agent = directory.agent(label)
    return of_person(agent.person) if agent else Owner(name=label, kind="name")


def unresolved(asked: str, directory: Directory, default: str | None) -> Named:
    """The catch-all, with a warning that names what led to nobody."""
    owner = fallback(directory, default, asked)
    return Named(owner=owner, warning=f'owner "{asked}" leads to nobody; {owner.name} owns it instead')


def fallback(directory: Directory, default: str | None, asked: str) -> Owner:
    """`default_owner`; in observe there may be none, then what was asked for, or nobody's name."""
    name = default or asked or "nobody"
    return by_name(name, directory) or Owner(name=name, kind="name")


def of_person(person: Person | None) -> Owner | None:
    """A person as an owner."""
    return Owner(name=person.label, kind="person") if person else None


def of_group(group: Group | None) -> Owner | None:
    """A group as an owner."""
    return Owner(name=group.name, kind="group") if group else None
