"""Reads one `[[policy]]`: whom it serves, its clock, its conditions, and its ladder with what each level does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from policies.language.clocks import CLOCKS
from policies.language.conditions import Conditions
from policies.language.document import Path, canonical, did_you_mean, digest, listed
from policies.language.fields import FIELDS, Field, find, is_space
from policies.language.parse_conditions import Names, read_unless, read_when
from policies.language.policy import Approval, AssignSpec, Level, Policy, Repeat
from policies.language.reader import Table
from policies.language.references import References
from policies.language.vocabulary import (
    ACTIONS,
    ASSIGNEE,
    CALL,
    DUES,
    GROUP,
    INSTEAD,
    KINDS,
    LEVEL_KEYS,
    MODES,
    OWNER_FUNCTIONS,
    PAUSES,
    POLICY_KEYS,
    REPLIES,
    STOPS,
    STRATEGIES,
    Kind,
    call_of,
    ranks,
)
from policies.model import Priority, Seconds, Value


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
    if owner is None:
        return None
    call = CALL.fullmatch(owner)
    if call is None and owner != ASSIGNEE:
        ladder.references.check_owner(table, "owner", owner, ladder.serves)
    elif call is not None:
        check_call(table, call[1], call[2], ladder)
    return owner


def check_call(table: Table, function: str, argument: str, ladder: Ladder) -> None:
    """Note a function that does not exist, or does not take this."""
    if function not in OWNER_FUNCTIONS:
        hint = did_you_mean(function, OWNER_FUNCTIONS) or f" Known: {listed(OWNER_FUNCTIONS)}."
        table.report("owner", "unknown-function", f"there is no function `{function}`.{hint}")
        return
    takes = OWNER_FUNCTIONS[function].takes
    if takes != (GROUP,):
        if argument not in takes:
            table.report(
                "owner", "wrong-argument", f"`{function}` takes {listed(takes)}, not {argument or 'nothing'}."
            )
    elif not argument or any(argument in each.takes for each in OWNER_FUNCTIONS.values()):
        table.report("owner", "wrong-argument", f"`{function}` takes the name of a group, not {argument!r}.")
    else:
        ladder.references.check_group(table, "owner", argument, ladder.serves)


def read_assign(table: Table, ladder: Ladder) -> AssignSpec | None:
    """`{ group = …, agent = … }`, at least one of them."""
    assign = table.table("assign")
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
    if name is not None and name not in ladder.references.templates:
        hint = did_you_mean(name, ladder.references.templates) or f" Add [templates.{name}]."
        table.report(key, "unknown-template", f'there is no template "{name}".{hint}')
    return name


def read_follow(table: Table, ladder: Ladder) -> tuple[str, ...]:
    """People by address or name."""
    people = table.texts("follow", '["lee@acme.test"]') or ()
    for index, person in enumerate(people):
        ladder.references.check_person(table, ("follow", index), person, ladder.serves)
    return people


def read_notify(table: Table, ladder: Ladder) -> tuple[str, ...]:
    """Channels by name."""
    channels = table.texts("notify", '["leads"]') or ()
    for index, channel in enumerate(channels):
        known = ladder.references.channels
        if channel not in known:
            hint = did_you_mean(channel, known) or f" Add [channels.{channel}] to the main file."
            table.report(("notify", index), "unknown-channel", f'there is no channel "{channel}".{hint}')
    return tuple(dict.fromkeys(channels))


def read_set(table: Table, ladder: Ladder) -> tuple[tuple[str, Value], ...]:
    """Fields by name, dotted or nested, and the values they get."""
    fields = table.table("set")
    if fields is None:
        return ()
    if not fields.values:
        fields.report((), "empty", "`set` sets nothing; write for example { custom.tier = 2 }.")
    return tuple(pair for key in fields.values for pair in read_pairs(fields, key, ladder))


def read_pairs(fields: Table, key: str, ladder: Ladder) -> list[tuple[str, Value]]:
    """The settings behind one key of `set`: one field, or those of a group of fields."""
    value = fields.values[key]
    if not is_space(key) or not isinstance(value, dict):
        return read_pair(fields, (key,), key, value, ladder)
    nested = ((name, each) for name, each in value.items())
    return [
        pair
        for name, each in nested
        for pair in read_pair(fields, (key, name), f"{key}.{name}", each, ladder)
    ]


def read_pair(fields: Table, path: Path, name: str, value: object, ladder: Ladder) -> list[tuple[str, Value]]:
    """One field to set, checked."""
    field = find(name)
    if field is None or not field.settable:
        hint = " It has an action of its own." if name in ("group", "assignee", "priority", "tags") else ""
        settable = [each.name for each in FIELDS.values() if each.settable]
        fields.report(
            path, "not-settable", f"`{name}` cannot be set; {listed([*settable, 'custom.NAME'])} can.{hint}"
        )
        return []
    if field.kind == "custom":
        check_mapped(fields, path, field, ladder)
    if not isinstance(value, str | int | float):
        fields.wrong_type(path, value, "text, a number, true or false")
        return []
    return [(name, value)]


def check_mapped(fields: Table, path: Path, field: Field, ladder: Ladder) -> None:
    """Note every served account that does not map this custom field."""
    for account in ladder.references.lacking(field, ladder.serves):
        ladder.references.report_unmapped(fields, path, field, account)


def read_level(table: Table, ladder: Ladder) -> Level:
    """One level. What is wrong with it is noted; a level with problems never leaves `parse`."""
    table.only(LEVEL_KEYS)
    name = table.text("name", '"Team lead"') if table.require("name", '"Team lead"') else None
    check_due(table, ladder)
    owner, assign = read_owner(table, ladder), read_assign(table, ladder)
    check_does_something(table)
    level = Level(
        name=name or "",
        kind=read_kind(table, owner, assign),
        after=table.seconds("after", ladder.calendar),
        before=table.seconds("before", ladder.calendar),
        at=table.whole("at", 1, 100),
        clock=read_level_clock(table),
        owner=owner,
        assign=assign,
        priority=read_priority(table),
        tags=frozenset(table.texts("tags", '["escalated"]') or ()),
        untag=frozenset(table.texts("untag", '["escalated"]') or ()),
        set=read_set(table, ladder),
        note=read_template(table, "note", ladder),
        reply=read_reply(table, ladder),
        follow=read_follow(table, ladder),
        notify=read_notify(table, ladder),
        repeat=read_repeat(table, ladder),
        ask=table.text("ask", '"Call the customer."'),
        checklist=table.texts("checklist", '["Read the log", "Call the customer"]') or (),
        hand_off=read_hand_off(table),
        approval=read_approval(table, ladder),
        within=read_within(table, ladder),
    )
    return replace(level, otherwise=read_otherwise(table, ladder, level))


def read_reply(table: Table, ladder: Ladder) -> str | None:
    """The template of a public reply, which the policy must allow."""
    if "reply" in table.values and not ladder.public:
        text = "customers read a reply; write `public = true` on the policy if that is meant, or use `note`."
        table.report("reply", "not-public", text)
    return read_template(table, "reply", ladder)


def read_hand_off(table: Table) -> bool:
    """Whether the note hands the ticket over; then it must say what is asked."""
    hand_off = table.yes("hand_off")
    for key in ("note", "ask"):
        if hand_off and key not in table.values:
            example = {"note": '"handoff"', "ask": '"Call the customer."'}[key]
            table.report(
                "hand_off", "missing", f"a hand-over needs `{key}`; add for example {key} = {example}."
            )
    for key in ("ask", "checklist"):
        if key in table.values and "note" not in table.values:
            table.report(key, "nothing-to-say-it-in", f"`{key}` is said in the level's note; add `note`.")
    return hand_off


def read_approval(table: Table, ladder: Ladder) -> Approval | None:
    """`{ note = "please-approve" }`, or `{}` where the list of what needs a human is enough."""
    approval = table.table("approval")
    if approval is None:
        return None
    approval.only(("note", "notify"))
    return Approval(note=read_template(approval, "note", ladder), notify=read_notify(approval, ladder))


def read_within(table: Table, ladder: Ladder) -> str | None:
    """The calendar in whose open hours the level acts."""
    name = table.text("within", '"office"')
    if name is not None:
        table.among("within", name, ladder.references.calendars, "unknown-calendar")
    return name


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
    instead = Level(
        name=level.name,
        kind=level.kind,
        after=level.after,
        before=level.before,
        at=level.at,
        clock=level.clock,
        owner=level.owner,
        within=level.within,
    )
    return replace(instead, **{key: value for key, value in parts.items() if key in other.values})


def check_due(table: Table, ladder: Ladder) -> None:
    """Exactly one of after, before, at; the last two on a deadline clock only."""
    said = [key for key in DUES if key in table.values]
    if not said:
        table.report((), "missing", 'nothing says when the level is due; add for example after = "30m".')
    for key in said[1:]:
        table.report(key, "two-dues", f"the level has both `{said[0]}` and `{key}`; keep one.")
    for key in said[:1]:
        if key != "after" and ladder.clock and not ladder.deadline:
            table.report(
                key,
                "needs-deadline",
                f"`{key}` needs a deadline clock; use `after`, or another `clock` on the policy.",
            )
    if "at" in said and ladder.deadline:
        for account in ladder.references.startless(ladder.serves, ladder.clock):
            table.report(
                "at",
                "no-start",
                f"the helpdesk of account {account} never tells when a target began, so `at` is never due there; "
                f"use `before`, or give {ladder.clock} targets of your own in [sla.NAME].",
            )


def read_level_clock(table: Table) -> Literal["policy", "since_last_level"]:
    """Whether the level counts from the one before it."""
    return "since_last_level" if table.word("clock", ("since_last_level",)) else "policy"


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


def check_does_something(table: Table) -> None:
    """A level without an owner or action would change nothing."""
    if not any(key in table.values for key in (*ACTIONS, "owner")):
        table.report(
            (), "does-nothing", "the level has no owner and no action; add for example note or assign."
        )


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
        table.report(
            "repeat",
            "nothing-to-repeat",
            "only notes and notifications are repeated; add a note, or remove repeat.",
        )
    return Repeat(every=every, times=times) if every and times else None


def check_ladder(levels: Sequence[tuple[Table, Level]]) -> None:
    """Note what only shows when the levels are seen together."""
    check_names(levels)
    if levels and levels[0][1].clock == "since_last_level":
        levels[0][0].report(
            "clock", "no-level-before", "the first level has no level before it to count from."
        )
    check_order(levels)


def check_names(levels: Sequence[tuple[Table, Level]]) -> None:
    """A level is remembered by its name, so it must be the only one of that name in its policy."""
    seen: set[str] = set()
    for table, level in levels:
        if level.name and level.name in seen:
            table.report(
                "name", "duplicate", f'there is a level "{level.name}" above; give this one another name.'
            )
        seen.add(level.name)


def check_order(levels: Sequence[tuple[Table, Level]]) -> None:
    """A level that is due no later than one before it in the file overtakes it (rule 3)."""
    latest: Seconds | None = None
    for table, level in levels:
        place = place_of(level)
        if place is None:
            continue
        if latest is not None and place <= latest:
            key = "after" if level.after is not None else "before"
            text = "the level is due no later than one above it, which it overtakes; sort the levels by time."
            table.report(key, "order", text, "warning")
        latest = place if latest is None else max(latest, place)


def place_of(level: Level) -> Seconds | None:
    """Where the level stands on the policy's clock, a deadline being 0; None where that depends."""
    if level.clock == "since_last_level":
        return None
    if level.after is not None:
        return level.after
    return None if level.before is None else -level.before


