"""A policy in plain English, for people who read no TOML: whom it is for, when it counts, and what each
level does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from policies.language.clocks import CLOCKS
from policies.language.conditions import Condition, Conditions
from policies.language.document import listed
from policies.language.fields import find
from policies.language.operators import IS, OPERATORS
from policies.language.parse_tables import Intervals
from policies.language.policy import (
    AssignSpec,
    CalendarSpec,
    Level,
    Policy,
    PolicySet,
    TemplateSpec,
)
from policies.language.vocabulary import ASSIGNEE, DAYS, LEVEL_KEYS, OWNERS_OWN, STOPS, STRATEGIES, call_of
from policies.model import UNITS, Seconds
from policies.rules.calendars import time_of_week


def when_words(when: Conditions) -> tuple[str, ...]:
    """What must hold, one sentence for each line. The line that every `when` has unsaid is left out where another
    says which status it must be."""
    written = when.lines[:-1]
    asked = any(line.path == "status" and line.operator in ("value", "in") for line in written)
    return tuple(condition_words(line) for line in (written if asked else when.lines))


def unless_words(unless: Conditions) -> tuple[str, ...]:
    """What must not hold, one sentence for each line."""
    return tuple(condition_words(line) for line in unless.lines)


def condition_words(line: Condition) -> str:
    """One line. Lines inside it are joined by "and" or "or", those inside these in brackets."""
    if not line.inner:
        return sentence(line)
    parts = [f"({condition_words(each)})" if each.inner else condition_words(each) for each in line.inner]
    return (", or " if line.join == "any" else ", and ").join(parts)


def sentence(line: Condition) -> str:
    """A test of one field."""
    field = find(line.path)
    assert field is not None
    assert line.wanted is not None
    if field.kind == "yes_no" and line.operator == "known":
        return f"it is {'' if line.wanted else 'not '}known whether {field.yes}"
    if field.kind == "yes_no":
        return field.yes if line.wanted else field.no
    return f"{field.noun} {OPERATORS.get(line.operator, IS).phrase(field, line.wanted)}"


def owner(level: Level) -> str:
    """Who answers from here on."""
    if level.owner is None:
        return "whoever gets the ticket" if level.assign else "the owner before, else the default owner"
    return named(level.owner)


def named(owner: str) -> str:
    """Who that is, of a name or a function."""
    call = call_of(owner)
    if call is not None:
        return call[0].phrase(call[1])
    return "the assignee" if owner == ASSIGNEE else owner


def role(name: str | None, assign: AssignSpec | None) -> str:
    """What kind of person answers: `agent`, `lead`, `manager`, `on-call`, a name, or nothing for the owner before."""
    if name is None:
        named = assign is not None and assign.agent is None
        return (assign.group or "") if assign and named else ("agent" if assign else "")
    if name == ASSIGNEE:
        return "agent"
    call = call_of(name)
    return call[0].role if call else name


def roles(level: Level) -> tuple[str, ...]:
    """Everybody on whose desk the level lands: who answers, who gets the ticket, and both in closed hours."""
    found = []
    for each in level.variants:
        found.append(role(each.owner, each.assign))
        if each.assign is not None:
            named = each.assign.agent if each.assign.agent not in STRATEGIES else None
            found.append(named or each.assign.group or "agent")
    return tuple(dict.fromkeys(each for each in found if each))


def target(assign: AssignSpec | None) -> str:
    """Whom the ticket goes to; nothing if it stays where it is."""
    if assign is None:
        return ""
    if assign.back:
        return "back to whom it was with"
    if assign.agent is None:
        return f"group {assign.group}"
    if assign.agent in STRATEGIES:
        said = STRATEGIES[assign.agent].phrase.format(group=assign.group or "the ticket's group")
        by_tag = ", with the skills that the tags name"
        return said + (
            by_tag if assign.skill == "by_tag" else f", with skill {assign.skill}" if assign.skill else ""
        )
    return f"{assign.agent} in {assign.group}" if assign.group else assign.agent


def changes(level: Level) -> tuple[str, ...]:
    """What else the ticket looks like afterwards."""
    return tuple(
        text
        for name, key in LEVEL_KEYS.items()
        if key.leaves is not None and (said := getattr(level, name))
        for text in key.leaves(said)
    )


def says(level: Level, policies: PolicySet) -> tuple[str, ...]:
    """The messages that the level writes, each with its languages."""
    return present(
        level.note and f"note {template(policies.templates, level.note)}",
        level.reply and f"public reply {template(policies.templates, level.reply)}",
        level.hand_off and "hand-over: what the ticket is about and what was tried",
    )


def present(*texts: object) -> tuple[str, ...]:
    """Those of the texts that are there."""
    return tuple(each for each in texts if isinstance(each, str) and each)


def channels(level: Level, policies: PolicySet) -> Iterator[str]:
    """The channels that hear of the level, what each hears, and when it is quiet."""
    if OWNERS_OWN in level.notify:
        yield "the owner's own"
    for spec in (policies.channels[name] for name in level.notify if name != OWNERS_OWN):
        text = template(policies.templates, spec.template) if spec.template else "a built sentence"
        yield f"{spec.name}: {text}" + (f", quiet while {spec.quiet} is closed" if spec.quiet else "")


def template(templates: Mapping[str, TemplateSpec], name: str) -> str:
    """A template by name, with its languages."""
    return f'"{name}" ({", ".join(templates[name].bodies)})'


def approval(policy: Policy, level: Level, policies: PolicySet) -> str:
    """Whether a person must approve it first, who, until when, and what asks them; nothing if nobody must."""
    if level.approval is None:
        return ""
    asked = [f"note {template(policies.templates, level.approval.note)}"] if level.approval.note else []
    asked += [
        "their own channels" if name == OWNERS_OWN else f"channel {name}" for name in level.approval.notify
    ]
    by = f"asked by {listed(asked, 'and')}" if asked else "asked in the list of what needs a human"
    one, within = level.approval, level.approval.within
    who = f"{named(one.owner)} decides" if one.owner else ""
    late = f"{named(one.then_owner)} is asked, then it is " if one.then_owner else "it is "
    late = f"{late}rejected" if one.then == "reject" else "it fires"
    then = f"after {length(policy, within)} {late}" if within else ""
    return "; ".join(present(by, who, then))


def closed_hours(level: Level) -> str:
    """What happens while the level's calendar is closed; nothing if the level keeps no hours."""
    if level.within is None:
        return ""
    if level.otherwise is None:
        return f"waits while {level.within} is closed"
    other = level.otherwise
    parts = present(
        other.owner != level.owner and f"owner is {owner(other)}",
        other.assign != level.assign and f"goes to {target(other.assign)}",
        other.note != level.note and f'note "{other.note}"',
        other.notify != level.notify and f"notifies {listed(other.notify, 'and')}",
    )
    return f"while {level.within} is closed: {', '.join(parts) or 'the same'}"


