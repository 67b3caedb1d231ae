"""What an escalation with one write asks of the database and of the processor: counts that no slow machine changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from cProfile import Profile
from pathlib import Path
from pstats import Stats

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.sql.selectable import Select

from tests.connector.each import EACH, each

OPENS = "BEGIN"


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run meanwhile, in order, transactions' beginnings among them."""
    told: list[str] = []

    def ran(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", ran)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", ran)


STATEMENTS = {"zendesk": 24, "freshdesk": 35, "servicenow": 24}
"""Of the look that fires a level, of its write and of the look at what came of it, but for the beginnings of
transactions. Freshdesk takes fields and note by a write each. One keeps the row of the list of what is escalated."""


@pytest.mark.parametrize("vendor", EACH)
def test_an_escalation_asks_so_much(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two", "three")
        one.round()
        one.clock.advance(31 * 60)
        work = one.service.parts.worker.work
        work(one.ref("one"))  # the first look reads the directory
        with counted() as told:
            work(one.ref("two"))
        assert "fired" in one.whats("two")
        asked = [statement for statement in told if not statement.startswith(OPENS)]
        assert len(asked) == STATEMENTS[vendor], asked


CALLS = {"zendesk": 16_500, "freshdesk": 26_000, "servicenow": 34_500}
"""Functions that are called for it at most, a tenth more than there are."""


@pytest.mark.parametrize("vendor", EACH)
def test_an_escalation_calls_so_many_functions(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two", "three")
        one.round()
        one.clock.advance(31 * 60)
        work = one.service.parts.worker.work
        work(one.ref("one"))
        calls = Profile()
        calls.runcall(work, one.ref("two"))
        assert "fired" in one.whats("two")
    assert Stats(calls).total_calls < CALLS[vendor]  # type: ignore[attr-defined]


def test_a_look_that_changes_nothing_asks_three_times(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round()
        one.service.parts.worker.work(one.ref())
        with counted() as told:
            one.service.parts.worker.work(one.ref())
        assert len([statement for statement in told if not statement.startswith(OPENS)]) == 3, told


def test_no_statement_is_built_while_a_look_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    where = Select.where

    def watched(self: Select[tuple[object]], *clauses: object) -> Select[tuple[object]]:
        built.append(len(clauses))
        return where(self, *clauses)  # type: ignore[arg-type]

    with each("zendesk", tmp_path) as one:
        one.opened("one", "two")
        one.round()
        one.clock.advance(31 * 60)
        one.service.parts.worker.work(one.ref("one"))
        monkeypatch.setattr(Select, "where", watched)
        one.service.parts.worker.work(one.ref("two"))
        looked = list(built)
        assert "fired" in one.whats("two")
    assert looked == []
