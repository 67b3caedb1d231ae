"""A policy in plain English, for people who read no TOML: whom it is for, when it counts, and what each
level does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.language.clocks import CLOCKS
from policies.language.conditions import Conditions, Line
from policies.language.document import listed
from policies.language.fields import Field, find
from policies.language.operators import IS, OPERATORS, Wanted
from policies.language.parse_tables import DAYS, Intervals
from policies.language.policy import (
    AssignSpec,
    CalendarSpec,
    ChannelSpec,
    Level,
    Policy,
    PolicySet,
    TemplateSpec,
)
from policies.language.vocabulary import ASSIGNEE, STOPS, STRATEGIES, call_of
from policies.model import UNITS, Seconds


def when_words(when: Conditions) -> tuple[str, ...]:
    """What must hold, one sentence for each line. The line that every `when` has unsaid is left out where another
    says which status it must be."""
    written = when.lines[:-1]
    asked = any(line.path == "status" and line.operator in ("value", "in") for line in written)
    return tuple(line_words(line) for line in (written if asked else when.lines))


def unless_words(unless: Conditions) -> tuple[str, ...]:
    """What must not hold, one sentence for each line."""
    return tuple(line_words(line) for line in unless.lines)


def line_words(line: Line) -> str:
    """One line. Lines inside it are joined by "and" or "or", those inside these in brackets."""
    if not line.inner:
        return sentence(line)
    parts = [f"({line_words(each)})" if each.inner else line_words(each) for each in line.inner]
    return (", or " if line.join == "any" else ", and ").join(parts)


def sentence(line: Line) -> str:
    """A test of one field."""
    field = find(line.path)
    assert field is not None
    assert line.wanted is not None
    if field.kind == "yes_no":
        return yes_no(field, line.operator, line.wanted)
    operator = OPERATORS.get(line.operator, IS)
    return f"{field.noun} {operator.phrase(field, line.wanted)}"


def yes_no(field: Field, operator: str, wanted: Wanted) -> str:
    """A test of a field that is true or false."""
    if operator == "known":
        return f"it is {'' if wanted else 'not '}known whether {field.yes}"
    return field.yes if wanted else field.no


def owner(level: Level) -> str:
    """Who answers from here on."""
    if level.owner is None:
        return "whoever gets the ticket" if level.assign else "the owner before, else the default owner"
    call = call_of(level.owner)
    if call is not None:
        return call[0].phrase(call[1])
    return "the assignee" if level.owner == ASSIGNEE else level.owner


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
    if assign.agent is None:
        return f"group {assign.group}"
    if assign.agent in STRATEGIES:
        said = STRATEGIES[assign.agent].phrase.format(group=assign.group or "the ticket's group")
        return said + skilled(assign.skill)
    return f"{assign.agent} in {assign.group}" if assign.group else assign.agent


def skilled(skill: str | None) -> str:
    """The skill that is asked for."""
    if skill is None:
        return ""
    return ", with the skills that the tags name" if skill == "by_tag" else f", with skill {skill}"


def changes(level: Level) -> tuple[str, ...]:
    """What else the ticket looks like afterwards."""
    said = [
        f"priority at least {level.priority}" if level.priority else "",
        f"tagged {listed(sorted(level.tags), 'and')}" if level.tags else "",
        f"no longer tagged {listed(sorted(level.untag))}" if level.untag else "",
        *(f"{name} is {value}" for name, value in level.set),
        f"followed by {listed(level.follow, 'and')}" if level.follow else "",
    ]
    return tuple(each for each in said if each)


def says(level: Level, policies: PolicySet) -> tuple[str, ...]:
    """The messages that the level writes, each with its languages."""
    said = [
        f"note {template(policies.templates, level.note)}" if level.note else "",
        f"public reply {template(policies.templates, level.reply)}" if level.reply else "",
        "hand-over: what the ticket is about and what was tried" if level.hand_off else "",
    ]
    return tuple(each for each in said if each)


def template(templates: Mapping[str, TemplateSpec], name: str) -> str:
    """A template by name, with its languages."""
    return f'"{name}" ({", ".join(templates[name].bodies)})'


def channel(spec: ChannelSpec, templates: Mapping[str, TemplateSpec]) -> str:
    """A channel, what it hears, and when it is quiet."""
    text = template(templates, spec.template) if spec.template else "a built sentence"
    quiet = f", quiet while {spec.quiet} is closed" if spec.quiet else ""
    return f"{spec.name}: {text}{quiet}"


def channels(level: Level, policies: PolicySet) -> tuple[str, ...]:
    """The channels that hear of the level."""
    return tuple(channel(policies.channels[name], policies.templates) for name in level.notify)


def approval(level: Level, policies: PolicySet) -> str:
    """Whether a person must approve it first, and what asks them; nothing if nobody must."""
    if level.approval is None:
        return ""
    asked = [f"note {template(policies.templates, level.approval.note)}"] if level.approval.note else []
    asked += [f"channel {name}" for name in level.approval.notify]
    return f"asked by {listed(asked, 'and')}" if asked else "asked in the list of what needs a human"


def closed_hours(level: Level) -> str:
    """What happens while the level's calendar is closed; nothing if the level keeps no hours."""
    if level.within is None:
        return ""
    if level.otherwise is None:
        return f"waits while {level.within} is closed"
    return f"while {level.within} is closed: {', '.join(instead(level, level.otherwise)) or 'the same'}"


