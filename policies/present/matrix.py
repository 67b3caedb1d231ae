"""The escalation matrix: who answers for which tickets, when, how they hear of it, and what is missing.

A value made from the policies as they run. Nothing is decided here: words come from `describe`, and what
`check` finds too is asked of `lint`, so that both say the same. Who is away today is left out: the matrix says
how it is meant, on any day.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from policies.language.document import listed
from policies.language.lint import BLANK, lacking, lines_on, night_hole, possible
from policies.language.policy import AssignSpec, Level, Policy, PolicySet, stand_in
from policies.language.references import KnownAccount
from policies.language.vocabulary import Mode
from policies.model import Agent, Directory, Group, Person, Ticket
from policies.present import describe
from policies.present.describe import LevelWords, PolicyWords
from policies.present.describe import owner as owner_words
from policies.rules.assignment import fallback, members, resolved
from policies.state import Owner


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
    home, steps = replace(BLANK, group=team), list[tuple[Held, ...]]()
    ticket = home
    before: Held | None = None
    for level in policy.levels:
        moved = [assigned(variant.assign, ticket, home, staff.directory) for variant in level.variants]
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


def assigned(assign: AssignSpec | None, ticket: Ticket, home: Ticket, directory: Directory) -> Ticket:
    """The ticket as it is after an assignment; who a strategy picks is not known before. `home` is where it began."""
    if assign is None:
        return ticket
    if assign.back:
        return home
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


NAMED = 4
"""How many names a gap lists; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that is missing: a code of docs/checks.md, and what it means here."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one level of an account is judged by; `held` is who answers, by variant and team."""

    policy: Policy
    level: Level
    held: tuple[tuple[Held, ...], ...]
    staff: Staffing
    policies: PolicySet
    languages: Sequence[str]


def gaps(judged: Judged) -> tuple[Gap, ...]:
    """All gaps of the level, each once. Who is there is judged only on a directory that was read."""
    found = [*nights(judged), *no_backup(judged), *locales(judged)]
    if judged.staff.read:
        found += [*unreachable(judged), *nobody_there(judged)]
    return tuple(dict.fromkeys(found))


def nights(judged: Judged) -> Iterator[Gap]:
    """The last level waits while its calendar is closed, so nobody hears of the ticket then."""
    text = night_hole(judged.policy) if judged.level is judged.policy.levels[-1] else None
    if text is not None:
        yield Gap(code="nobody-at-night", text=text)


def no_backup(judged: Judged) -> Iterator[Gap]:
    """The owner is a person for whom nobody stands in, or a group that is one such person."""
    directory = judged.staff.directory
    owners = [held.owner for variant in judged.held for held in variant if held.owner is not None]
    people = dict.fromkeys(owner.name for owner in owners if owner.kind != "group")
    alone = [name for name in people if not stand_in(name, directory)]
    if alone:
        yield Gap(code="no-backup", text=f"nobody stands in for {some(alone)}")
    for name in dict.fromkeys(owner.name for owner in owners if owner.kind == "group"):
        group = directory.group(name)
        there = [agent.person.label for agent in members(group, directory) if agent.active] if group else []
        if len(there) == 1 and not stand_in(there[0], directory):
            yield Gap(code="no-backup", text=f'"{name}" is {there[0]} alone, and nobody stands in')


def locales(judged: Judged) -> Iterator[Gap]:
    """A template that the level uses lacks a language of the service."""
    for name in sorted(templates_of(judged.level, judged.policies)):
        missing = judged.policies.templates[name].lacking(judged.languages)
        if missing:
            yield Gap(
                code="missing-locale", text=f'template "{name}" has no text in {listed(missing, "and")}'
            )


def templates_of(level: Level, policies: PolicySet) -> frozenset[str]:
    """Every template by which anybody may hear of the level."""
    said = [text for each in level.variants for text in (each.note, each.reply)]
    said += [level.approval.note if level.approval else None]
    said += [policies.channels[name].template for name in level.channels]
    return frozenset(each for each in said if each is not None)


def unreachable(judged: Judged) -> Iterator[Gap]:
    """The owner leads to nobody: for everybody, for some teams, or for the tickets of some agents."""
    for level, variant in zip(judged.level.variants, judged.held, strict=True):
        nobody = [held for held in variant if held.owner is None and not held.unknown]
        asked = owner_words(level)
        if nobody:
            where = (
                "" if len(nobody) == len(variant) else f" for {some([team_name(each) for each in nobody])}"
            )
            yield Gap(code="unreachable-owner", text=f"{asked} is not known{where}")
        agents = dict.fromkeys(
            label
            for held in variant
            if held.unknown
            for label in lost(level, held.team, judged.staff.directory)
        )
        if agents:
            text = f"{asked} is not known if the assignee is {some(list(agents), 'or')}"
            yield Gap(code="unreachable-owner", text=text)
        yield from left(variant, judged.staff.directory)


def left(variant: Sequence[Held], directory: Directory) -> Iterator[Gap]:
    """The owner is a person who cannot work at the helpdesk any more."""
    names = dict.fromkeys(held.owner.name for held in variant if held.owner and held.owner.kind == "person")
    gone = [name for name in names if (agent := directory.agent(name)) is not None and not agent.active]
    if gone:
        yield Gap(code="unreachable-owner", text=f"{some(gone)} cannot work at the helpdesk any more")


def team_name(held: Held) -> str:
    """The team's name for a sentence."""
    return held.team.name if held.team else "tickets without a group"


