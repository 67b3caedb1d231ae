"""Reads one `[[policy]]`: whom it serves, its clock, its conditions, and its ladder with what each level does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.language.clocks import CLOCKS
from policies.language.conditions import Conditions
from policies.language.document import canonical, did_you_mean, digest, listed
from policies.language.fields import FIELDS, find, is_space
from policies.language.parse_conditions import Names, read_unless, read_when
from policies.language.policy import Approval, AssignSpec, Level, Policy, Repeat
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import (
    ACTIONS,
    ASSIGNEE,
    CALL,
    DAYS,
    DUES,
    GROUP,
    INSTEAD,
    KINDS,
    LAPSES,
    LEVEL_CLOCKS,
    LEVEL_KEYS,
    MODES,
    OWNER_FUNCTIONS,
    OWNERS_OWN,
    PAUSES,
    POLICY_KEYS,
    REPLIES,
    STOPS,
    STRATEGIES,
    TIME_OF_WEEK,
    Kind,
    call_of,
    ranks,
)
from policies.model import UNITS, Priority, Seconds, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What a level has to know of its policy: the calendar it counts on, the accounts it serves, and whether it may
    speak to customers."""

    calendar: str | None
    clock: str
    deadline: bool
    serves: tuple[str, ...]
    references: References
    public: bool = False


def read_owner(table: Table, ladder: Ladder) -> str | None:
    """A group or person by name, `assignee`, or a function of them."""
    owner = table.text("owner", '"Escalations"')
    call = CALL.fullmatch(owner) if owner else None
    if owner is None or owner == ASSIGNEE:
        return owner
    if call is None:
        ladder.references.check_owner(table, "owner", owner, ladder.serves)
        return owner
    name, argument = call.groups()
    function = OWNER_FUNCTIONS.get(name)
    places = {word for each in OWNER_FUNCTIONS.values() for word in each.takes} - {GROUP}
    if function is None:
        hint = did_you_mean(name, OWNER_FUNCTIONS) or f" Known: {listed(OWNER_FUNCTIONS)}."
        table.report("owner", "unknown-function", f"there is no function `{name}`.{hint}")
    elif GROUP not in function.takes and argument not in function.takes:
        text = f"`{name}` takes {listed(function.takes)}, not {argument or 'nothing'}."
        table.report("owner", "wrong-argument", text)
    elif argument not in function.takes or argument == GROUP:
        if argument in places or not argument:
            text = f"`{name}` takes the name of a group, not {argument!r}."
            table.report("owner", "wrong-argument", text)
        else:
            ladder.references.check_group(table, "owner", argument, ladder.serves)
    return owner


def read_assign(table: Table, ladder: Ladder) -> AssignSpec | None:
    """`{ group = …, agent = … }`, at least one of them."""
    assign = table.table("assign")
    if table.yes("return"):
        if assign is not None:
            text = "a level either assigns or gives back; remove `assign` or `return`."
            table.report("return", "two-assignments", text)
        return AssignSpec(back=True)
    if assign is None:
        return None
    assign.only(("group", "agent", "skill"))
    group, agent = assign.text("group", '"Tier 2"'), assign.text("agent", '"least_loaded"')
    skill = assign.text("skill", '"billing"')
    if skill is not None and not ranks(agent):
        text = '`skill` narrows a strategy; add agent = "least_loaded" or "round_robin".'
        assign.report("skill", "skill-without-strategy", text)
    if skill is not None and skill != "by_tag":
        assign.among("skill", skill, ladder.references.skills, "unknown-skill")
    if not assign.values:
        assign.report((), "empty", '`assign` names nobody; write for example { group = "Tier 2" }.')
    if group is not None:
        ladder.references.check_group(assign, "group", group, ladder.serves)
    if agent is not None and agent not in STRATEGIES:
        ladder.references.check_person(assign, "agent", agent, ladder.serves)
    return AssignSpec(group=group, agent=agent, skill=skill)


def read_priority(table: Table) -> Priority | None:
    """`{ at_least = "high" }`: a level never lowers a priority."""
    value = table.values.get("priority")
    if isinstance(value, str):
        table.wrong_type("priority", value, f'{{ at_least = "{value}" }}; a level never lowers a priority')
        return None
    priority = table.table("priority")
    if priority is None:
        return None
    priority.only(("at_least",))
    if not priority.require("at_least", '"high"'):
        return None
    word = priority.word("at_least", tuple(Priority))
    return Priority(word) if word else None


def read_template(table: Table, key: str, ladder: Ladder) -> str | None:
    """The name of a template."""
    name = table.text(key, '"handoff"')
    if name is not None:
        table.exists(key, "template", name, ladder.references.templates)
    return name


