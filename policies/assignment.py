"""Whom a level assigns the ticket to: groups, people and strategies, on the directory as last read (rule 9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from policies.model import Agent, Directory, Group, Person, Ticket
from policies.owners import groups_of
from policies.plan import Assign
from policies.policy import AssignSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The assignment, None if it cannot be made, what should be said of it, and whether it was a turn of
    round robin."""

    assign: Assign | None
    remark: str | None = None
    turn: bool = False


def choose(spec: AssignSpec, ticket: Ticket, directory: Directory, clock: str) -> Chosen:
    """The assignment that this level makes on this ticket."""
    group = ticket.group if spec.group is None else directory.group(spec.group)
    if spec.group is not None and group is None:
        return Chosen(assign=None, remark=f'there is no group "{spec.group}"; the ticket stays where it is')
    if spec.agent is None:
        return Chosen(assign=Assign(group=group, assignee=keeper(ticket, group, directory)))
    if spec.agent in RANKS or spec.agent == "on_call":
        return by_strategy(spec.agent, ticket, group, directory, clock)
    return to_person(spec.agent, ticket, group if spec.group else None, directory)


def keeper(ticket: Ticket, group: Group | None, directory: Directory) -> Person | None:
    """The assignee, if they are a member of the group the ticket goes to."""
    person = ticket.assignee
    stays = person is not None and group is not None and group.id in groups_of(person, directory)
    return person if stays else None


def to_person(label: str, ticket: Ticket, group: Group | None, directory: Directory) -> Chosen:
    """A named person. Without a named group they keep the ticket's, or bring their default group."""
    agent = directory.agent(label)
    if agent is None:
        remark = f'"{label}" is not known in the directory'
        return nobody(group, remark) if group else Chosen(assign=None, remark=remark)
    target = group or home(agent, ticket, directory)
    if not is_present(agent):
        return nobody(target or ticket.group, f"{agent.person.label} is away")
    return Chosen(assign=Assign(group=target, assignee=agent.person))


def home(agent: Agent, ticket: Ticket, directory: Directory) -> Group | None:
    """The ticket's group if the agent is in it, else the agent's default group."""
    if ticket.group is not None and ticket.group.id in agent.groups:
        return ticket.group
    return next((group for group in directory.groups if group.id == agent.default_group), ticket.group)


def by_strategy(
    strategy: str, ticket: Ticket, group: Group | None, directory: Directory, clock: str
) -> Chosen:
    """The member whom the strategy picks; a present assignee of the group keeps the ticket."""
    if group is None:
        return Chosen(assign=None, remark=f"{strategy} needs a group, and the ticket is in none")
    if strategy == "on_call":
        return on_call(group, directory)
    present = sorted((a for a in members(group, directory) if is_present(a)), key=lambda a: a.person.label)
    holder = ticket.assignee.id if ticket.assignee else None
    if clock == "assignee_silent":
        present = [agent for agent in present if agent.person.id != holder]
    keeps = next((agent for agent in present if agent.person.id == holder), None)
    picked = keeps or min(present, key=RANKS[strategy](group, directory), default=None)
    if picked is None:
        return nobody(group, f"nobody in {group.name} is available")
    turn = strategy == "round_robin" and keeps is None
    return Chosen(assign=Assign(group=group, assignee=picked.person), turn=turn)


def on_call(group: Group, directory: Directory) -> Chosen:
    """Whoever the schedule names, unless away."""
    label = directory.on_call.get(group.name)
    agent = directory.agent(label) if label else None
    if agent is None:
        return nobody(group, f"nobody is on call for {group.name}")
    if not is_present(agent):
        return nobody(group, f"{agent.person.label}, on call for {group.name}, is away")
    return Chosen(assign=Assign(group=group, assignee=agent.person))


def nobody(group: Group | None, why: str) -> Chosen:
    """The group, unassigned, and said."""
    return Chosen(assign=Assign(group=group, assignee=None), remark=f"{why}; nobody is assigned")


def members(group: Group, directory: Directory) -> list[Agent]:
    """The agents in a group."""
    return [agent for agent in directory.agents if group.id in agent.groups]


def is_present(agent: Agent) -> bool:
    """Whether the agent can be given work; where the helpdesk does not tell, they can."""
    return agent.active and agent.available is not False


Rank = Callable[[Agent], tuple[int, int]]


def load_in(group: Group, directory: Directory) -> Rank:
    """The least loaded first; agents whose load is not known come last."""
    del group, directory
    return lambda agent: (agent.open_load is None, agent.open_load or 0)


def turn_in(group: Group, directory: Directory) -> Rank:
    """Whom round robin served longest ago in this group, never first."""
    served = directory.served
    never = min(served.values(), default=0) - 1
    return lambda agent: (served.get((group.id, agent.person.id), never), 0)


RANKS: Mapping[str, Callable[[Group, Directory], Rank]] = {"least_loaded": load_in, "round_robin": turn_in}
"""The strategies that choose among a group's members: the lowest rank is picked."""


def after(ticket: Ticket, assign: Assign | None) -> Ticket:
    """The ticket as it is once assigned."""
    return replace(ticket, group=assign.group, assignee=assign.assignee) if assign else ticket
