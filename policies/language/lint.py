"""What is wrong with policies that are each well written: lines that exclude one another, policies that undo each
other, levels that reach nobody. All of it from what was parsed; nothing is run."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from policies.language.conditions import Condition, Conditions
from policies.language.document import listed
from policies.language.policy import Level, Policy
from policies.language.reader import Table
from policies.language.references import KnownAccount, References
from policies.language.vocabulary import ranks
from policies.model import Group, Priority, Status, Ticket, TicketRef

BLANK = Ticket(
    ref=TicketRef("", ""),
    link="",
    subject="",
    status=Status.OPEN,
    status_name="",
    created=0,
    updated=0,
    read_at=0,
    revision="",
)
POSSIBLE: dict[str, tuple[Ticket, ...]] = {
    "status": tuple(replace(BLANK, status=each) for each in Status if each is not Status.CLOSED),
    "priority": (BLANK, *(replace(BLANK, priority=each) for each in Priority)),
}
"""Tickets with each value that a field can have, for the fields of which all values are known."""

Written = Sequence[tuple[Table, Policy]]


def lint(policies: Written, references: References) -> None:
    """Note what only shows when a policy is seen whole, or beside the others."""
    for table, policy in policies:
        check_contradictions(table, policy)
        check_night(table, policy)
        check_audience(table, policy, references)
        check_targets(table, policy, references)
    for (_, first), (table, second) in combinations(policies, 2):
        check_undoing(table, first, second)


def check_contradictions(table: Table, policy: Policy) -> None:
    """No ticket can match, because lines exclude one another."""
    for field, tickets in POSSIBLE.items():
        asked = lines_on(policy.when, field)
        if asked and not any(possible(asked, lines_on(policy.unless, field), each) for each in tickets):
            text = f"no {field} satisfies these lines together with `unless`, so the policy never matches."
            table.report("when", "contradiction", text)
            return
    for line in policy.when.lines:
        if line.path not in POSSIBLE and line in policy.unless.lines:
            text = f"`when` asks for what `unless` excludes: {line.text}; remove one of them."
            table.report("unless", "contradiction", text)


def lines_on(conditions: Conditions, field: str) -> tuple[Condition, ...]:
    """The lines of a section that test this field alone."""
    return tuple(line for line in conditions.lines if line.path == field)


def possible(asked: tuple[Condition, ...], excluded: tuple[Condition, ...], ticket: Ticket) -> bool:
    """Whether a ticket with this value could match."""
    return all(line.holds(ticket) for line in asked) and not any(line.holds(ticket) for line in excluded)


def check_night(table: Table, policy: Policy) -> None:
    """The last level acts in open hours only, so in closed hours nobody hears of the ticket."""
    text = night_hole(policy)
    if text is not None:
        place = ("level", len(policy.levels) - 1, "within")
        table.report(place, "nobody-at-night", text, "warning")


def night_hole(policy: Policy) -> str | None:
    """Why nobody hears of a ticket while the last level's calendar is closed; None if somebody does."""
    last = policy.levels[-1] if policy.levels else None
    if last is None or last.within is None or last.otherwise is not None:
        return None
    return f'while "{last.within}" is closed nobody is told; add `otherwise`, or a level after this one.'


def check_audience(table: Table, policy: Policy, references: References) -> None:
    """A level picks a person where the helpdesk has nobody to pick from."""
    for index, level in enumerate(policy.levels):
        for account, names in references.directories(references.serving(policy.accounts)):
            texts = [lacking(each, names, references.on_call) for each in level.variants]
            for text in dict.fromkeys(text for text in texts if text is not None):
                place = ("level", index, "assign")
                table.report(place, "empty-audience", f"account {account}: {text}", "warning")


def lacking(level: Level, names: KnownAccount, on_call: Collection[str]) -> str | None:
    """Why this level's strategy finds nobody."""
    group, agent = (level.assign.group, level.assign.agent) if level.assign else (None, None)
    if group is None or group not in names.groups or agent is None:
        return None
    if agent == "on_call" and group not in names.on_call | set(on_call):
        return f'nobody is on call for "{group}"; say who under [groups."{group}"] on_call.'
    if ranks(agent) and group not in names.staffed:
        return f'nobody is in group "{group}", so {agent} finds nobody.'
    return None


def check_targets(table: Table, policy: Policy, references: References) -> None:
    """An `[sla]` table gives the deadline, and nothing for a priority that the policy is for."""
    asked, excluded = lines_on(policy.when, "priority"), lines_on(policy.unless, "priority")
    wanted = [each for each in Priority if possible(asked, excluded, replace(BLANK, priority=each))]
    for account in references.serving(policy.accounts):
        serving = (each for each in references.slas if each.serves(account) and policy.clock in each.targets)
        sla = next(serving, None)
        lacks = [each.value for each in wanted if sla and each not in sla.targets[policy.clock]]
        if sla is not None and lacks:
            text = (
                f"account {account}: [sla.{sla.name}] has no {policy.clock} target for priority {listed(lacks)}, so "
                f"such a ticket has no deadline unless the helpdesk gives one; add it, or leave it out of `when`."
            )
            table.report("clock", "no-target", text, "warning")


def check_undoing(table: Table, first: Policy, second: Policy) -> None:
    """Two policies that would go on correcting each other on the same tickets."""
    if not meets(first, second):
        return
    for place, text in undoing(first, second):
        table.report(place, "undo-each-other", f'{text} policy "{first.name}"; they take turns.', "warning")


def meets(first: Policy, second: Policy) -> bool:
    """Whether both serve some account."""
    if first.accounts is None or second.accounts is None:
        return True
    return not first.accounts.isdisjoint(second.accounts)


def undoing(first: Policy, second: Policy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where and how the second undoes what the first does, and the other way about."""
    adds, removes = tags_of(first)
    for index, level in enumerate(second.levels):
        for tag in sorted((level.tags & removes) | (level.untag & adds)):
            yield ("level", index), f'the level changes tag "{tag}" the other way than'
        target = group_of(level)
        if target is not None and sends_back(first, second, target):
            yield (
                ("level", index, "assign"),
                f'the level assigns "{target}", and its tickets are sent back by',
            )


def tags_of(policy: Policy) -> tuple[frozenset[str], frozenset[str]]:
    """All tags that a policy adds, and all that it removes."""
    adds = frozenset[str]().union(*(level.tags for level in policy.levels))
    return adds, frozenset[str]().union(*(level.untag for level in policy.levels))


def group_of(level: Level) -> str | None:
    """The group a level assigns to."""
    return level.assign.group if level.assign else None


def sends_back(first: Policy, second: Policy, target: str) -> bool:
    """Whether `first` takes tickets out of this group into one that `second` takes them from."""
    if not asks_for_group(first, target):
        return False
    groups = (group_of(level) for level in first.levels)
    return any(group is not None and group != target and asks_for_group(second, group) for group in groups)


def asks_for_group(policy: Policy, name: str) -> bool:
    """Whether a policy is for tickets of this group in particular."""
    asked = lines_on(policy.when, "group")
    ticket = replace(BLANK, group=Group(id=name, name=name))
    return bool(asked) and all(line.holds(ticket) for line in asked)
