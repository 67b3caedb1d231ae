"""What a policy does where nobody has written a test for it: a ticket with the plain values that its `when` asks for,
left alone from the moment it comes in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from policies.language.clocks import CLOCKS
from policies.language.conditions import Condition
from policies.language.document import Document, read
from policies.language.fields import CUSTOM, FIELDS
from policies.language.policy import Policy, PolicySet
from policies.model import Instant, Seconds, Value
from policies.policy_tests import PolicyTest, firings, read_tests, rulebook
from policies.recording import quoted
from policies.replay import replay
from policies.rules.calendars import Calendar
from policies.written_life import DAY, OPENING, Fires

LONGEST: Seconds = 60 * DAY
"""How long a made life lasts at most, if not all levels have fired before."""

LOOKS = 200
"""So many looks are taken at a made life at most: a level may be said again every minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLife:
    """A life that was made for a policy, and what came of it."""

    test: PolicyTest
    found: tuple[tuple[Instant, Fires], ...]


def made_life(
    policy: Policy, policies: PolicySet, accounts: Sequence[str], calendars: Mapping[str, Calendar]
) -> MadeLife | None:
    """A life in which the policy fires; None where a test is needed to tell of one: its `when` asks for more than plain
    values, or none of the lives that are tried comes to a level."""
    values = dict[str, Value]()
    for name, value in asked_for(policy.when.lines):
        if value is None:
            return None
        values[name] = both(values.get(name), value)
    for life in lives(policy):
        test = written_down(policy, policies, accounts, values, life)
        if test is None:
            return None
        if found := tuple(until_all_fired(policy, test, policies, calendars)):
            return MadeLife(test=test, found=found)
    return None


def lives(policy: Policy) -> Iterator[str]:
    """What may have to happen to a ticket before the clock of the policy starts, the least first."""
    begin = "0:00  customer writes\n"
    yield begin
    metric = CLOCKS[policy.clock].metric
    if metric is not None:
        yield f"{begin}0:00  target {metric} due 8:00 from 0:00\n"
    else:
        yield f"{begin}0:00  assigned to somebody\n"
        yield f"{begin}0:05  agent somebody replies\n"


def asked_for(lines: Sequence[Condition]) -> Iterator[tuple[str, Value]]:
    """For each line a field and a value with which it holds, none where the line is no plain one. Of lines of which any
    will do, the first. A line that holds of most tickets asks for nothing."""
    for line in lines:
        if line.inner:
            yield from asked_for(line.inner[:1] if line.join == "any" else line.inner)
        elif line.operator in ABSENT or (line.operator == "known" and line.wanted is False):
            continue
        elif line.path not in OPENING and not line.path.startswith(CUSTOM):
            yield line.path, None
        else:
            yield line.path, plain_value(line)


ABSENT = frozenset({"not", "not_in", "lacks"})
"""Operators that hold of what is not there."""


def plain_value(line: Condition) -> Value:
    """A value with which this line holds; None where no plain one does."""
    wanted = line.wanted
    first = wanted[0] if isinstance(wanted, tuple) else wanted
    match line.operator:
        case "value" | "in" | "contains" | "at_least" | "at_most":
            return first
        case "has":
            return (str(first),)
        case "has_all":
            return tuple(map(str, wanted)) if isinstance(wanted, tuple) else (str(wanted),)
        case "over" if isinstance(first, int | float):
            return int(first) + 1
        case "under" if isinstance(first, int | float):
            return int(first) - 1
        case "known":
            return something(line.path)
    return None


def something(name: str) -> Value:
    """Any value of this field."""
    known = FIELDS.get(name)
    if known is None or known.kind in ("text", "custom"):
        return "something"
    if known.choices:
        return known.choices[0]
    values: Mapping[str, Value] = {"yes_no": True, "number": 1, "list": ("something",)}
    return values.get(known.kind)


def both(before: Value, value: Value) -> Value:
    """One value for two lines about a field."""
    return (*before, *value) if isinstance(before, tuple) and isinstance(value, tuple) else value


def written_down(
    policy: Policy, policies: PolicySet, accounts: Sequence[str], values: Mapping[str, Value], life: str
) -> PolicyTest | None:
    """The test that a person would write of these; None where it could not be one."""
    opening = "".join(
        f"{quoted(name)} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()
    )
    text = (
        f"[[test]]\nname = {json.dumps(policy.name, ensure_ascii=False)}\n"
        f"policy = {json.dumps(policy.name, ensure_ascii=False)}\n"
        f'life = """\n{life}0:05  nothing fires\n"""\n[test.ticket]\n{opening}'
    )
    document = read(policy.name, text)
    if not isinstance(document, Document):
        return None
    tests, _ = read_tests(document, policies, accounts)
    return next(iter(tests), None)


def until_all_fired(
    policy: Policy, test: PolicyTest, policies: PolicySet, calendars: Mapping[str, Calendar]
) -> Iterator[tuple[Instant, Fires]]:
    """What fires until each level has, or for as long as a made life lasts."""
    ahead = {level.name for level in policy.levels}
    rules = rulebook(test, policies, calendars)
    for step in islice(replay(test.life, rules, test.directory, test.start + LONGEST), LOOKS):
        for at, fires in firings([step]):
            ahead.discard(fires.level)
            yield at, fires
        if not ahead:
            return