def nobody_there(judged: Judged) -> Iterator[Gap]:
    """The ticket goes, or belongs, to a group with nobody in it."""
    names = KnownAccount.of(judged.staff.directory)
    for level, variant in zip(judged.level.variants, judged.held, strict=True):
        text = lacking(level, names, judged.policies.on_call)
        if text is not None:
            yield Gap(code="empty-audience", text=text)
        groups = [held.owner.name for held in variant if held.owner and held.owner.kind == "group"]
        groups += [level.assign.group] if level.assign and level.assign.group else []
        for name in dict.fromkeys(groups):
            if name not in names.groups:
                yield Gap(code="unreachable-owner", text=f'there is no group "{name}"')
            elif name not in names.staffed and text is None:
                yield Gap(code="empty-group", text=f'nobody is in group "{name}"')


def some(names: Sequence[str], last: str = "and") -> str:
    """The first few of these names, and how many more there are."""
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])} {last} {more} more" if more > 0 else listed(names, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One level of one policy on one account. `people` says who the owner is, each with the teams for whose tickets,
    none if it is the same for all; `backup` who answers if the owner does not."""

    account: str
    mode: Mode
    policy: PolicyWords
    level: LevelWords
    people: tuple[tuple[str, tuple[str, ...]], ...]
    backup: tuple[str, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """`hash` names the policies that it was made from. `calendars` are those in use, in words; `texts` the templates
    in use, each with its bodies by language. The directories of the accounts in `unread` were never read, so nothing
    is said of who is there. `team` None means all."""

    hash: str
    team: str | None
    rows: tuple[Row, ...]
    calendars: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    unread: tuple[str, ...]


def matrix(
    policies: PolicySet,
    accounts: Sequence[str],
    directories: Mapping[str, Directory],
    languages: Sequence[str] = (),
    team: str | None = None,
) -> Matrix:
    """The matrix of these accounts, of one team's tickets if one is named. `directories` are those that were read."""
    rows = tuple(
        row
        for account in accounts
        for row in rows_of(account, policies, directories.get(account), languages, team)
    )
    used = {row.policy.name for row in rows}
    written = [policy for policy in policies.policies if policy.name in used]
    return Matrix(
        hash=policies.hash,
        team=team,
        rows=rows,
        calendars=calendars(written, policies),
        texts=texts(written, policies),
        unread=tuple(each for each in accounts if each not in directories),
    )


def rows_of(
    account: str,
    policies: PolicySet,
    directory: Directory | None,
    languages: Sequence[str],
    team: str | None,
) -> Iterator[Row]:
    """Every level of every policy that serves the account, and can be for the team."""
    staff = staffing(account, directory, policies)
    for policy in policies.serving(account):
        groups = teams(policy, staff.directory, team)
        if team is not None and not groups:
            continue
        said = describe.describe(policy, policies)
        held = holders(policy, groups, staff)
        for level, words, each in zip(policy.levels, said.levels, held, strict=True):
            judged = Judged(
                policy=policy,
                level=level,
                held=each,
                staff=staff,
                policies=policies,
                languages=languages,
            )
            yield Row(
                account=account,
                mode=policies.mode(policy, account),
                policy=said,
                level=words,
                people=by_owner(each[0], staff.default),
                backup=tuple(backup(level, each[0], staff)),
                gaps=gaps(judged),
            )


def backup(level: Level, held: Sequence[Held], staff: Staffing) -> Iterator[str]:
    """Who answers if the owner does not: in closed hours, in an absence, or if nobody is found."""
    if level.otherwise is not None and level.otherwise.owner != level.owner:
        yield f"{describe.owner(level.otherwise)} while {level.within} is closed"
    owners = dict.fromkeys(each.owner for each in held if each.owner is not None)
    for owner in owners:
        yield from stands_in(owner, staff.directory)
    if staff.default is not None and level.owner != staff.default:
        yield f"{staff.default} if nobody is found"


def stands_in(owner: Owner, directory: Directory) -> Iterator[str]:
    """Who stands in for an absent person; in a group, everybody does who has not left."""
    chain = () if owner.kind == "group" else stand_in(owner.name, directory)
    if chain:
        yield f"{chain[-1]} if {owner.name} is absent"
    group = directory.group(owner.name) if owner.kind == "group" else None
    there = [each for each in members(group, directory) if each.active] if group else []
    if len(there) > 1:
        yield f"anybody of the {len(there)} in {owner.name}"


def calendars(written: Sequence[Policy], policies: PolicySet) -> tuple[tuple[str, str], ...]:
    """The calendars that these policies and their channels use, with their hours."""
    levels = [level for policy in written for level in policy.levels]
    used = {policy.calendar for policy in written} | {level.within for level in levels}
    used |= {policies.channels[name].quiet for level in levels for name in level.channels}
    return tuple((name, describe.calendar(spec)) for name, spec in policies.calendars.items() if name in used)


def texts(
    written: Sequence[Policy], policies: PolicySet
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The templates that these policies use, with their bodies by language."""
    used = frozenset[str]().union(
        *(templates_of(level, policies) for policy in written for level in policy.levels)
    )
    return tuple(
        (name, tuple(spec.bodies.items())) for name, spec in policies.templates.items() if name in used
    )


def known_teams(policies: PolicySet, directories: Collection[Directory]) -> tuple[str, ...]:
    """Every group that a directory or the config names, sorted."""
    read = {group.name for directory in directories for group in directory.groups}
    levels = [each for policy in policies.policies for level in policy.levels for each in level.variants]
    assigned = {each.assign.group for each in levels if each.assign and each.assign.group}
    return tuple(sorted(read | set(policies.leads) | set(policies.on_call) | assigned))


def people_words(row: Row) -> tuple[str, ...]:
    """Who the owner is, one text for each person or group, with the teams for whose tickets."""
    return tuple(f"{name} ({some(named)})" if named else name for name, named in row.people)
