"""Every pair of deaths at a COMMIT: what one process left undone, the next may leave undone too.

The process' death is an exception that nobody catches; `tests/crash` kills real ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine.default import DefaultDialect

from tests.connector.beside import composed
from tests.connector.each import Each, each

FIRST = range(1, 7)
SECOND = (1, 3)
TROUBLES = (("zendesk", "busy"), ("freshdesk", "busy"), ("servicenow", "lost"))


class Death(BaseException):
    """The process is no more."""


@contextmanager
def dying(at: int) -> Iterator[None]:
    """Whoever makes COMMIT number `at` dies behind it."""
    made = 0
    commit = DefaultDialect.do_commit

    def counted(dialect: DefaultDialect, connection: Any) -> None:
        nonlocal made
        made += 1
        commit(dialect, connection)
        if made == at:
            raise Death

    with pytest.MonkeyPatch.context() as patch, suppress(Death):
        patch.setattr(DefaultDialect, "do_commit", counted)
        yield


def lives(one: Each, folder: Path, *deaths: int) -> None:
    """A process for each death, then one that lives. Nobody polls: what is owed must be known by itself."""
    one.service.__exit__()
    for at in (*deaths, 0):
        with dying(at), composed(folder / "uptier.toml", one.clock, one.desk.secrets()) as service:
            parts = service.parts
            parts.engine.drain(parts.worker.work)
            for _ in range(5):
                one.clock.advance(16)
                parts.engine.drain(parts.worker.work)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize(("vendor", "fault"), TROUBLES)
def test_what_two_processes_left_undone_the_third_does(
    vendor: str, first: int, fault: str, tmp_path: Path
) -> None:
    for second in SECOND:
        folder = tmp_path / str(second)
        folder.mkdir()
        with each(vendor, folder) as one:
            one.opened("one")
            one.round()
            one.clock.advance(31 * 60)
            if fault == "busy":
                one.fault("answer", status=429, headers={"Retry-After": "5"})
            if fault == "lost":
                one.fault("drop", applied=True)
            lives(one, folder, first, second)
            assert (one.show().group, one.show().notes) == ("Tier 2", 1), second