DATES_SHOWN = 6
"""How many dates of a calendar are named; the rest is counted."""


def span(seconds: Seconds, *, days: bool = True) -> str:
    """`30 min`, `1 h 30 min`, `2 days`. Days only where they are allowed: on a calendar they have no length."""
    if days and seconds >= 2 * UNITS["d"] and seconds % UNITS["d"] == 0:
        return f"{seconds // UNITS['d']} days"
    hours, rest = divmod(seconds, UNITS["h"])
    parts = ((hours, "h"), (rest // UNITS["m"], "min"), (rest % UNITS["m"], "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def clock(policy: Policy) -> str:
    """What the levels count from: `from the creation of the ticket`."""
    said = CLOCKS[policy.clock].meaning.removesuffix(".")
    paused = f"; it stands still while {listed(sorted(policy.pause_on))}" if policy.pause_on else ""
    return said[0].lower() + said[1:] + paused


def due(policy: Policy, index: int) -> str:
    """When a level of the policy is due, the calendar by name: `after 30 min of business time (support)`."""
    level = policy.levels[index]
    if level.at is not None:
        business = f"business ({policy.calendar}) " if policy.calendar else ""
        return f"at {level.at}% of the {business}time to the deadline"
    if level.before is not None:
        return f"{length(policy, level.before)} before the deadline"
    if level.on is not None:
        return f"on {time_of_week(level.on)}"
    after = level.after or 0
    if level.clock == "since_last_level":
        before = policy.levels[index - 1].name
        return f'{length(policy, after)} after "{before}"' if after else f'together with "{before}"'
    if policy.on_deadline:
        return f"{length(policy, after)} after the deadline" if after else "at the deadline"
    return f"after {length(policy, after)}" if after else "at once"


def length(policy: Policy, seconds: Seconds) -> str:
    """A span on the policy's calendar."""
    counted = f" of business time ({policy.calendar})" if policy.calendar else ""
    return f"{span(seconds, days=policy.calendar is None)}{counted}"


def repeated(policy: Policy, level: Level) -> str:
    """How often the note and the notifications are said again; nothing if they are not."""
    if level.repeat is None:
        return ""
    times = "once more" if level.repeat.times == 1 else f"{level.repeat.times} times more"
    return f"{times}, every {length(policy, level.repeat.every)}"


def calendar(spec: CalendarSpec | None) -> str:
    """The hours of a calendar: `Mon-Fri 09:00-17:00; New York time; closed on public holidays of US-NY`."""
    if spec is None:
        return "day and night"
    parts = []
    for times, days in groupby(range(len(spec.hours)), key=spec.hours.__getitem__):
        first, *more = (DAYS[day].title() for day in days)
        if times:
            parts.append(f"{'-'.join([first, *more[-1:]])} {hours(times)}")
    parts.append(place(spec.timezone))
    if spec.holidays:
        parts.append(f"closed on public holidays of {listed(spec.holidays, 'and')}")
    if spec.closed:
        parts.append(f"closed on {dates(sorted(spec.closed))}")
    if spec.open:
        parts.append(f"open on {dates([f'{day} {hours(spec.open[day])}' for day in sorted(spec.open)])}")
    return "; ".join(parts)


def hours(intervals: Intervals) -> str:
    """`08:00-12:00 and 13:00-18:00`; `closed` for none."""
    if not intervals:
        return "closed"
    marks = ([f"{minute // 60:02}:{minute % 60:02}" for minute in each] for each in intervals)
    return listed(["-".join(each) for each in marks], "and")


def place(timezone: str) -> str:
    """Whose time it is: the city of the zone."""
    city = timezone.rpartition("/")[2].replace("_", " ")
    return f"{city} time" if "/" in timezone else city


def dates(days: list[str]) -> str:
    """The first few of these dates, and how many more there are."""
    more = len(days) - DATES_SHOWN
    return f"{', '.join(days[:DATES_SHOWN])} and {more} more" if more > 0 else listed(days, "and")


BY_HAND = ("taking the ticket", "a reply or a note")
"""How every escalation is acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWords:
    """One level. What a level does not have is an empty text, or empty. `kind` is the policy language's word. `roles`
    are those on whose desk it lands: `agent`, `lead`, `manager`, `on-call`, or the name of a group or person."""

    name: str
    kind: str
    time: str
    owner: str
    roles: tuple[str, ...]
    target: str
    changes: tuple[str, ...]
    messages: tuple[str, ...]
    channels: tuple[str, ...]
    ask: str
    checklist: tuple[str, ...]
    approval: str
    repeat: str
    closed_hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWords:
    """One policy. All of `when` must hold; any of `unless` leaves the ticket out. `calendar` is a name, empty without
    one, `hours` what it says. `meanwhile` is what no other policy does while it runs. `stops` is what ends an
    escalation, `acknowledge` by what an agent takes it on."""

    name: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    meanwhile: str
    clock: str
    calendar: str
    hours: str
    stops: tuple[str, ...]
    acknowledge: tuple[str, ...]
    levels: tuple[LevelWords, ...]


def describe(policy: Policy, policies: PolicySet) -> PolicyWords:
    """The policy as one of a checked set, which knows its calendars, templates and channels."""
    return PolicyWords(
        name=policy.name,
        when=when_words(policy.when),
        unless=unless_words(policy.unless),
        meanwhile="no other policy replies, assigns or sets fields" if policy.exclusive else "",
        clock=clock(policy),
        calendar=policy.calendar or "",
        hours=calendar(policies.calendars[policy.calendar] if policy.calendar else None),
        stops=stops(policy),
        acknowledge=(*BY_HAND, *(f"adding the tag {tag}" for tag in sorted(policy.acknowledge_tags))),
        levels=tuple(
            LevelWords(
                name=level.name,
                kind=level.kind,
                time=due(policy, index),
                owner=owner(level),
                roles=roles(level),
                target=target(level.assign),
                changes=changes(level),
                messages=says(level, policies),
                channels=tuple(channels(level, policies)),
                ask=level.ask or "",
                checklist=level.checklist,
                approval=approval(policy, level, policies),
                repeat=repeated(policy, level),
                closed_hours=closed_hours(level),
            )
            for index, level in enumerate(policy.levels)
        ),
    )


def stops(policy: Policy) -> tuple[str, ...]:
    """What ends an escalation of this policy, in the order of the language."""
    over = "the ticket is closed" if policy.when.asks_solved else "the ticket is solved or closed"
    said = tuple(stop.phrase for name, stop in STOPS.items() if name in policy.stop_on)
    return (over, "the ticket no longer matches", *said)
