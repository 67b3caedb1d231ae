"""Whatever passes `check` can be evaluated: policies that nobody wrote, on tickets to which anything happens."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from connector.store import codec
from policies.language.document import Document, read
from policies.language.lint import POSSIBLE
from policies.language.parse import parse
from policies.model import Metric, Order, Priority, Stage, Status, Target, Ticket
from policies.rules.observe import could_hold, verdict_of
from policies.state import Standing
from tests.policies.lives import HEAD, NEWBORN, Life, at
from tests.policies.test_properties import Fact, facts, written

PROVEN = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
PLACE = """
[sla.standard]
calendar = "office"
first_reply = { urgent = "1h", high = "2h" }
next_reply = { urgent = "1h" }
resolution = { urgent = "4h", high = "8h" }
[people."ann@acme.test"]
manager = "dan@acme.test"
limit = 100
[groups."Tier 1"]
lead = "ben@acme.test"
on_call = "ann@acme.test"
[channels.leads]
url = "secret:leads"
"""
CONFIG = HEAD.replace("[accounts.acme]", '[accounts.acme]\nfields = { tier = "1", amount = "2" }').replace(
    "[accounts.other]", '[accounts.other]\nfields = { tier = "1", amount = "2" }'
)
NAMES = ("Tier 1", "Tier 2", "Duty", "Nowhere")
DEADLINES = tuple(Metric)
CLOCKS = (
    "created",
    "customer_waiting",
    "since_agent_reply",
    "assignee_silent",
    "in_status",
    "untouched",
    "matching",
    *DEADLINES,
)
SPANS = ("0m", "10m", "30m", "1h", "2h30m")


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    """One of these."""
    return st.sampled_from(values)


LINES: dict[str, st.SearchStrategy[Any]] = {
    "status": one_of(["new", "open"], "open", ["open", "pending", "solved"], {"not": "pending"}),
    "priority": one_of("urgent", {"at_least": "high"}, {"known": False}, {"not": "low"}, {"at_most": "low"}),
    "tags": one_of({"has": "vip"}, {"lacks": "l1"}, {"has_all": ["vip", "l1"]}),
    "group": one_of("Tier 1", {"known": True}, {"not_in": ["Duty"]}),
    "assignee": one_of({"known": False}, "ann@acme.test", {"not": "ben@acme.test"}),
    "assignee_away": one_of(True, {"known": False}),
    "subject": one_of({"contains": "log"}, {"matches": "^N"}),
    "type": one_of({"known": False}, {"not": "task"}),
    "requester.vip": one_of(True, False),
    "replies": one_of({"under": 2}, {"at_least": 1}),
    "bounces": one_of({"at_least": 1}, {"at_most": 0}),
    "custom.tier": one_of("gold", {"known": False}, 2, {"over": 1}),
    "custom.amount": one_of({"over_limit_of": "assignee"}, {"over_limit_of": "group"}),
    "phrases": one_of({"has": "asks_for_manager"}),
}


def lines(least: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """Some lines of conditions."""
    names = st.lists(st.sampled_from(sorted(LINES)), min_size=least, max_size=2, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: LINES[name] for name in chosen}))


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    """A `when` or `unless`, perhaps with tables inside."""
    tables = st.lists(lines(), min_size=1, max_size=2)
    inner = st.fixed_dictionaries({}, optional={"any": tables, "all": tables})
    return st.builds(lambda own, more: own | more, lines(), inner)


OWNERS = one_of(
    "Tier 2",
    "assignee",
    "lead_of(group)",
    "lead_of(assignee)",
    "manager_of(owner)",
    "manager_of(assignee)",
    "on_call(Tier 1)",
    "Nobody",
)
ASSIGNS = st.one_of(
    st.builds(lambda group: {"group": group}, st.sampled_from(NAMES)),
    st.builds(
        lambda group, agent: {"group": group, "agent": agent},
        st.sampled_from(NAMES),
        one_of("round_robin", "least_loaded", "on_call", "cat@acme.test"),
    ),
    st.builds(lambda agent: {"agent": agent}, one_of("least_loaded", "on_call", "ben@acme.test", "ghost")),
)
ACTIONS: dict[str, st.SearchStrategy[Any]] = {
    "owner": OWNERS,
    "assign": ASSIGNS,
    "priority": one_of({"at_least": "urgent"}, {"at_least": "low"}),
    "tags": one_of(["l1"], ["vip", "l2"]),
    "untag": one_of(["vip"], ["l1"]),
    "set": one_of({"custom.tier": "gold"}, {"custom.amount": 7}),
    "reply": st.just("handoff"),
    "follow": one_of(["ann@acme.test"], ["ghost"]),
    "notify": st.just(["leads"]),
    "approval": one_of({}, {"note": "handoff"}, {"notify": ["leads"]}),
}


@st.composite
def levels(draw: st.DrawFn, place: int, clock: str) -> dict[str, Any]:
    """A level that `check` takes, at this place of a policy on this clock."""
    keys = draw(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=4, unique=True))
    found = {"name": f"level {place}", "note": "handoff"} | {key: draw(ACTIONS[key]) for key in keys}
    kind = draw(one_of("after", "before", "at")) if clock in DEADLINES else "after"
    found[kind] = draw(st.integers(1, 100)) if kind == "at" else draw(st.sampled_from(SPANS))
    if place and kind == "after" and draw(st.booleans()):
        found["clock"] = "since_last_level"
    if draw(st.booleans()):
        found["within"] = "office"
        if draw(st.booleans()):
            found["otherwise"] = draw(
                st.fixed_dictionaries({"note": st.just("handoff")}, optional={"assign": ASSIGNS})
            )
    if draw(st.booleans()):
        found["repeat"] = {"every": draw(one_of("10m", "1h")), "times": 2}
    return found


@st.composite
def policies(draw: st.DrawFn, name: str = "p") -> dict[str, Any]:
    """A policy as a file holds it."""
    clock = draw(st.sampled_from(CLOCKS))
    found: dict[str, Any] = {"name": name, "clock": clock, "public": True, "when": draw(conditions())}
    found |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "unless": conditions(),
                "stop_on": st.lists(
                    one_of("agent_reply", "acknowledged", "assigned", "customer_message"),
                    min_size=1,
                    unique=True,
                ),
                "backlog": st.just("skip"),
                "acknowledge_tags": st.just(["vip"]),
                "calendar": st.just("office"),
            },
        )
    )
    if clock not in (*DEADLINES, "customer_waiting") and draw(st.booleans()):
        found["pause_on"] = ["pending"]
    count = draw(st.integers(1, 3))
    return found | {"level": [draw(levels(place, clock)) for place in range(count)]}


def text_of(chosen: list[dict[str, Any]], mode: str) -> str:
    """The policies as a file, all in this mode."""
    tables = [
        "[[policy]]\n" + "".join(f"{k} = {written(v)}\n" for k, v in (one | {"mode": mode}).items())
        for one in chosen
    ]
    return PLACE + "\n".join(tables)


HIDEABLE = (
    "priority",
    "status",
    "group",
    "assignee",
    "tags",
    "created",
    "messages",
    "changes",
    "targets",
    "custom.tier",
    "subject",
    "requester",
)
EVENTS = st.one_of(
    st.tuples(st.just("fact"), facts()),
    st.tuples(st.just("fact"), facts()),
    st.tuples(st.just("hide"), st.frozensets(st.sampled_from(HIDEABLE), max_size=2)),
    st.tuples(st.just("mode"), one_of("observe", "enforce")),
    st.tuples(
        st.just("order"),
        st.tuples(
            one_of("acknowledge", "snooze", "escalate", "deescalate", "approve", "reject"),
            one_of(None, "p", "q"),
            one_of(None, None, "level 1"),
        ),
    ),
    st.tuples(
        st.just("target"), st.tuples(st.sampled_from(tuple(Stage)), one_of(None, 0), st.integers(0, 600))
    ),
    st.tuples(st.just("gone"), st.booleans()),
    st.tuples(st.just("result"), one_of("done", "stale", "refused", "unknown")),
)


def reread(standings: tuple[Standing, ...]) -> tuple[Standing, ...]:
    """The standings as the store gives them back."""
    return tuple(codec.load(Standing, codec.dump(Standing, one)) for one in standings)


def happen(life: Life, chosen: list[dict[str, Any]], what: str, value: Any, minute: int) -> tuple[Order, ...]:
    """One event; answers the orders it gives."""
    match what:
        case "fact":
            fact: Fact = value
            fact.happen(life, minute)
        case "hide":
            life.with_fields(hidden=value)
        case "mode":
            life.under(text_of(chosen, value))
        case "target":
            stage, start, due = value
            start = None if start is None else at(start)
            life.target(*(Target(metric=each, stage=stage, due=at(due), start=start) for each in Metric))
        case "gone":
            life.with_fields(gone="deleted" if value else None)
        case "order":
            verb, policy, level = value
            until = at(minute + 45) if verb == "snooze" else None
            return (Order(verb=verb, who="gus", at=at(minute), policy=policy, level=level, until=until),)
    return ()


@PROVEN
@given(
    st.tuples(policies("p"), policies("q")),
    st.lists(st.tuples(st.sampled_from((0, 5, 20, 60, 400)), EVENTS), min_size=3, max_size=14),
)
def test_no_checked_policy_raises_and_no_look_is_in_vain(
    pair: tuple[dict[str, Any], dict[str, Any]], story: list[tuple[int, tuple[str, Any]]]
) -> None:
    chosen = list(pair)
    assume(checked(chosen) is not None)
    life = Life(text_of(chosen, "enforce"), head=CONFIG).customer(0)
    minute, result = 0, "done"
    for gap, (what, value) in [(0, ("pass", None)), *story, (700, ("pass", None))]:
        minute += gap
        orders = happen(life, chosen, what, value, minute)
        result = value if what == "result" else result
        for turn in range(3):
            given_now = orders if turn == 0 else ()
            plan = life.plan(minute, given_now)
            assert plan.failed == (), plan.failed
            life.standings = reread(life.standings)
            assert life.plan(minute, given_now) == plan, "serialised standings are the same standings"
            assert plan.next_look is None or plan.next_look >= at(minute)
            told = len(life.ledger)
            life.look(minute, result, given_now)
            lines = [what for what, _, _ in life.ledger[told:] if what in ORDERED]
            assert lines or not given_now, "an order leaves a line"
        if result == "done":
            settle_down(life, minute)
            again = life.plan(minute)
            assert again.wanted == ()
            assert again.occurrences == ()


ORDERED = ("acknowledged", "snoozed", "escalated", "deescalated", "approved", "rejected", "order refused")
"""The ledger's words for what people ordered."""


