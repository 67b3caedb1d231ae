"""Who answers for an escalation and whom a level assigns: names, functions and strategies on the directory
(rule 9)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from policies.language.document import nearest
from policies.language.policy import AssignSpec, Level, PolicySet, is_there, stand_in
from policies.language.references import KnownAccount
from policies.language.vocabulary import ASSIGNEE, GROUP, STRATEGIES, Strategy, call_of, ranks
from policies.model import Agent, Directory, Group, Person, Ticket
from policies.plan import Assign
from policies.state import Owner, Ownership, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An owner, and a warning if they are not who the policy asked for."""

    owner: Owner
    warning: str | None = None


def owner_of(
    level: Level, ticket: Ticket, before: Owner | None, directory: Directory, default: str | None
) -> Named:
    """The owner of a level on the ticket as it is after the assignment; `before` is the owner until then.
    For one who is away somebody may stand in."""
    asked = level.owner
    if asked is not None:
        found = resolved(asked, ticket, before, directory)
        if found is None:
            return unresolved(asked, directory, default)
        if found.kind == "group" or is_there(found.name, directory):
            return Named(owner=found)
        chain = stand_in(found.name, directory)
        instead = labelled(chain[-1], directory) if chain else None
        if instead is None:
            return Named(owner=found)
        return Named(owner=instead, warning=f"{found.name} is away; {instead.name} stands in as owner")
    if level.assign is not None:
        holder = of_person(ticket.assignee) or of_group(ticket.group)
        return Named(owner=holder) if holder else unresolved("assignee", directory, default)
    return Named(owner=before) if before else Named(owner=fallback(directory, default, ""))


def resolved(asked: str, ticket: Ticket, before: Owner | None, directory: Directory) -> Owner | None:
    """A name or a function of the ticket; None if it leads to nobody."""
    if asked == ASSIGNEE:
        return of_person(ticket.assignee)
    call = call_of(asked)
    if call is None:
        return by_name(asked, directory)
    function, argument = call
    return labelled(function.find(argument, ticket, before, directory), directory)


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
        holder = ticket.assignee
        stays = holder is not None and group is not None and group.id in directory.groups_of(holder)
        return Chosen(assign=Assign(group=group, assignee=holder if stays else None))
    if spec.agent in STRATEGIES:
        return by_strategy(spec, STRATEGIES[spec.agent], ticket, group, directory, clock)
    return to_person(spec.agent, ticket, group if spec.group else None, directory)


