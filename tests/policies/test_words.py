"""Policies in plain words: every field, operator, clock, owner and strategy has some."""

from itertools import product

import pytest

from policies.language.clocks import CLOCKS
from policies.language.conditions import Condition
from policies.language.fields import FIELDS, Field, custom
from policies.language.operators import IS, OPERATORS, Operator, fits
from policies.language.policy import AssignSpec, CalendarSpec, Level, Policy
from policies.language.vocabulary import HOLDERS, OWNER_FUNCTIONS, STOPS, STRATEGIES
from policies.model import Wanted
from policies.present import describe
from policies.present.describe import (
    sentence,
    unless_words,
    when_words,
)
from tests.policies.lives import AFTER_30, HEAD, policy, rules

ALL = (IS, *OPERATORS.values())
SAMPLES: dict[str, tuple[Wanted, ...]] = {
    "one": ("a",),
    "list": (("a", "b"),),
    "one_or_list": ("a", ("a", "b")),
    "number": (3,),
    "yes_no": (True, False),
    "pattern": ("a|b",),
    "holder": HOLDERS,
}


def line(field: Field, operator: Operator, wanted: Wanted) -> Condition:
    """A condition line as the parser makes it."""
    return Condition(
        path=field.name,
        text="",
        holds=lambda _: True,
        read=field.read,
        operator=operator.name,
        wanted=wanted,
    )


def samples(field: Field, operator: Operator) -> tuple[Wanted, ...]:
    """Operands that may stand behind the operator on this field."""
    if field.kind == "yes_no":
        return (True, False)
    if field.choices and operator.operand == "number":
        return (field.choices[0], field.choices[1], field.choices[-1])
    return SAMPLES[operator.operand]


PAIRS = [pair for pair in product((*FIELDS.values(), custom("refund")), ALL) if fits(pair[1], pair[0])]


@pytest.mark.parametrize(("field", "operator"), PAIRS, ids=lambda each: each.name)
def test_every_operator_on_every_field_it_works_on_has_a_sentence(field: Field, operator: Operator) -> None:
    for wanted in samples(field, operator):
        said = sentence(line(field, operator, wanted))
        assert len(said.split()) >= 3, said
        assert field.kind == "yes_no" or said.startswith(("the ", "it is ")), said
        assert "_" not in said.replace(str(wanted), "")


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda each: each.name)
def test_no_field_is_without_words_of_its_own(field: Field) -> None:
    bare = Field(name=field.name, kind=field.kind, meaning="", read=field.read)
    words = (field.yes, field.no) if field.kind == "yes_no" else (field.noun,)
    assert not {bare.noun, bare.yes, bare.no} & {*words} or field.noun == f"the {field.name}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('priority = "high"', "the priority is high"),
        ('priority = { at_least = "high" }', "the priority is high or more urgent"),
        ('priority = { at_least = "urgent" }', "the priority is urgent"),
        ('priority = { at_most = "normal" }', "the priority is normal or less urgent"),
        ('priority = { at_most = "low" }', "the priority is low"),
        ('type = { not = "task" }', "the ticket type is known and not task"),
        ('type = { not_in = ["task", "a b"] }', 'the ticket type is known and not task or "a b"'),
        ('status = { not_in = ["pending"] }', "the status is not pending"),
        ('subject = { contains = "refund" }', 'the subject contains "refund"'),
        ('subject = { matches = "a|b" }', 'the subject matches the pattern "a|b"'),
        ("assignee = { known = false }", "the assignee is missing"),
        ("replies = { over = 3 }", "the number of public replies is more than 3"),
        ("replies = { under = 3 }", "the number of public replies is less than 3"),
        ("reopens = { at_least = 2 }", "the number of times a person reopened it is 2 or more"),
        ("reopens = { at_most = 2 }", "the number of times a person reopened it is 2 or less"),
        ("requester.vip = true", "the requester is a VIP"),
        ("requester = { vip = false }", "the requester is not a VIP"),
        ("assignee_away = { known = false }", "it is not known whether the assignee is away"),
        ('tags = { has_all = ["a", "b"] }', "the tags include a and b"),
        ('tags = { lacks = "a" }', "the tags include no a"),
        ('phrases = { has = "complaint" }', "the phrases found in the requester's words include complaint"),
        (
            "custom.refund = { over_limit_of = 'group' }",
            "the custom field refund is more than the group may decide",
        ),
        ("replies = { over = 1, under = 3 }", None),
        (
            'any = [{ requester.vip = true }, { priority = "urgent", replies = { over = 3 } }]',
            "the requester is a VIP, or (the priority is urgent, and the number of public replies is more than 3)",
        ),
        (
            'all = [{ any = [{ type = "a" }, { type = "b" }] }, { tags = { has = "c" } }]',
            "(the ticket type is a, or the ticket type is b), and the tags include c",
        ),
    ],
)
def test_a_line_in_words(written: str, said: str | None) -> None:
    head = HEAD.replace("[accounts.acme]", "[accounts.acme.fields]\nrefund = 'r'")
    head = head.replace("[accounts.other]", "[accounts.other.fields]\nrefund = 'r'")
    expected = said or (
        "the number of public replies is more than 1, and the number of public replies is less than 3"
    )
    assert when_words(rules(policy(when=written), head).policies[0].when)[0] == expected
    assert unless_words(rules(policy(unless=written), head).policies[0].unless) == (expected,)