def settle_down(life: Life, minute: float) -> None:
    """Look until nothing is planned any more. Two policies may take turns for ever, which is not the subject."""
    for _ in range(8):
        if not life.look(minute).wanted and not life.plan(minute).occurrences:
            return
    life.standings = life.plan(minute).standings


# --- a contradiction is one ----------------------------------------------------------------------------------

TICKETS = st.builds(
    lambda status, priority, tags, group, tier, amount, vip, subject: replace(
        NEWBORN,
        status=status,
        priority=priority,
        tags=frozenset(tags),
        group=NEWBORN.group if group else None,
        custom={"tier": tier, "amount": amount},
        requester=None if NEWBORN.requester is None else replace(NEWBORN.requester, vip=vip),
        subject=subject,
        type="task" if vip else None,
    ),
    st.sampled_from(tuple(Status)),
    st.sampled_from((None, *Priority)),
    st.lists(one_of("vip", "l1", "l2")),
    st.booleans(),
    one_of(None, "gold", 2, 0),
    one_of(None, 7, 700),
    st.booleans(),
    one_of("", "Nobody can log in", "log"),
)


@settings(PROVEN, max_examples=300)
@given(conditions(), conditions(), st.lists(TICKETS, min_size=20, max_size=20))
def test_what_check_calls_a_contradiction_matches_no_ticket(
    when: dict[str, Any], unless: dict[str, Any], tickets: list[Ticket]
) -> None:
    one = {"name": "p", "clock": "created", "when": when, "unless": unless}
    one |= {"level": [{"name": "one", "after": "1h", "note": "handoff"}]}
    found = refused(one)
    unhindered = parsed(one | {"unless": {"tags": {"has": "nobody has this"}}})
    if not found or unhindered is None:
        return
    excluded = parsed({**one, "when": {"tags": {"lacks": "nobody has this"}}})
    assert excluded is not None
    (asks,), (leaves_out,) = unhindered, excluded
    every = [*tickets, *(ticket for each in POSSIBLE.values() for ticket in each)]
    for ticket in every:
        assert not (
            asks.when.decided(ticket, by=False)[0]
            and leaves_out.unless.decided(ticket, by=True)[0] is not True
        ), when


