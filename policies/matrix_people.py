"""Who answers at each level of a ladder: owners resolved for each team, on the directory as last read (rule 9).

Who is away today is left out: the matrix says how it is meant, on any day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from policies.lint import BLANK, lines_on, possible
from policies.memory import Owner
from policies.model import Agent, Directory, Group, Person, Ticket
from policies.owners import fallback, resolved
from policies.policy import AssignSpec, Level, Policy, PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who answers at a level for the tickets of one team; `team` is None if no team is known.

    `owner` None: nobody is found, so `default_owner` answers. `unknown`: it depends on who has the ticket, or on a
    directory that was never read.
    """

    team: Group | None
    owner: Owner | None
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """The people of an account. `read` says whether the directory came from the helpdesk; without, it holds whom the
    config names, and who is not in it may be there all the same."""

    directory: Directory
    default: str | None
    read: bool


def staffing(account: str, directory: Directory | None, policies: PolicySet) -> Staffing:
    """The directory as last read, else the people of the config."""
    known = standing(directory or named(account, policies), policies)
    return Staffing(directory=known, default=policies.default_owner, read=directory is not None)


def standing(read: Directory, policies: PolicySet) -> Directory:
    """The directory with what the config says of people, whoever is away now."""
    return replace(
        read,
        agents=tuple(replace(agent, available=None) for agent in read.agents),
        leads={**read.leads, **policies.leads},
        managers={**read.managers, **policies.managers},
        on_call={**read.on_call, **policies.on_call},
        substitutes=policies.staff.substitutes,
        away={},
    )


def named(account: str, policies: PolicySet) -> Directory:
    """The groups and people whom the config names."""
    tables = (policies.managers, policies.staff.substitutes)
    people = {label for table in tables for pair in table.items() for label in pair}
    people |= {*policies.leads.values(), *policies.on_call.values()}
    return Directory(
        account=account,
        groups=tuple(Group(id=name, name=name) for name in sorted({*policies.leads, *policies.on_call})),
        agents=tuple(Agent(person=Person(id=label, name=label)) for label in sorted(people)),
    )


def teams(policy: Policy, directory: Directory, only: str | None) -> tuple[Group, ...]:
    """The groups whose tickets the policy can be for."""
    asked, excluded = lines_on(policy.when, "group"), lines_on(policy.unless, "group")
    groups = directory.groups if only is None else (directory.group(only) or Group(id=only, name=only),)
    return tuple(each for each in groups if possible(asked, excluded, replace(BLANK, group=each)))


def holders(
    policy: Policy, groups: Sequence[Group], staff: Staffing
) -> tuple[tuple[tuple[Held, ...], ...], ...]:
    """By level and variant: who answers there, for each team."""
    climbs = [climb(policy, group, staff) for group in groups or (None,)]
    return tuple(tuple(zip(*same, strict=True)) for same in zip(*climbs, strict=True))


def climb(policy: Policy, team: Group | None, staff: Staffing) -> tuple[tuple[Held, ...], ...]:
    """A ticket of this team going up the whole ladder; for each level its variants."""
    ticket, steps = replace(BLANK, group=team), list[tuple[Held, ...]]()
    before: Held | None = None
    for level in policy.levels:
        moved = [assigned(variant.assign, ticket, staff.directory) for variant in level.variants]
        step = tuple(
            replace(answering(variant, after, before, staff), team=team)
            for variant, after in zip(level.variants, moved, strict=True)
        )
        ticket, before = moved[0], in_the_end(step[0], level, staff)
        steps.append(step)
    return tuple(steps)


def in_the_end(held: Held, level: Level, staff: Staffing) -> Held:
    """The same with who answers where nobody was found."""
    if held.owner is not None or held.unknown:
        return held
    return replace(held, owner=fallback(staff.directory, staff.default, level.owner or ""))


def assigned(assign: AssignSpec | None, ticket: Ticket, directory: Directory) -> Ticket:
    """The ticket as it is after an assignment; who a strategy picks is not known before."""
    if assign is None:
        return ticket
    if assign.group is not None:
        group = directory.group(assign.group) or Group(id=assign.group, name=assign.group)
        ticket = replace(ticket, group=group, assignee=None)
    agent = directory.agent(assign.agent) if assign.agent else None
    return replace(ticket, assignee=agent.person if agent else None)


def answering(level: Level, ticket: Ticket, before: Held | None, staff: Staffing) -> Held:
    """Who answers at a level on this ticket, given who did before."""
    if level.owner is None and level.assign is None:
        return before or Held(team=None, owner=fallback(staff.directory, staff.default, ""))
    asked = level.owner or "assignee"
    unassigned = ticket.assignee is None and "assignee" in (asked, argument(asked))
    if unassigned or (argument(asked) == "owner" and before is not None and before.unknown):
        return Held(team=None, owner=None, unknown=True)
    owner = resolved(asked, ticket, before.owner if before else None, staff.directory)
    return Held(team=None, owner=owner, unknown=owner is None and not staff.read)


def argument(owner: str) -> str:
    """What stands in the brackets of a function."""
    return owner.partition("(")[2].removesuffix(")")


def lost(level: Level, team: Group | None, directory: Directory) -> tuple[str, ...]:
    """The agents of a team for whose tickets a function of the assignee leads to nobody."""
    if level.owner is None or argument(level.owner) != "assignee":
        return ()
    members = [each for each in directory.agents if each.active and (team is None or team.id in each.groups)]
    found = {
        each.person.label: resolved(
            level.owner, replace(BLANK, group=team, assignee=each.person), None, directory
        )
        for each in members
    }
    return tuple(label for label, owner in found.items() if owner is None)


def by_owner(held: Sequence[Held], default: str | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Who answers, each with the teams for whose tickets; without teams if it is the same for all. What cannot be
    known is left out."""
    found: dict[str, list[str]] = {}
    for each in held:
        name = each.owner.name if each.owner else default
        if name is not None and not each.unknown:
            found.setdefault(name, []).append(each.team.name if each.team else "")
    same = len(found) == 1 and all(len(names) == len(held) for names in found.values())
    return tuple((name, () if same else tuple(names)) for name, names in found.items())