def read_policy(table: Table, references: References) -> Policy:
    """One policy. What is wrong with it is noted; a policy with problems never leaves `parse`."""
    table.only(POLICY_KEYS)
    name = table.text("name", '"urgent-unanswered"') if table.require("name", '"urgent-unanswered"') else None
    accounts = read_accounts(table, references)
    clock, calendar = read_clock(table), read_calendar_name(table, references)
    ladder = Ladder(
        calendar=calendar,
        clock=clock,
        deadline=clock in CLOCKS and CLOCKS[clock].metric is not None,
        serves=references.serving(accounts),
        references=references,
        public=table.yes("public"),
    )
    levels = [(each, read_level(each, ladder)) for each in level_tables(table)]
    check_ladder(levels)
    mode = table.word("mode", MODES)
    return Policy(
        name=name or "",
        accounts=accounts,
        mode=MODES[mode] if mode else None,
        clock=clock,
        calendar=calendar,
        stop_on=table.words("stop_on", STOPS),
        pause_on=read_pauses(table, clock),
        counts_as_reply=table.words("counts_as_reply", REPLIES) or frozenset({"public"}),
        acknowledge_tags=frozenset(table.texts("acknowledge_tags", '["taken"]') or ()),
        backlog=read_backlog(table),
        when=read_section(table, "when", ladder, read_when),
        unless=read_section(table, "unless", ladder, read_unless),
        levels=tuple(level for _, level in levels),
        hash=digest(table.values),
        text=canonical(table.values),
        file=table.document.name,
        line=table.document.line(table.path),
    )


