"""CONTRIBUTING follows one ticket through the house: the page is held against a run, and the run against a bound."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from policies.plan import Follow
from tests import trace

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+\.py): ([\w.]+)`")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


def test_the_walk_names_functions_in_the_order_in_which_they_are_called() -> None:
    walk = PAGE.split("## One ticket through the house")[1].split("\n## ")[0]
    told = [(file, name) for file, name in NAMED.findall(walk)]
    assert len(told) > 20
    called = list(trace.one_round(solved=False))
    assert [each for each in told if each not in called] == []
    assert told == sorted(told, key=called.index)


def test_one_look_and_its_write_run_through_no_more_than_now() -> None:
    found = trace.escalation()
    assert len({file for file, _ in found}) <= 57
    assert len(found) <= 372


def test_an_operator_and_an_action_touch_no_more_than_now() -> None:
    assert len({file for file, _ in trace.operator()}) <= 11
    assert len(trace.naming(Follow)) <= 8
