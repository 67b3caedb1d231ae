"""What holds for every ticket that can live, under several policies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.language.document import digest
from policies.model import Status, Who
from policies.plan import Plan
from policies.state import How, Owner, Standing
from tests.policies.lives import HEAD, LADDER, Life, policy, rules

PROVEN = settings(max_examples=15, deadline=None, derandomize=True, database=None)

NOTE = 'note = "handoff"'
OPEN = 'status = ["new", "open", "pending", "on_hold"]'


def level(after: str, more: str = "") -> str:
    """A level that says something so much after the clock's start."""
    return f'after = "{after}"\n{NOTE}\n{more}'


SLA = '[sla.standard]\nfirst_reply = { urgent = "1h", high = "2h", normal = "4h", low = "8h" }\n'
REPEATING = policy(
    level("0m", 'tags = ["l1"]\nrepeat = { every = "20m", times = 2 }'),
    level("1h", 'owner = "Duty"\nclock = "since_last_level"'),
    clock="untouched",
    when=OPEN,
    more='pause_on = ["on_hold"]',
)
SILENT = policy(
    level("30m", 'assign = { group = "Tier 2", agent = "least_loaded" }'),
    level("2h", 'assign = { group = "Duty" }\nowner = "Duty"'),
    clock="assignee_silent",
    when=OPEN,
)
HURRIED = policy(
    'at = 50\nnote = "handoff"\npriority = { at_least = "urgent" }',
    'before = "10m"\nnote = "handoff"\ntags = ["l2"]',
    'after = "30m"\nowner = "Duty"\nnote = "handoff"',
    clock="first_reply",
    when=OPEN,
    more='stop_on = ["acknowledged", "agent_reply"]',
)
MATCHING = policy(
    level("10m", 'tags = ["seen"]\nuntag = ["vip"]'),
    level("40m"),
    clock="matching",
    when='any = [{ priority = "urgent" }, { tags = { has = "vip" } }]',
    unless='assignee = "ben@acme.test"',
    more='stop_on = ["assigned", "customer_message"]',
)
STATUS = policy(
    level("30m", 'owner = "lead_of(group)"'),
    level("90m", 'owner = "manager_of(owner)"'),
    clock="in_status",
    when='status = ["open", "pending", "solved"]',
    more='calendar = "office"',
)
ACKNOWLEDGED = policy(
    level("30m"),
    level("1h", 'owner = "Tier 2"'),
    clock="created",
    when=OPEN,
    more='stop_on = ["acknowledged"]',
)
RISING = policy(
    level("30m", 'priority = { at_least = "urgent" }\ntags = ["vip"]'),
    level("2h"),
    clock="created",
    when='any = [{ priority = "urgent" }, { status = "open" }, { tags = { has = "vip" } }]',
)
WATCHED = policy(
    level("15m", 'owner = "Tier 2"'), level("45m"), name="w", clock="created", more='mode = "observe"'
)
CROWD = (
    LADDER
    + policy(level("30m", 'tags = ["l3"]\nuntag = ["l1"]\nreply = "handoff"'), name="q", clock="untouched")
    + policy(
        level("0m", 'priority = { at_least = "urgent" }'), name="r", when='tags = { has = ["l1", "l3"] }'
    )
    + WATCHED
)
ALONE = (LADDER, REPEATING, SILENT, SLA + HURRIED, MATCHING, STATUS, ACKNOWLEDGED, RISING)
EVERY = (*ALONE, CROWD)


# --- what can happen -----------------------------------------------------------------------------------------

STATUSES = [each.value for each in Status if each is not Status.CLOSED]
GAPS = (0, 1, 7, 15, 29, 30, 31, 60, 120, 600)


@dataclass(frozen=True)
class Fact:
    """One thing that happens, so many minutes after the one before."""

    gap: int
    kind: str
    value: Any = None
    person: str = "ann"
    who: Who = Who.AGENT

    def happen(self, life: Life, minute: int) -> None:
        """Play it."""
        match self.kind:
            case "customer":
                life.customer(minute)
            case "reply" | "note":
                life.agent(minute, self.person, public=self.kind == "reply")
            case "auto":
                life.says(minute, self.who, self.person, auto=True)
            case "pass":
                pass
            case _:
                life.change(minute, self.kind, self.value, by=self.person, who=self.who)