def read_accounts(table: Table, references: References) -> frozenset[str] | None:
    """The accounts served, each of which the config must know; None is all of them."""
    names = table.texts("accounts", '["acme"]')
    if names is None:
        return None
    for index, name in enumerate(names):
        table.among(("accounts", index), name, references.accounts, "unknown-account")
    return frozenset(names)


def read_clock(table: Table) -> str:
    """What the levels count on."""
    if not table.require("clock", '"customer_waiting"'):
        return ""
    clock = table.word("clock", CLOCKS, "unknown-clock") or ""
    if clock == "since_agent_reply" and "pending" not in str(table.values.get("when")):
        table.report(
            "clock",
            "suggest-pending",
            'this clock runs on when the customer answers; if it should not, add status = "pending" to `when`.',
            "warning",
        )
    return clock


def read_calendar_name(table: Table, references: References) -> str | None:
    """The calendar that counts the time."""
    name = table.text("calendar", '"support"')
    if name is not None:
        table.among("calendar", name, references.calendars, "unknown-calendar")
    return name


def level_tables(table: Table) -> Iterator[Table]:
    """The levels in file order, each called by its name in messages."""
    if not table.values.get("level"):
        table.report((), "no-level", "the policy has no level, so it does nothing; add [[policy.level]].")
    for index, each in enumerate(table.tables("level"), start=1):
        name = each.values.get("name", index)
        yield each.called(f'{table.about}, level "{name}"')


def read_pauses(table: Table, clock: str) -> frozenset[str]:
    """Statuses in which the clock stands still; deadlines and the customer's clock know no pause."""
    if "pause_on" in table.values and clock in CLOCKS and not CLOCKS[clock].pausable:
        table.report("pause_on", "cannot-pause", f"clock {clock} cannot be paused; remove `pause_on`.")
    return table.words("pause_on", PAUSES)


def read_backlog(table: Table) -> Literal["fire", "skip"]:
    """What becomes of levels that were due before the policy first ran."""
    return "skip" if table.word("backlog", ("skip", "fire")) == "skip" else "fire"


def read_section(
    table: Table, key: str, ladder: Ladder, reader: Callable[[Table, Names], Conditions]
) -> Conditions:
    """The `when` or `unless` of a policy; `when` must be there."""
    if key == "when" and not table.require("when", '[policy.when] with status = ["new", "open"]'):
        return Conditions()
    inner = table.table(key, f"{table.about}, {key}")
    return (
        Conditions()
        if inner is None
        else reader(inner, Names(references=ladder.references, serves=ladder.serves))
    )