def test_the_unsaid_line_is_said_where_nothing_else_says_the_status() -> None:
    def said(when: str) -> tuple[str, ...]:
        return when_words(rules(policy(when=when)).policies[0].when)

    assert said('priority = "high"')[-1] == "the status is not solved or closed"
    assert said('status = { not = "pending" }')[-1] == "the status is not solved or closed"
    assert said('status = "solved"') == ("the status is solved",)
    assert said('any = [{ status = "solved" }, { priority = "high" }]')[-1] == "the status is not closed"


@pytest.mark.parametrize(
    ("clock", "level", "more", "said"),
    [
        ("created", 'after = "30m"', "", "after 30 min"),
        ("created", 'after = "0m"', "", "at once"),
        ("created", 'after = "1h30m"', 'calendar = "office"', "after 1 h 30 min of business time (office)"),
        ("created", 'after = "2d"', "", "after 2 days"),
        ("created", 'after = "36h"', "", "after 36 h"),
        ("created", 'after = "48h"', 'calendar = "office"', "after 48 h of business time (office)"),
        ("created", 'after = "90s"', "", "after 1 min 30 s"),
        ("next_reply", 'before = "20m"', "", "20 min before the deadline"),
        (
            "next_reply",
            'before = "20m"',
            'calendar = "office"',
            "20 min of business time (office) before the deadline",
        ),
        ("next_reply", 'after = "0m"', "", "at the deadline"),
        ("next_reply", 'after = "1h"', "", "1 h after the deadline"),
        ("next_reply", "at = 75", "", "at 75% of the time to the deadline"),
        (
            "next_reply",
            "at = 75",
            'calendar = "office"',
            "at 75% of the business (office) time to the deadline",
        ),
    ],
)
def test_when_a_level_is_due(clock: str, level: str, more: str, said: str) -> None:
    found = rules(policy(f'{level}\nnote = "handoff"', clock=clock, more=more)).policies[0]
    assert describe.due(found, 0) == said


@pytest.mark.parametrize(("after", "said"), [("1h", '1 h after "one"'), ("0m", 'together with "one"')])
def test_a_level_that_counts_from_the_one_before(after: str, said: str) -> None:
    later = f'after = "{after}"\nclock = "since_last_level"\nnote = "handoff"'
    assert describe.due(rules(policy(AFTER_30, later)).policies[0], 1) == said


@pytest.mark.parametrize(("times", "said"), [(1, "once more, every 1 h"), (3, "3 times more, every 1 h")])
def test_repeats(times: int, said: str) -> None:
    written = policy(f'{AFTER_30}\nrepeat = {{ every = "1h", times = {times} }}')
    found = rules(written).policies[0]
    assert describe.repeated(found, found.levels[0]) == said


@pytest.mark.parametrize("name", CLOCKS)
def test_every_clock_has_words(name: str) -> None:
    said = describe.clock(rules(policy(clock=name)).policies[0])
    assert said.startswith(("from ", "the deadline "))
    assert not said.endswith(".")


def test_pauses_are_said() -> None:
    found = rules(policy(more='pause_on = ["pending", "on_hold"]')).policies[0]
    assert describe.clock(found).endswith("; it stands still while on_hold or pending")


def test_a_calendar_in_words() -> None:
    nine, split = ((540, 1020),), ((480, 720), (780, 1440))
    spec = CalendarSpec(
        name="x",
        timezone="America/New_York",
        hours=(nine, nine, split, nine, nine, (), nine),
        holidays=("US-NY", "CA"),
        closed=frozenset(f"2026-12-2{day}" for day in range(8)),
        open={"2026-12-30": nine, "2026-12-31": ()},
    )
    assert describe.calendar(spec) == (
        "Mon-Tue 09:00-17:00; Wed 08:00-12:00 and 13:00-24:00; Thu-Fri 09:00-17:00; Sun 09:00-17:00; New York time; "
        "closed on public holidays of US-NY and CA; closed on 2026-12-20, 2026-12-21, 2026-12-22, 2026-12-23, "
        "2026-12-24, 2026-12-25 and 2 more; open on 2026-12-30 09:00-17:00 and 2026-12-31 closed"
    )
    assert describe.calendar(None) == "day and night"
    assert describe.place("UTC") == "UTC"


def level(text: str) -> Level:
    """A level that says this besides being due."""
    return rules(policy(f'after = "1h"\n{text}')).policies[0].levels[0]


@pytest.mark.parametrize("function", OWNER_FUNCTIONS)
def test_every_function_has_words_and_a_role(function: str) -> None:
    for argument in OWNER_FUNCTIONS[function].takes:
        found = level(f'owner = "{function}({argument.replace("GROUP", "Duty")})"')
        assert "(" not in describe.owner(found)
        assert describe.roles(found)[0] in ("lead", "manager", "on-call")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_words(strategy: str) -> None:
    assert describe.target(AssignSpec(group="Tier 2", agent=strategy)).count("Tier 2") == 1
    assert describe.target(AssignSpec(agent=strategy)).count("the ticket's group") == 1