def facts(*, over: bool = True) -> st.SearchStrategy[Fact]:
    """Any fact; without solving and reopening if not `over`."""
    people = st.sampled_from(("ann", "ben", "dan"))
    whose = st.sampled_from((Who.AGENT, Who.AGENT, Who.AUTOMATION))
    statuses = STATUSES if over else [each for each in STATUSES if each != "solved"]
    values = st.one_of(
        st.tuples(st.just("status"), st.sampled_from(statuses)),
        st.tuples(st.just("assignee"), st.sampled_from(("ann", "ben", None))),
        st.tuples(st.just("group"), st.sampled_from(("g1", "g2", "g3"))),
        st.tuples(st.just("priority"), st.sampled_from(("low", "high", "urgent", None))),
        st.tuples(st.just("tags"), st.sampled_from(((), ("vip",), ("l1",), ("l1", "vip")))),
        st.tuples(st.sampled_from(("customer", "reply", "note", "auto", "pass")), st.none()),
        st.tuples(st.sampled_from(("customer", "reply", "note", "pass")), st.none()),
    )
    return st.builds(
        lambda gap, both, person, who: Fact(gap, both[0], both[1], person, who),
        st.sampled_from(GAPS),
        values,
        people,
        whose,
    )


def histories(*, over: bool = True) -> st.SearchStrategy[list[Fact]]:
    """A handful of facts."""
    return st.lists(facts(over=over), min_size=1, max_size=12)


def timed(story: list[Fact]) -> Iterator[tuple[int, Fact]]:
    """Each fact with its minute."""
    minute = 0
    for fact in story:
        minute += fact.gap
        yield minute, fact


ROUNDS = 8
"""More than any set of these policies needs to come to rest."""


def settle_down(life: Life, minute: float) -> int:
    """Look until nothing is planned any more; returns how many looks wrote something."""
    for turn in range(ROUNDS):
        if not life.look(minute).wanted:
            return turn
    raise AssertionError(f"still writing after {ROUNDS} looks at minute {minute}: {life.writes}")


def played(text: str, story: list[Fact]) -> Iterator[tuple[Life, float, Plan]]:
    """A life in which Uptier looks at each fact and at each time it named itself; yields each look."""
    life = Life(text).customer(0)
    minute: float = 0
    yield life, minute, life.look(minute)
    for then, fact in [*timed(story), (timed_end(story), Fact(0, "pass"))]:
        while (at := wake(life, minute)) is not None and at < then:
            minute = at
            yield life, minute, life.look(minute)
        minute = then
        fact.happen(life, then)
        yield life, minute, life.look(minute)


def timed_end(story: list[Fact]) -> int:
    """Some hours after the last fact."""
    return sum(fact.gap for fact in story) + 300


def wake(life: Life, minute: float) -> float | None:
    """The next time Uptier would look by itself, in minutes, if that is ahead."""
    at = life.plan(minute).next_look
    ahead = None if at is None else (at - life.ticket.created) / 60
    return ahead if ahead is not None and ahead > minute else None


# --- a plan carried out is not planned again -----------------------------------------------------------------


@PROVEN
@given(st.sampled_from(ALONE), histories())
def test_looking_again_at_the_same_instant_plans_nothing(text: str, story: list[Fact]) -> None:
    for life, minute, _ in played(text, story):
        again = life.plan(minute)
        assert again.wanted == ()
        assert [line.what for line in again.occurrences] == []


@settings(PROVEN, max_examples=10)
@given(histories())
def test_several_policies_come_to_rest(story: list[Fact]) -> None:
    for life, minute, _ in played(CROWD, story):
        assert settle_down(life, minute) <= 4
        assert life.plan(minute).wanted == ()


@PROVEN
@given(st.sampled_from(EVERY), histories())
def test_one_look_twice_gives_one_plan(text: str, story: list[Fact]) -> None:
    for life, minute, _ in played(text, story):
        assert life.plan(minute) == life.plan(minute)


# --- however it was delivered --------------------------------------------------------------------------------