def read_notify(table: Table, ladder: Ladder) -> tuple[str, ...]:
    """Channels by name, and `owner` for those of the owner."""
    channels, references = table.texts("notify", '["leads"]') or (), ladder.references
    for index, channel in enumerate(channels):
        if channel != OWNERS_OWN:
            table.exists(("notify", index), "channel", channel, references.channels, " to the main file")
    return tuple(dict.fromkeys(channels))


def read_set(table: Table, ladder: Ladder) -> Iterator[tuple[str, Value]]:
    """Fields by name, dotted or nested, and the values they get."""
    fields = table.table("set")
    if fields is None:
        return
    if not fields.values:
        fields.report((), "empty", "`set` sets nothing; write for example { custom.tier = 2 }.")
    for path, value in settings(fields.values):
        name = ".".join(path)
        field = find(name)
        if field is None or not field.settable:
            hint = (
                " It has an action of its own." if name in ("group", "assignee", "priority", "tags") else ""
            )
            settable = listed([*(each.name for each in FIELDS.values() if each.settable), "custom.NAME"])
            fields.report(path, "not-settable", f"`{name}` cannot be set; {settable} can.{hint}")
            continue
        if field.kind == "custom":
            ladder.references.is_mapped(fields, path, field, ladder.serves)
        if isinstance(value, str | int | float):
            yield name, value
        else:
            fields.wrong_type(path, value, "text, a number, true or false")


