"""Whom a level assigns the ticket to: groups, people and strategies, on the directory as last read (rule 9)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from policies.model import Agent, Directory, Group, Person, Ticket
from policies.owners import groups_of
from policies.plan import Assign
from policies.policy import AssignSpec
from policies.staff import stand_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The assignment, None if it cannot be made, what should be said of it, and whether it was a turn of
    round robin. `why` is the reason for the person, `passed_over` for each who was not considered."""

    assign: Assign | None
    remark: str | None = None
    turn: bool = False
    why: str = ""
    passed_over: tuple[str, ...] = ()


def choose(spec: AssignSpec, ticket: Ticket, directory: Directory, clock: str) -> Chosen:
    """The assignment that this level makes on this ticket."""
    group = ticket.group if spec.group is None else directory.group(spec.group)
    if spec.group is not None and group is None:
        return Chosen(assign=None, remark=f'there is no group "{spec.group}"; the ticket stays where it is')
    if spec.agent is None:
        return Chosen(assign=Assign(group=group, assignee=keeper(ticket, group, directory)))
    if spec.agent in RANKS or spec.agent == "on_call":
        return by_strategy(spec, ticket, group, directory, clock)
    return to_person(spec.agent, ticket, group if spec.group else None, directory)


def assignment_reads(spec: AssignSpec) -> frozenset[str]:
    """What of the ticket must be shown to make this assignment, in the words of `Ticket.hidden`."""
    keeps = spec.agent is None or spec.agent in RANKS
    names = {
        "assignee" if keeps else "",
        "group" if spec.group is None else "",
        "tags" if spec.skill == "by_tag" else "",
    }
    return frozenset(names - {""})


def keeper(ticket: Ticket, group: Group | None, directory: Directory) -> Person | None:
    """The assignee, if they are a member of the group the ticket goes to."""
    person = ticket.assignee
    stays = person is not None and group is not None and group.id in groups_of(person, directory)
    return person if stays else None


def to_person(label: str, ticket: Ticket, group: Group | None, directory: Directory) -> Chosen:
    """A named person, or who stands in. Without a named group they keep the ticket's, or bring their default group."""
    agent = directory.agent(label)
    if agent is None:
        remark = f'"{label}" is not known in the directory'
        return nobody(group, remark) if group else Chosen(assign=None, remark=remark)
    present, why = there(agent, directory)
    if present is None:
        return nobody(group or home(agent, ticket, directory) or ticket.group, why)
    return Chosen(
        assign=Assign(group=group or home(present, ticket, directory), assignee=present.person), why=why
    )


def there(agent: Agent, directory: Directory) -> tuple[Agent | None, str]:
    """The agent if present, else the first present one who stands in, and why it is them or nobody."""
    if is_present(agent):
        return agent, ""
    chain = stand_in(agent.person.label, directory)
    found = directory.agent(chain[-1]) if chain else None
    if found is None:
        return None, f"{agent.person.label} is {away(agent)}"
    return found, f"stands in for {agent.person.label}, who is {away(agent)}"


def home(agent: Agent, ticket: Ticket, directory: Directory) -> Group | None:
    """The ticket's group if the agent is in it, else the agent's default group."""
    if ticket.group is not None and ticket.group.id in agent.groups:
        return ticket.group
    return next((group for group in directory.groups if group.id == agent.default_group), ticket.group)