@pytest.mark.parametrize(
    ("text", "owner", "target", "roles"),
    [
        ('owner = "assignee"', "the assignee", "", ("agent",)),
        ('owner = "Duty"', "Duty", "", ("Duty",)),
        ('note = "handoff"', "the owner before, else the default owner", "", ()),
        ('assign = { group = "Duty" }', "whoever gets the ticket", "group Duty", ("Duty",)),
        ('assign = { agent = "Ann" }', "whoever gets the ticket", "Ann", ("agent", "Ann")),
        (
            'owner = "lead_of(group)"\nassign = { group = "Duty", agent = "least_loaded" }',
            "the lead of the ticket's group",
            "the least loaded member of Duty",
            ("lead", "Duty"),
        ),
        (
            'owner = "manager_of(owner)"\nassign = { agent = "round_robin", skill = "by_tag" }',
            "the manager of the owner before",
            "the member of the ticket's group whose turn it is, with the skills that the tags name",
            ("manager", "agent"),
        ),
        (
            'owner = "ann@acme.test"\nwithin = "office"\notherwise = { owner = "on_call(Duty)" }',
            "ann@acme.test",
            "",
            ("ann@acme.test", "on-call"),
        ),
    ],
)  # fmt: skip
def test_owner_target_and_roles(text: str, owner: str, target: str, roles: tuple[str, ...]) -> None:
    found = level(text)
    assert (describe.owner(found), describe.target(found.assign)) == (owner, target)
    assert describe.roles(found) == roles


HEARD = """
[channels.leads]
url = "secret:leads"
template = "handoff"
quiet = { calendar = "office" }
[channels.duty]
url = "secret:duty"
"""
WHOLE = """
after = "1h"
owner = "Duty"
assign = { group = "Duty" }
priority = { at_least = "urgent" }
tags = ["b", "a"]
untag = ["c"]
follow = ["ann@acme.test"]
note = "handoff"
reply = "handoff"
notify = ["leads", "duty"]
ask = "Call them."
checklist = ["Log", "Call"]
hand_off = true
approval = { note = "handoff", notify = ["duty"] }
within = "office"
otherwise = { owner = "on_call(Duty)", assign = { agent = "ann@acme.test" }, note = "handoff", notify = ["duty"] }
"""


def test_a_level_with_everything() -> None:
    found = rules(policy(WHOLE, more='acknowledge_tags = ["taken"]\nstop_on = ["assigned"]'), HEAD + HEARD)
    said = describe.describe(found.policies[0], found)
    assert (said.clock, said.calendar, said.hours) == ("from the creation of the ticket", "", "day and night")
    assert said.stops == (
        "the ticket is solved or closed",
        "the ticket no longer matches",
        "a person changes the assignee",
    )
    assert said.acknowledge == ("taking the ticket", "a reply or a note", "adding the tag taken")
    (one,) = said.levels
    assert one.changes == (
        "priority at least urgent",
        "tagged a and b",
        "no longer tagged c",
        "followed by ann@acme.test",
    )
    assert one.messages == (
        'note "handoff" (en)',
        'public reply "handoff" (en)',
        "hand-over: what the ticket is about and what was tried",
    )
    assert one.channels == (
        'leads: "handoff" (en), quiet while office is closed',
        "duty: a built sentence",
    )
    assert (one.ask, one.checklist) == ("Call them.", ("Log", "Call"))
    assert one.approval == 'asked by note "handoff" (en) and channel duty'
    assert one.closed_hours == (
        "while office is closed: owner is whoever is on call for Duty, goes to ann@acme.test, notifies duty"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('note = "handoff"', ""),
        ('note = "handoff"\nwithin = "office"', "waits while office is closed"),
        (
            'owner = "Duty"\nwithin = "office"\notherwise = { owner = "Duty" }',
            "while office is closed: the same",
        ),
    ],
)
def test_closed_hours(text: str, said: str) -> None:
    assert describe.closed_hours(level(text)) == said


def test_an_approval_without_a_way_to_ask() -> None:
    found = rules(policy(f"{AFTER_30}\napproval = {{}}"))
    said = describe.approval(found.policies[0], found.policies[0].levels[0], found)
    assert said == "asked in the list of what needs a human"


def test_set_fields_are_said() -> None:
    head = HEAD.replace("[accounts.acme]", "[accounts.acme.fields]\ntier = 1\n").replace(
        "[accounts.other]", "[accounts.other.fields]\ntier = 1\n"
    )
    found: Policy = rules(policy('after = "1h"\nset = { custom.tier = 2 }'), head).policies[0]
    assert describe.changes(found.levels[0]) == ("custom.tier is 2",)


@pytest.mark.parametrize("name", STOPS)
def test_every_stop_has_words(name: str) -> None:
    said = describe.stops(rules(policy(more=f'stop_on = ["{name}"]')).policies[0])
    assert said[-1] == STOPS[name].phrase
    assert len(said[-1].split()) >= 3