def unchanged(before: tuple[Standing, ...], after: tuple[Standing, ...]) -> bool:
    """Whether a look changed nothing but that it looked."""
    return [replace(each, seen=0) for each in before] == [replace(each, seen=0) for each in after]


def meaning(plan: Plan) -> tuple[object, ...]:
    """All of a plan that says what is to be done and who owns the ticket."""
    lines = [(line.what, line.policy, line.level, line.owner) for line in plan.occurrences]
    passed = [
        [(each.level, each.how) for each in s.episode.passed] if s.episode else None for s in plan.standings
    ]
    return plan.wanted, plan.owner, plan.next_look, lines, passed


@PROVEN
@given(st.sampled_from(EVERY), histories(), st.lists(st.booleans(), min_size=12, max_size=12))
def test_looks_without_effect_change_nothing(text: str, story: list[Fact], extra: list[bool]) -> None:
    few, many = Life(text).customer(0), Life(text).customer(0)
    few.look(0)
    many.look(0)
    for (minute, fact), more in zip(timed(story), extra, strict=False):
        for life in (few, many):
            fact.happen(life, minute)
        looked = many.plan(minute)
        if more and not looked.wanted and unchanged(many.standings, looked.standings):
            many.look(minute)
        else:
            few.look(minute)
            many.look(minute)
        end = timed_end(story)
        assert meaning(few.plan(end)) == meaning(many.plan(end))
    assert few.writes == many.writes


UNSOLVED = (
    LADDER.replace('status = ["new", "open"]', OPEN),
    SILENT,
    REPEATING,
    ACKNOWLEDGED,
    SLA + HURRIED,
    policy(level("30m"), level("1h"), when=OPEN, more='stop_on = ["customer_message", "assigned"]'),
    policy(level("1h"), level("2h"), clock="since_agent_reply", when=OPEN, more='stop_on = ["acknowledged"]'),
    policy(level("20m"), level("1h"), clock="in_status", when=OPEN, more='stop_on = ["agent_reply"]'),
    SILENT.replace("[policy.when]", 'stop_on = ["acknowledged"]\n[policy.when]'),
)
"""Policies that the history alone can tell about: a look that was missed hides no change of `when`."""


@PROVEN
@given(st.sampled_from(UNSOLVED), histories(over=False))
def test_looks_at_which_nothing_was_due_can_be_left_out(text: str, story: list[Fact]) -> None:
    story = [replace(fact, gap=fact.gap or 1) for fact in story]
    often = Life(text).customer(0)
    effective: list[float] = []
    for life, minute, plan in played(text, story):
        often = life
        if plan.wanted:
            effective.append(minute)
    rarely = Life(text).customer(0)
    waiting = list(timed(story))
    for minute in (*effective, timed_end(story)):
        while waiting and waiting[0][0] <= minute:
            then, fact = waiting.pop(0)
            fact.happen(rarely, then)
        rarely.look(minute)
    assert [minute for minute, _ in rarely.writes] == [minute for minute, _ in often.writes]
    assert [kinds(actions) for _, actions in rarely.writes] == [kinds(actions) for _, actions in often.writes]


def kinds(actions: tuple[Any, ...]) -> list[tuple[str, object]]:
    """What was done, without the sentences."""
    return [(each.kind, getattr(each, "level", None)) for each in actions]


# --- levels never go back ------------------------------------------------------------------------------------


@PROVEN
@given(st.sampled_from(EVERY), histories())
def test_levels_never_go_back(text: str, story: list[Fact]) -> None:
    order = {each.name: [rung.name for rung in each.levels] for each in rules(text).policies}
    passed: dict[str, list[tuple[str, How]]] = {}
    for life, _, _ in played(text, story):
        for standing in life.standings:
            if standing.episode is None:
                continue
            now = [(each.level, each.how) for each in standing.episode.passed]
            before = passed.setdefault(standing.episode.key, [])
            assert now[: len(before)] == before, "what is passed stays passed"
            passed[standing.episode.key] = now
    for key, levels in passed.items():
        rungs = order[key.split(":")[1]]
        names = [name for name, _ in levels]
        assert len(names) == len(set(names)), "no level is passed twice"
        fired = [rungs.index(name) for name, how in levels if how is not How.OVERTAKEN]
        assert fired == sorted(fired), "and none fires behind a higher one"