def instead(level: Level, other: Level) -> list[str]:
    """The parts of a level that are otherwise in closed hours."""
    parts = []
    if other.owner != level.owner:
        parts.append(f"owner is {owner(other)}")
    if other.assign != level.assign:
        parts.append(f"goes to {target(other.assign)}")
    if other.note != level.note:
        parts.append(f'note "{other.note}"')
    if other.notify != level.notify:
        parts.append(f"notifies {listed(other.notify, 'and')}")
    return parts


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
        return f"at {level.at}% of the {business(policy)}time to the deadline"
    if level.before is not None:
        return f"{length(policy, level.before)} before the deadline"
    after = level.after or 0
    if level.clock == "since_last_level":
        before = policy.levels[index - 1].name
        return f'{length(policy, after)} after "{before}"' if after else f'together with "{before}"'
    if policy.on_deadline:
        return f"{length(policy, after)} after the deadline" if after else "at the deadline"
    return f"after {length(policy, after)}" if after else "at once"


def length(policy: Policy, seconds: Seconds) -> str:
    """A span on the policy's calendar."""
    return f"{span(seconds, days=policy.calendar is None)}{counted(policy)}"


def counted(policy: Policy) -> str:
    """What is said behind a span if only open hours count."""
    return f" of business time ({policy.calendar})" if policy.calendar else ""


def business(policy: Policy) -> str:
    """What kind of time it is, if only open hours count."""
    return f"business ({policy.calendar}) " if policy.calendar else ""


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
    parts = [*week(spec.hours), place(spec.timezone)]
    if spec.holidays:
        parts.append(f"closed on public holidays of {listed(spec.holidays, 'and')}")
    if spec.closed:
        parts.append(f"closed on {dates(sorted(spec.closed))}")
    if spec.open:
        parts.append(f"open on {dates([f'{day} {hours(spec.open[day])}' for day in sorted(spec.open)])}")
    return "; ".join(parts)


def week(days: tuple[Intervals, ...]) -> Iterator[str]:
    """The open days, those in a row with the same hours together."""
    first = 0
    for day in range(1, len(days) + 1):
        if day < len(days) and days[day] == days[first]:
            continue
        if days[first]:
            names = DAYS[first].title() if day - 1 == first else f"{DAYS[first]}-{DAYS[day - 1]}".title()
            yield f"{names} {hours(days[first])}"
        first = day


def hours(intervals: Intervals) -> str:
    """`08:00-12:00 and 13:00-18:00`; `closed` for none."""
    if not intervals:
        return "closed"
    return listed([f"{reading(start)}-{reading(end)}" for start, end in intervals], "and")


def reading(minutes: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


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
    one, `hours` what it says. `stops` is what ends an escalation, `acknowledge` by what an agent takes it on."""

    name: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    clock: str
    calendar: str
    hours: str
    stops: tuple[str, ...]
    acknowledge: tuple[str, ...]
    levels: tuple[LevelWords, ...]


def in_words(policy: Policy, policies: PolicySet) -> PolicyWords:
    """The policy as one of a checked set, which knows its calendars, templates and channels."""
    spec = policies.calendars[policy.calendar] if policy.calendar else None
    return PolicyWords(
        name=policy.name,
        when=when_words(policy.when),
        unless=unless_words(policy.unless),
        clock=clock(policy),
        calendar=policy.calendar or "",
        hours=calendar(spec),
        stops=stops(policy),
        acknowledge=acknowledgements(policy),
        levels=tuple(
            level_words(policy, index, level, policies) for index, level in enumerate(policy.levels)
        ),
    )


def level_words(policy: Policy, index: int, level: Level, policies: PolicySet) -> LevelWords:
    """One level of the policy."""
    return LevelWords(
        name=level.name,
        kind=level.kind,
        time=due(policy, index),
        owner=owner(level),
        roles=roles(level),
        target=target(level.assign),
        changes=changes(level),
        messages=says(level, policies),
        channels=channels(level, policies),
        ask=level.ask or "",
        checklist=level.checklist,
        approval=approval(level, policies),
        repeat=repeated(policy, level),
        closed_hours=closed_hours(level),
    )


def stops(policy: Policy) -> tuple[str, ...]:
    """What ends an escalation of this policy, in the order of the language."""
    over = "the ticket is closed" if policy.when.asks_solved else "the ticket is solved or closed"
    said = tuple(stop.phrase for name, stop in STOPS.items() if name in policy.stop_on)
    return (over, "the ticket no longer matches", *said)


def acknowledgements(policy: Policy) -> tuple[str, ...]:
    """By what an agent acknowledges a level that has fired (rule 10)."""
    tagged = tuple(f"adding the tag {tag}" for tag in sorted(policy.acknowledge_tags))
    return (*BY_HAND, *tagged)
