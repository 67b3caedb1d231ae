"""The escalation matrix: who answers for which tickets, when, and how they hear of it; and what is missing.

A value made from the policies as they run. Nothing is decided here: words come from `words`, who answers from
`matrix_people`, what is missing from `matrix_gaps`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from policies import words_levels, words_times
from policies.assignment import members
from policies.matrix_gaps import Gap, Judged, gaps, some, templates_of
from policies.matrix_people import Held, Staffing, by_owner, holders, staffing, teams
from policies.memory import Owner
from policies.model import Directory
from policies.policy import Level, Mode, Policy, PolicySet
from policies.staff import stand_in
from policies.words import LevelWords, PolicyWords, in_words


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
        said = in_words(policy, policies)
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
        yield f"{words_levels.owner(level.otherwise)} while {level.within} is closed"
    owners = dict.fromkeys(each.owner for each in held if each.owner is not None)
    for owner in owners:
        yield from stands_in(owner, staff.directory)
    if staff.default is not None and level.owner != staff.default:
        yield f"{staff.default} if nobody is found"


def stands_in(owner: Owner, directory: Directory) -> Iterator[str]:
    """Who stands in for an absent person; in a group, everybody does."""
    chain = () if owner.kind == "group" else stand_in(owner.name, directory)
    if chain:
        yield f"{chain[-1]} if {owner.name} is absent"
    group = directory.group(owner.name) if owner.kind == "group" else None
    there = members(group, directory) if group else []
    if len(there) > 1:
        yield f"anybody of the {len(there)} in {owner.name}"


def calendars(written: Sequence[Policy], policies: PolicySet) -> tuple[tuple[str, str], ...]:
    """The calendars that these policies and their channels use, with their hours."""
    levels = [level for policy in written for level in policy.levels]
    used = {policy.calendar for policy in written} | {level.within for level in levels}
    used |= {policies.channels[name].quiet for level in levels for name in level.channels}
    return tuple(
        (name, words_times.calendar(spec)) for name, spec in policies.calendars.items() if name in used
    )


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