def assignment_reads(spec: AssignSpec) -> frozenset[str]:
    """What of the ticket must be shown to make this assignment, in the words of `Ticket.hidden`."""
    keeps = spec.agent is None or ranks(spec.agent)
    if spec.back:
        return frozenset({"assignee", "group"})
    names = {
        "assignee" if keeps else "",
        "group" if spec.group is None else "",
        "tags" if spec.skill == "by_tag" else "",
    }
    return frozenset(names - {""})


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
    spec: AssignSpec,
    strategy: Strategy,
    ticket: Ticket,
    group: Group | None,
    directory: Directory,
    clock: str,
) -> Chosen:
    """The member whom the strategy picks; a present assignee of the group keeps the ticket."""
    if group is None:
        return Chosen(assign=None, remark=f"{strategy.name} needs a group, and the ticket is in none")
    if strategy.rank is None:
        return on_duty(strategy, group, directory)
    everybody = sorted(members(group, directory), key=lambda agent: agent.person.label)
    holder = ticket.assignee.id if ticket.assignee else None
    wanted = skills_wanted(spec, ticket, everybody)
    silent = holder if clock == "assignee_silent" else None
    obstacles = [(agent, obstacle(agent, holder, silent, wanted)) for agent in everybody]
    able = [agent for agent, why in obstacles if why is None]
    passed_over = tuple(f"{agent.person.label} ({why})" for agent, why in obstacles if why is not None)
    keeps = next((agent for agent in able if agent.person.id == holder), None)
    picked = keeps or min(able, key=strategy.rank(group, directory), default=None)
    if picked is None:
        return replace(nobody(group, f"nobody in {group.name} is available"), passed_over=passed_over)
    why = "has the ticket already" if keeps else strategy.because(group, picked)
    return Chosen(
        assign=Assign(group=group, assignee=picked.person),
        turn=strategy.takes_turns and keeps is None,
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


def on_duty(strategy: Strategy, group: Group, directory: Directory) -> Chosen:
    """Whoever the strategy names, or who stands in for them."""
    label = strategy.named(group, directory) if strategy.named else None
    agent = directory.agent(label) if label else None
    because = strategy.because(group, agent)
    if agent is None:
        return nobody(group, f"nobody is {because}")
    present, why = there(agent, directory)
    if present is None:
        return nobody(group, f"{agent.person.label}, {because}, is {away(agent)}")
    return Chosen(assign=Assign(group=group, assignee=present.person), why=why or because)


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


def reasons_of(chosen: Chosen) -> str:
    """Why this person, and why not the others, in one line."""
    person = chosen.assign.assignee if chosen.assign else None
    picked = f"{person.label}: {chosen.why}" if person is not None and chosen.why else ""
    over = f"passed over: {', '.join(chosen.passed_over)}" if chosen.passed_over else ""
    return "; ".join(part for part in (picked, over) if part)


def ticket_owner(states: tuple[Standing, ...]) -> Owner | None:
    """The ticket's owner: by the latest passing among these, which are in policy order: at one instant the first wins.
    What was only observed counts as long as nothing was enforced. None before the first passed level."""
    latest: Ownership | None = None
    for state in states:
        one = state.ownership
        if one is not None and (latest is None or (one.enforced, one.at) > (latest.enforced, latest.at)):
            latest = one
    return latest.owner if latest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A level that is not enforced on an account, and why."""

    policy: str
    level: str
    why: str

    @property
    def said(self) -> str:
        """The same for a person, with the next step."""
        return f'policy "{self.policy}", level "{self.level}": {self.why}; correct the name, or make it there'


def lacking(policies: PolicySet, account: str, known: KnownAccount | None) -> tuple[Waiting, ...]:
    """The levels that use names which `known`, the helpdesk's directory, does not have. None where it was not read
    within the last day: then every name is unknown. People whom only the files know may be owners."""
    chain = (*policies.managers, *policies.managers.values(), *policies.leads.values())
    own = frozenset({*chain, *policies.on_call.values()})
    found: list[Waiting] = []
    for policy in policies.serving(account):
        for level in policy.levels:
            missing = list(dict.fromkeys(unknown_names(level, known or KnownAccount(), own)))
            if not missing:
                continue
            if known is None:
                names = ", ".join(f'"{name}"' for name, _ in missing)
                why = (
                    f"the directory of {account} was not read within the last 24 hours, and it names {names}"
                )
            else:
                there = known.groups | known.people
                said = (
                    f'{what} "{name}"'
                    + (f' (did you mean "{near}"?)' if (near := nearest(name, there)) else "")
                    for name, what in missing
                )
                why = f"{account} has no {', no '.join(said)}"
            found.append(Waiting(policy=policy.name, level=level.name, why=why))
    return tuple(found)


def waiting_levels(policies: PolicySet, account: str, known: KnownAccount | None) -> tuple[Waiting, ...]:
    """Those of them that are to be enforced."""
    enforced = {each.name for each in policies.serving(account) if policies.mode(each, account) == "enforce"}
    return tuple(each for each in lacking(policies, account, known) if each.policy in enforced)


def holding_back(policies: PolicySet, waiting: Iterable[Waiting]) -> PolicySet:
    """The policies, with these levels waiting."""
    why = {(each.policy, each.level): each.why for each in waiting}
    if not why:
        return policies
    marked = (
        replace(
            policy,
            levels=tuple(
                replace(level, waits=why.get((policy.name, level.name), "")) for level in policy.levels
            ),
        )
        for policy in policies.policies
    )
    return replace(policies, policies=tuple(marked))


def unknown_names(level: Level, known: KnownAccount, own: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each name that a level uses, or group inside a function, and that the helpdesk does not have, and what it should
    be; `own` may be owners all the same."""
    owners = known.groups | known.people | own
    for each in level.variants:
        asked = [(name, "agent", known.people) for kind, name in each.named if kind == "follower"]
        asks = each.approval
        deciding = (asks.owner, asks.then_owner) if asks is not None else ()
        asked += (
            (owner, "group or person", owners) for owner in (each.owner, *deciding) if owner is not None
        )
        for kind, name in each.named:
            if kind != "follower" and name not in (known.groups if kind == "group" else known.people):
                yield name, kind
        for name, what, names in asked:
            call = call_of(name)
            if call is not None and GROUP in call[0].takes and call[1] not in known.groups:
                yield call[1], "group"
            elif call is None and name != ASSIGNEE and name not in names:
                yield name, what
