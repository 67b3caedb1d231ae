"""Reads one `[[policy]]`: whom it serves, its clock, its conditions, and the ladder."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from policies.check_ladder import check_ladder
from policies.conditions import Conditions
from policies.digest import canonical, digest
from policies.model import Metric, Status
from policies.parse_actions import Ladder
from policies.parse_conditions import Names, read_unless, read_when
from policies.parse_level import read_level
from policies.policy import Mode, Policy
from policies.references import References
from policies.table import Table

POLICY_KEYS: Mapping[str, str] = {
    "name": "What the policy is called; unique over all files.",
    "accounts": "The accounts the policy serves; all if not given.",
    "mode": "observe records what it would do, enforce does it; inherited if not given.",
    "clock": "What the levels count on.",
    "calendar": "The calendar that counts the time; without one, day and night count.",
    "stop_on": "What ends an episode, besides `when` no longer holding.",
    "pause_on": "In these statuses the clock stands still.",
    "counts_as_reply": "What counts as a reply; public unless said otherwise.",
    "public": "true lets levels write public replies, which customers read.",
    "acknowledge_tags": "A person who adds one of these tags acknowledges the escalation.",
    "backlog": "skip leaves out what was due before the policy first ran; fire does it late.",
    "when": "Every line must hold.",
    "unless": "Any line that holds leaves the ticket out.",
    "level": "The rungs of the ladder, in order.",
}
CLOCKS: Mapping[str, str] = {
    "created": "From the creation of the ticket.",
    "customer_waiting": "From the customer's first message that nobody has answered yet.",
    "since_agent_reply": "From the last reply of an agent.",
    "assignee_silent": "From the assignment, and from each act of the assignee.",
    "in_status": "From entering the present status.",
    "untouched": "From the newest act of a person, agent or customer.",
    "matching": "From the first look at which the conditions held.",
    "first_reply": "The deadline for the first reply.",
    "next_reply": "The deadline for the next reply.",
    "resolution": "The deadline for the resolution.",
}
DEADLINES = frozenset(Metric)
STOPS = ("agent_reply", "acknowledged", "assigned", "customer_message")
PAUSES = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
REPLIES = ("public", "internal")
MODES: Mapping[str, Mode] = {"observe": "observe", "enforce": "enforce"}


def read_policy(table: Table, references: References) -> Policy:
    """One policy. What is wrong with it is noted; a policy with problems never leaves `parse`."""
    table.only(POLICY_KEYS)
    name = table.text("name", '"urgent-unanswered"') if table.require("name", '"urgent-unanswered"') else None
    accounts = read_accounts(table, references)
    clock, calendar = read_clock(table), read_calendar_name(table, references)
    ladder = Ladder(
        calendar=calendar,
        clock=clock,
        deadline=clock in DEADLINES,
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
    if "pause_on" in table.values and (clock in DEADLINES or clock == "customer_waiting"):
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