@PROVEN
@given(st.sampled_from(EVERY), histories())
def test_every_level_before_a_passed_one_is_passed(text: str, story: list[Fact]) -> None:
    order = {each.name: [rung.name for rung in each.levels] for each in rules(text).policies}
    for life, _, _ in played(text, story):
        for standing in life.standings:
            if standing.episode is None:
                continue
            names = {each.level for each in standing.episode.passed}
            rungs = order[standing.policy]
            assert names == set(rungs[: len(names)])


# --- owners --------------------------------------------------------------------------------------------------


@dataclass
class Owners:
    """Every passing with an owner that was ever seen, in the order of time, then of policies."""

    seen: dict[tuple[str, str, int], tuple[bool, int, Owner]] = field(default_factory=dict)

    def see(self, life: Life) -> None:
        """Note what is passed now."""
        for rank, standing in enumerate(life.standings):
            for each in standing.episode.passed if standing.episode else ():
                if each.owner is not None:
                    enforced = each.how is not How.OBSERVED
                    self.seen[standing.policy, each.level, each.at] = enforced, -rank, each.owner

    def latest(self) -> Owner | None:
        """Whose the ticket is: the latest passing's, the first policy's of one instant; enforced ones first."""
        ranked = [
            (enforced, at, rank, index)
            for index, ((_, _, at), (enforced, rank, _)) in enumerate(self.seen.items())
        ]
        owners = [owner for _, _, owner in self.seen.values()]
        return owners[max(ranked)[-1]] if ranked else None


@PROVEN
@given(st.sampled_from(EVERY), histories())
def test_exactly_one_owner_from_the_first_passed_level_on(text: str, story: list[Fact]) -> None:
    owners = Owners()
    for life, minute, _ in played(text, story):
        owners.see(life)
        assert life.plan(minute).owner == owners.latest()


# --- what is due is not forgotten ----------------------------------------------------------------------------


@PROVEN
@given(st.sampled_from(EVERY), histories(), st.integers(1, 400))
def test_before_the_next_look_time_alone_changes_nothing(text: str, story: list[Fact], early: int) -> None:
    for life, minute, _ in played(text, story):
        settle_down(life, minute)
        at = life.plan(minute).next_look
        until = minute + early if at is None else min(minute + early, (at - life.ticket.created - 1) / 60)
        if until > minute:
            plan = life.plan(until)
            assert plan.wanted == ()
            assert plan.occurrences == ()


# --- a policy file round-trips -------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def rewritten(canonical: str) -> str:
    """A policy's canonical text as TOML again."""
    values = json.loads(canonical)
    return "[[policy]]\n" + "".join(f"{key} = {written(value)}\n" for key, value in values.items())


@pytest.mark.parametrize("text", EVERY)
def test_a_policy_file_round_trips(text: str) -> None:
    first = rules(text).policies
    again = rules((SLA if "first_reply" in text else "") + "".join(rewritten(each.text) for each in first))
    assert [each.hash for each in again.policies] == [each.hash for each in first]
    assert [each.text for each in again.policies] == [each.text for each in first]
    assert [each.levels for each in again.policies] == [each.levels for each in first]
    assert [digest(json.loads(each.text)) for each in first] == [each.hash for each in first]


NAMES = st.text("abcXYZ äß\"'\\.-_", min_size=1, max_size=12).filter(lambda name: bool(name.strip()))


@PROVEN
@given(
    NAMES, st.lists(NAMES, min_size=1, max_size=4), st.integers(0, 9_999), st.sampled_from(("h", "m", "s"))
)
def test_so_does_any_text_in_it(name: str, tags: list[str], span: int, unit: str) -> None:
    text = rewritten(
        json.dumps(
            {
                "name": name,
                "clock": "created",
                "when": {"tags": {"has": tags}, "subject": {"contains": name}},
                "level": [{"name": name, "after": f"{span}{unit}", "tags": tags}],
            }
        )
    )
    (first,) = rules(text, HEAD).policies
    (again,) = rules(rewritten(first.text), HEAD).policies
    assert (again.hash, again.levels, again.name) == (first.hash, first.levels, name)
