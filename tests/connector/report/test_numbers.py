"""What is counted and advised, on cases made by hand: what an answer ended, what moves by people cost, and no advice
from little or too soon."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from connector.report.build_case import answered, case_of
from connector.report.cases import Case, Frame, People, period_asked
from connector.report.metrics import escalated_again
from connector.report.recommendations import LEAST, SETTLED, seldom_taken_up, without_cause
from connector.store.reported import Reported
from policies.history import History
from policies.model import Who
from policies.state import Episode
from tests.connector.report import week
from tests.connector.report.week import BERLIN, DUTY, NOW, TIER_1, TIER_2, Told, an_episode, at, level

MEMBERS: Mapping[str, frozenset[str]] = MappingProxyType({"t1": frozenset("a"), "t2": frozenset("b")})
PEOPLE = People(names={"t1": "Tier 1", "t2": "Tier 2", "d": "Duty"}, members=MEMBERS)


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    rules = week.rules(tmp_path_factory.mktemp("numbers"))
    period = period_asked("2026-03-02", "2026-03-06", BERLIN)
    return Frame(period=period, now=NOW, policies=rules.policies, calendars=rules.calendars)


def case(frame: Frame, told: Told, *episodes: Episode) -> Case:
    return case_of(Reported(ticket=told.ticket(), episodes=episodes), frame, PEOPLE)


@pytest.mark.parametrize(
    ("reason", "counts"),
    [("stop_on agent_reply", True), ("clock", True), ("stop_on acknowledged", True), ("when", False)],
)
def test_what_an_agents_reply_ended_and_comes_back_is_a_re_escalation(
    frame: Frame, reason: str, counts: bool
) -> None:
    told = Told("1", "mon 09:00").writes("mon 09:00").writes("mon 10:00", "a").writes("mon 10:30")
    first = an_episode(
        "1", "mon 09:00", level("one", "mon 09:30", "mon 09:30"), ended=at("mon 10:00:10"), reason=reason
    )
    again = an_episode("1", "mon 10:30", level("one", "mon 11:00", "mon 11:00"), number=2)
    found = case(frame, told, first, again)
    assert escalated_again(found, found.escalations) is counts
    assert not escalated_again(found, case(frame, told, first).escalations)


def test_a_clock_that_ended_by_something_else_was_not_answered() -> None:
    told = (
        Told("1", "mon 09:00")
        .writes("mon 09:00")
        .writes("mon 09:10", "a")
        .sets("mon 09:50", "status", "open", "on_hold")
    )
    history = History.of(told.ticket(), frozenset({"public"}))
    over = an_episode("1", "mon 09:20", ended=at("mon 09:50:10"), reason="clock")
    assert not answered(over, history)
    assert not answered(replace(over, reason="stop_on acknowledged"), None)
    assert answered(replace(over, reason="stop_on agent_reply"), None)


def test_a_move_by_people_costs_until_somebody_there_acts_and_what_the_customer_waited_of_that(
    frame: Frame,
) -> None:
    told = (
        Told("1", "mon 09:00").writes("mon 09:00").writes("mon 09:05", "a").moves("mon 09:10", TIER_1, TIER_2)
    )
    told.writes("mon 09:30").writes("mon 10:00", "b").moves("mon 10:10", TIER_2, DUTY).moves(
        "mon 10:20", DUTY, TIER_1
    )
    told.moves("mon 10:30", TIER_1, TIER_2, Who.OURS, by="acme/1:waits:1")
    there, unknown, gone = case(frame, told).handed
    assert (there.group, there.taken_up, there.waiting) == (
        "Tier 2", at("mon 10:00"), ((at("mon 09:30"), at("mon 10:00")),),
    )  # fmt: skip
    assert (unknown.unknown, unknown.taken_up) == (True, None)
    assert (gone.gone_on, gone.taken_up, gone.waiting) == (True, None, ())


def fired_at(frame: Frame, when: str, number: int, acknowledged: str | None = None) -> Case:
    told = Told(str(number), when).writes(when)
    more = {} if acknowledged is None else {"acknowledged": at(acknowledged)}
    return case(frame, told, an_episode(str(number), when, level("one", when, when), **more))


def test_nobody_is_told_that_a_level_is_seldom_acknowledged_by_few_or_by_what_fired_just_now(
    frame: Frame,
) -> None:
    some = [fired_at(frame, "mon 09:00", number) for number in range(LEAST)]
    (advice,) = seldom_taken_up(some, frame)
    assert advice.numbers == f"0 of {LEAST} that fired a day ago or more (0.0 %)"
    assert list(seldom_taken_up(some[1:], frame)) == []
    soon = replace(frame, now=at("mon 09:00") + SETTLED - 1)
    assert list(seldom_taken_up(some, soon)) == []
    taken = [fired_at(frame, "mon 09:00", number, "mon 09:10") for number in range(LEAST * 4)]
    assert list(seldom_taken_up([*some, *taken], frame)) == []


def test_a_cause_is_missed_only_on_tickets_that_are_over(frame: Frame) -> None:
    open_ones = [fired_at(frame, "mon 09:00", number) for number in range(LEAST)]
    over = [replace(each, is_open=False) for each in open_ones]
    stated = replace(over[0], cause="outage")
    assert list(without_cause([*open_ones, stated], frame)) == []
    assert list(without_cause(over, frame)) == []  # nobody states any: there is no such field
    (advice,) = without_cause([*over, stated], frame)
    assert advice.numbers.startswith(f"1 of {LEAST + 1} ")


def test_no_advice_names_a_flag() -> None:
    for name in ("recommendations", "report", "calls"):
        source = (Path(__file__).parents[3] / "connector" / "report" / f"{name}.py").read_text(
            encoding="utf-8"
        )
        assert " --" not in source, name
