"""Reads one `[[policy.level]]`: when it is due, whom it makes the owner, and what it does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from policies.parse_actions import (
    Ladder,
    read_assign,
    read_follow,
    read_notify,
    read_owner,
    read_priority,
    read_set,
    read_template,
)
from policies.policy import Approval, AssignSpec, Level, Repeat
from policies.table import Table

LEVEL_KEYS: Mapping[str, str] = {
    "name": "What the level is called; unique in the policy.",
    "kind": "functional, hierarchical or priority; told by the actions if not given.",
    "after": "How far along the clock the level is due; on a deadline clock, how long after the deadline.",
    "before": "On a deadline clock: how long before the deadline.",
    "at": "On a deadline clock: at this percentage of the time between start and deadline.",
    "clock": "since_last_level counts from the instant the level before was passed.",
    "owner": "Who is accountable from here: a group, a person, or a function such as lead_of(group).",
    "assign": "Whom the ticket goes to: a group, an agent or a strategy, or both.",
    "priority": "The priority is at least this afterwards.",
    "tags": "Tags that are there afterwards.",
    "untag": "Tags that are gone afterwards.",
    "set": "Fields and the values they have afterwards.",
    "note": "The template of an internal note.",
    "reply": "The template of a public reply.",
    "follow": "People who follow the ticket afterwards.",
    "notify": "Channels outside the helpdesk that hear of it.",
    "ask": "What is asked of whoever gets the ticket; said in the note.",
    "checklist": "Steps for whoever gets the ticket; listed in the note.",
    "hand_off": "true puts into the note what the ticket is about and what was tried.",
    "approval": "A person must approve the level before it fires; what asks them to.",
    "within": "A calendar; while it is closed the level waits, or does what `otherwise` says.",
    "otherwise": "What the level does instead while `within` is closed: owner, assign, notify and so on.",
    "repeat": "Say the note and the notifications again: every so often, so many times.",
}
ACTIONS = ("assign", "priority", "tags", "untag", "set", "note", "reply", "follow", "notify")
INSTEAD = ("owner", "assign", "note", "notify")
DUES = ("after", "before", "at")

Kind = Literal["functional", "hierarchical", "priority"]
KINDS: Mapping[str, Kind] = {
    "functional": "functional",
    "hierarchical": "hierarchical",
    "priority": "priority",
}


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
    if owner is not None and owner.startswith(("lead_of(", "manager_of(")):
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
