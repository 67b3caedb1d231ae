"""Reads one `[[policy]]`: whom it serves, its clock, its conditions, and the ladder."""

from collections.abc import Mapping
from typing import Literal

from policies.check_ladder import check_ladder
from policies.conditions import Conditions
from policies.digest import digest
from policies.model import Metric, Status
from policies.parse_actions import Ladder
from policies.parse_conditions import read_unless, read_when
from policies.parse_level import read_level
from policies.policy import Mode, Policy
from policies.problems import did_you_mean, listed
from policies.references import References
from policies.scope import not_yet
from policies.table import Table

KEYS: Mapping[str, str] = {
    "name": "What the policy is called; unique over all files.",
    "accounts": "The accounts the policy serves; all if not given.",
    "mode": "observe records what it would do, enforce does it; inherited if not given.",
    "clock": "What the levels count on.",
    "calendar": "The calendar that counts the time; without one, day and night count.",
    "stop_on": "What ends an episode, besides `when` no longer holding.",
    "pause_on": "In these statuses the clock stands still.",
    "counts_as_reply": "What counts as a reply; public unless said otherwise.",
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
    "untouched": "From the newest act of anyone.",
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
    table.only(KEYS)
    for key in table.values:
        not_yet(table, key, f"policy.{key}")
    name = table.text("name", '"urgent-unanswered"') if table.require("name", '"urgent-unanswered"') else None
    accounts = read_accounts(table, references)
    clock, calendar = read_clock(table), read_calendar_name(table, references)
    ladder = Ladder(
        calendar=calendar,
        deadline=clock in DEADLINES,
        serves=references.serving(accounts),
        references=references,
    )
    levels = [(each, read_level(each, ladder)) for each in tables_of_levels(table)]
    check_ladder(table, levels, ladder)
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
        backlog=read_backlog(table),
        when=read_section_when(table, ladder),
        unless=read_section_unless(table, ladder),
        levels=tuple(level for _, level in levels),
        hash=digest(table.values),
        file=table.document.name,
        line=table.document.line(table.path),
    )