def settings(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each field of a `set` and its value; those of a group of fields stand inside it."""
    for key, value in values.items():
        if is_space(key) and isinstance(value, dict):
            yield from (((key, name), each) for name, each in value.items())
        else:
            yield (key,), value


def read_level(table: Table, ladder: Ladder) -> Level:
    """One level. What is wrong with it is noted; a level with problems never leaves `parse`."""
    table.only(LEVEL_KEYS)
    said, references = table.values, ladder.references
    name = table.text("name", '"Team lead"') if table.require("name", '"Team lead"') else None
    check_due(table, ladder)
    owner, assign = read_owner(table, ladder), read_assign(table, ladder)
    if not any(key in said for key in (*ACTIONS, "owner", "return")):
        text = "the level has no owner and no action; add for example note or assign."
        table.report((), "does-nothing", text)
    if "reply" in said and not ladder.public:
        text = "customers read a reply; write `public = true` on the policy if that is meant, or use `note`."
        table.report("reply", "not-public", text)
    follow = table.texts("follow", '["lee@acme.test"]') or ()
    for index, person in enumerate(follow):
        references.check_person(table, ("follow", index), person, ladder.serves)
    hand_off = table.yes("hand_off")
    for key, example in (("note", '"handoff"'), ("ask", '"Call the customer."')):
        if hand_off and key not in said:
            text = f"a hand-over needs `{key}`; add for example {key} = {example}."
            table.report("hand_off", "missing", text)
    for key in ("ask", "checklist"):
        if key in said and "note" not in said:
            table.report(key, "nothing-to-say-it-in", f"`{key}` is said in the level's note; add `note`.")
    level = Level(
        name=name or "",
        kind=read_kind(table, owner, assign),
        after=table.seconds("after", ladder.calendar),
        before=table.seconds("before", ladder.calendar),
        at=table.whole("at", 1, 100),
        on=read_on(table, ladder),
        clock=LEVEL_CLOCKS.get(table.word("clock", LEVEL_CLOCKS) or "", "policy"),
        owner=owner,
        assign=assign,
        priority=read_priority(table),
        tags=frozenset(table.texts("tags", '["escalated"]') or ()),
        untag=frozenset(table.texts("untag", '["escalated"]') or ()),
        set=tuple(read_set(table, ladder)),
        note=read_template(table, "note", ladder),
        reply=read_template(table, "reply", ladder),
        follow=follow,
        notify=read_notify(table, ladder),
        repeat=read_repeat(table, ladder),
        ask=table.text("ask", '"Call the customer."'),
        checklist=table.texts("checklist", '["Read the log", "Call the customer"]') or (),
        hand_off=hand_off,
        approval=read_approval(table, ladder),
        within=table.known("within", '"office"', references.calendars, "unknown-calendar"),
    )
    return replace(level, otherwise=read_otherwise(table, ladder, level))


def read_approval(table: Table, ladder: Ladder) -> Approval | None:
    """`{ owner = "Finance", within = "2h", then = "reject" }`, and what asks."""
    approval = table.table("approval")
    if approval is None:
        return None
    approval.only(("note", "notify", "owner", "within", "then"))
    within, said = approval.seconds("within", ladder.calendar), approval.values.get("then")
    if within == 0:
        approval.report("within", "out-of-range", "`within` must be longer than nothing.")
    if said is not None and within is None:
        text = '`then` is for when nobody has decided in time; add for example within = "2h".'
        approval.report("then", "no-within", text)
    then, after = None, None
    if isinstance(said, dict):
        after = approval.table("then")
        if after is not None:
            after.only(("owner",))
            after.require("owner", '"Duty managers"')
    else:
        then = approval.word("then", LAPSES)
    return Approval(
        note=read_template(approval, "note", ladder),
        notify=read_notify(approval, ladder),
        owner=read_owner(approval, ladder),
        within=within,
        then=LAPSES[then or "reject"],
        then_owner=read_owner(after, ladder) if after is not None else None,
    )


def read_otherwise(table: Table, ladder: Ladder, level: Level) -> Level | None:
    """The level as it acts in closed hours: its name and owner, and these parts instead of all it does by day."""
    other = table.table("otherwise")
    if other is None:
        return None
    other.only(INSTEAD)
    if level.within is None:
        table.report("otherwise", "no-within", "`otherwise` is for closed hours; say which with `within`.")
    parts: dict[str, Any] = {
        "owner": read_owner(other, ladder),
        "assign": read_assign(other, ladder),
        "note": read_template(other, "note", ladder),
        "notify": read_notify(other, ladder),
    }
    kept = {key: getattr(level, key) for key in (*DUES, "clock", "owner", "within")}
    said = {key: value for key, value in parts.items() if key in other.values}
    return Level(name=level.name, kind=level.kind, **kept | said)


def read_on(table: Table, ladder: Ladder) -> Seconds | None:
    """`"fri 17:00"` in seconds from the beginning of Monday, for a level that is due at a time of the week."""
    weekly, on = table.values.get("clock") == "weekly", table.text("on", '"fri 17:00"')
    if weekly and on is None:
        table.require("on", '"fri 17:00"')
    if on is None:
        return None
    if not weekly:
        table.report("on", "not-weekly", '`on` is a time of the week; add clock = "weekly" to the level.')
    if ladder.calendar is None:
        text = "a time of the week is in the zone of a calendar; add `calendar` to the policy."
        table.report("on", "no-calendar", text)
    read = TIME_OF_WEEK.match(on)
    if read is None:
        text = f'`on` says "{on}"; write a day and a time, for example "fri 17:00" or "mon 08:00".'
        table.report("on", "bad-time", text)
        return None
    day, hour, minute = read.groups()
    return DAYS.index(day) * UNITS["d"] + int(hour) * UNITS["h"] + int(minute) * UNITS["m"]


def check_due(table: Table, ladder: Ladder) -> None:
    """Exactly one of after, before, at and on; before and at on a deadline clock only."""
    said = [key for key in DUES if key in table.values]
    if not said:
        table.report((), "missing", 'nothing says when the level is due; add for example after = "30m".')
    for key in said[1:]:
        table.report(key, "two-dues", f"the level has both `{said[0]}` and `{key}`; keep one.")
    if said and said[0] in ("before", "at") and ladder.clock and not ladder.deadline:
        text = f"`{said[0]}` needs a deadline clock; use `after`, or another `clock` on the policy."
        table.report(said[0], "needs-deadline", text)
    if "at" in said and ladder.deadline:
        for account in ladder.references.startless(ladder.serves, ladder.clock):
            table.report(
                "at",
                "no-start",
                f"the helpdesk of account {account} never tells when a target began, so `at` is never due there; "
                f"use `before`, or give {ladder.clock} targets of your own in [sla.NAME].",
            )


def read_kind(table: Table, owner: str | None, assign: AssignSpec | None) -> Kind:
    """What kind of escalation the level is: as said, else up the reporting line, to another team, or neither."""
    said = table.word("kind", KINDS)
    if said is not None:
        return KINDS[said]
    if owner is not None and (call := call_of(owner)) and call[0].climbs:
        return "hierarchical"
    if assign is not None:
        return "functional"
    return "hierarchical" if owner is not None else "priority"


def read_repeat(table: Table, ladder: Ladder) -> Repeat | None:
    """`{ every = "1h", times = 3 }`, on a level that says something."""
    repeat = table.table("repeat")
    if repeat is None:
        return None
    repeat.only(("every", "times"))
    every = repeat.seconds("every", ladder.calendar) if repeat.require("every", '"1h"') else None
    times = repeat.whole("times", 1, 1_000) if repeat.require("times", "3") else None
    if every == 0:
        repeat.report("every", "out-of-range", "`every` must be longer than nothing.")
    if "note" not in table.values and "notify" not in table.values:
        text = "only notes and notifications are repeated; add a note, or remove repeat."
        table.report("repeat", "nothing-to-repeat", text)
    return Repeat(every=every, times=times) if every and times else None


def check_ladder(levels: Sequence[tuple[Table, Level]]) -> None:
    """Note what only shows when the levels are seen together. A level is remembered by its name, so it must be the only
    one of it; one that is due no later than one before it in the file overtakes it (rule 3)."""
    if levels and levels[0][1].clock == "since_last_level":
        text = "the first level has no level before it to count from."
        levels[0][0].report("clock", "no-level-before", text)
    seen: set[str] = set()
    latest: Seconds | None = None
    for table, level in levels:
        if level.name and level.name in seen:
            text = f'there is a level "{level.name}" above; give this one another name.'
            table.report("name", "duplicate", text)
        seen.add(level.name)
        place = place_of(level)
        if place is not None and latest is not None and place <= latest:
            key = "after" if level.after is not None else "before"
            text = "the level is due no later than one above it, which it overtakes; sort the levels by time."
            table.report(key, "order", text, "warning")
        latest = max((each for each in (latest, place) if each is not None), default=None)


def place_of(level: Level) -> Seconds | None:
    """Where the level stands on the policy's clock, a deadline being 0; None where that depends."""
    if level.clock != "policy":
        return None
    if level.after is not None:
        return level.after
    return None if level.before is None else -level.before


def unworded(said: Mapping[str, Any]) -> dict[str, Any]:
    """A policy, a level or an `otherwise` as written, without the words that people read: of those only that they are
    there."""
    return {
        key: True
        if key in LEVEL_KEYS and LEVEL_KEYS[key].worded
        else unworded(value)
        if isinstance(value, dict) and key in ("otherwise", "approval")
        else [unworded(each) for each in value]
        if isinstance(value, list) and key == "level"
        else value
        for key, value in said.items()
    }


def read_policy(table: Table, references: References) -> Policy:
    """One policy. What is wrong with it is noted; a policy with problems never leaves `parse`."""
    table.only(POLICY_KEYS)
    said = table.values
    name = table.text("name", '"urgent-unanswered"') if table.require("name", '"urgent-unanswered"') else None
    served = table.all_known("accounts", '["acme"]', references.accounts, "unknown-account")
    accounts = None if served is None else frozenset(served)
    clock = ""
    if table.require("clock", '"customer_waiting"'):
        clock = table.word("clock", CLOCKS, "unknown-clock") or ""
    if clock == "since_agent_reply" and "pending" not in str(said.get("when")):
        text = 'this clock runs on when the customer answers; if it should not, add status = "pending" to `when`.'
        table.report("clock", "suggest-pending", text, "warning")
    if "pause_on" in said and clock in CLOCKS and not CLOCKS[clock].pausable:
        table.report("pause_on", "cannot-pause", f"clock {clock} cannot be paused; remove `pause_on`.")
    ladder = Ladder(
        calendar=table.known("calendar", '"support"', references.calendars, "unknown-calendar"),
        clock=clock,
        deadline=clock in CLOCKS and CLOCKS[clock].metric is not None,
        serves=references.serving(accounts),
        references=references,
        public=table.yes("public"),
    )
    if not said.get("level"):
        table.report((), "no-level", "the policy has no level, so it does nothing; add [[policy.level]].")
    tables = enumerate(table.tables("level"), start=1)
    called = (
        each.called(f'{table.about}, level "{each.values.get("name", index)}"') for index, each in tables
    )
    levels = [(each, read_level(each, ladder)) for each in called]
    check_ladder(levels)
    mode = table.word("mode", MODES)
    table.require("when", '[policy.when] with status = ["new", "open"]')
    names = Names(references=references, serves=ladder.serves)
    when, unless = (table.table(key, f"{table.about}, {key}") for key in ("when", "unless"))
    return Policy(
        name=name or "",
        accounts=accounts,
        mode=MODES[mode] if mode else None,
        clock=clock,
        calendar=ladder.calendar,
        stop_on=table.words("stop_on", STOPS),
        pause_on=table.words("pause_on", PAUSES),
        counts_as_reply=table.words("counts_as_reply", REPLIES) or frozenset({"public"}),
        acknowledge_tags=frozenset(table.texts("acknowledge_tags", '["taken"]') or ()),
        backlog="skip" if table.word("backlog", ("skip", "fire")) == "skip" else "fire",
        when=Conditions() if when is None else read_when(when, names),
        unless=Conditions() if unless is None else read_unless(unless, names),
        levels=tuple(level for _, level in levels),
        exclusive=table.yes("exclusive"),
        hash=digest(said),
        decides=digest(unworded(said)),
        text=canonical(said),
        file=table.document.name,
        line=table.document.line(table.path),
    )