def refused(one: dict[str, Any]) -> bool:
    """Whether `check` says that the policy contradicts itself."""
    document = read("uptier.toml", CONFIG + text_of([one], "enforce"))
    assert isinstance(document, Document)
    return any(each.code == "contradiction" for each in parse([document]).problems)


def parsed(one: dict[str, Any]) -> Any:
    """The policies, None if something is wrong."""
    return checked([one])


def checked(chosen: list[dict[str, Any]]) -> Any:
    """The policies, None if `check` refuses them."""
    document = read("uptier.toml", CONFIG + text_of(chosen, "enforce"))
    assert isinstance(document, Document)
    found = parse([document]).policies
    return found.policies if found else None


@PROVEN
@given(policies(), TICKETS, st.frozensets(st.sampled_from(HIDEABLE), max_size=3))
def test_a_row_is_ruled_out_only_if_no_look_could_find_it_matching(
    one: dict[str, Any], ticket: Ticket, hidden: frozenset[str]
) -> None:
    found = parsed(one)
    if found is None:
        return
    row = replace(ticket, hidden=hidden, loaded=frozenset())
    if not could_hold(found[0], row):
        assert not verdict_of(found[0], replace(ticket, hidden=hidden)).holds
        assert not verdict_of(found[0], ticket).holds