def by_strategy(
    spec: AssignSpec, ticket: Ticket, group: Group | None, directory: Directory, clock: str
) -> Chosen:
    """The member whom the strategy picks; a present assignee of the group keeps the ticket."""
    strategy = spec.agent or ""
    if group is None:
        return Chosen(assign=None, remark=f"{strategy} needs a group, and the ticket is in none")
    if strategy == "on_call":
        return on_call(group, directory)
    everybody = sorted(members(group, directory), key=lambda agent: agent.person.label)
    holder = ticket.assignee.id if ticket.assignee else None
    wanted = skills_wanted(spec, ticket, everybody)
    silent = holder if clock == "assignee_silent" else None
    obstacles = [(agent, obstacle(agent, holder, silent, wanted)) for agent in everybody]
    able = [agent for agent, why in obstacles if why is None]
    passed_over = tuple(f"{agent.person.label} ({why})" for agent, why in obstacles if why is not None)
    keeps = next((agent for agent in able if agent.person.id == holder), None)
    picked = keeps or min(able, key=RANKS[strategy](group, directory), default=None)
    if picked is None:
        return replace(nobody(group, f"nobody in {group.name} is available"), passed_over=passed_over)
    why = "has the ticket already" if keeps else WORDS[strategy](picked)
    return Chosen(
        assign=Assign(group=group, assignee=picked.person),
        turn=strategy == "round_robin" and keeps is None,
        why=why,
        passed_over=passed_over,
    )


def skills_wanted(spec: AssignSpec, ticket: Ticket, everybody: list[Agent]) -> frozenset[str]:
    """The skills that the ticket needs: the one that is named, or those among its tags that anybody here has."""
    if spec.skill is None:
        return frozenset()
    if spec.skill != "by_tag":
        return frozenset({spec.skill})
    return ticket.tags & frozenset[str]().union(*(agent.skills for agent in everybody))


def obstacle(agent: Agent, holder: str | None, silent: str | None, wanted: frozenset[str]) -> str | None:
    """Why this member is not considered. A cap keeps nobody from what they have already."""
    if not is_present(agent):
        return away(agent)
    if agent.person.id == silent:
        return "has been silent on it"
    if lacks := sorted(wanted - agent.skills):
        return f"lacks skill {', '.join(lacks)}"
    full = agent.cap is not None and agent.open_load is not None and agent.open_load >= agent.cap
    if full and agent.person.id != holder:
        return f"has {agent.open_load} open tickets, cap {agent.cap}"
    return None


def on_call(group: Group, directory: Directory) -> Chosen:
    """Whoever the schedule names, or who stands in for them."""
    label = directory.on_call.get(group.name)
    agent = directory.agent(label) if label else None
    if agent is None:
        return nobody(group, f"nobody is on call for {group.name}")
    present, why = there(agent, directory)
    if present is None:
        return nobody(group, f"{agent.person.label}, on call for {group.name}, is {away(agent)}")
    return Chosen(assign=Assign(group=group, assignee=present.person), why=why or f"on call for {group.name}")


def nobody(group: Group | None, why: str) -> Chosen:
    """The group, unassigned, and said."""
    return Chosen(assign=Assign(group=group, assignee=None), remark=f"{why}; nobody is assigned")


def members(group: Group, directory: Directory) -> list[Agent]:
    """The agents in a group."""
    return [agent for agent in directory.agents if group.id in agent.groups]


def is_present(agent: Agent) -> bool:
    """Whether the agent can be given work; where the helpdesk does not tell, they can."""
    return agent.active and agent.available is not False


def away(agent: Agent) -> str:
    """How it is called that an agent cannot be given work."""
    return agent.why_away or "away"


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


def least(agent: Agent) -> str:
    """Why the least loaded was picked."""
    known = agent.open_load is not None
    return f"least loaded ({agent.open_load} open tickets)" if known else "first by address; no load is known"


WORDS: Mapping[str, Callable[[Agent], str]] = {
    "least_loaded": least,
    "round_robin": lambda _agent: "longest without a turn",
}


def after(ticket: Ticket, assign: Assign | None) -> Ticket:
    """The ticket as it is once assigned."""
    return replace(ticket, group=assign.group, assignee=assign.assignee) if assign else ticket


def reasons_of(chosen: Chosen) -> str:
    """Why this person, and why not the others, in one line."""
    person = chosen.assign.assignee if chosen.assign else None
    picked = f"{person.label}: {chosen.why}" if person is not None and chosen.why else ""
    over = f"passed over: {', '.join(chosen.passed_over)}" if chosen.passed_over else ""
    return "; ".join(part for part in (picked, over) if part)
