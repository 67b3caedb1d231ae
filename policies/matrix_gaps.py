"""What is missing from a level: nobody to answer, nobody to stand in, a night in which nobody hears, a language.

What `check` finds too is asked of `lint`, so that both say the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.assignment import members
from policies.known import KnownAccount
from policies.lint import lacking, night_hole
from policies.matrix_people import Held, Staffing, lost
from policies.model import Directory
from policies.policy import Level, Policy, PolicySet
from policies.problems import listed
from policies.staff import stand_in
from policies.words_levels import owner as owner_words

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
