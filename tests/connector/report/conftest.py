"""The week's report, made once from a real database file."""

from collections.abc import Iterator

import pytest

from connector.report.cases import period_asked
from connector.report.report import Report, report
from connector.store.database import Store
from connector.work.context import Rules
from tests.connector.report import week
from tests.connector.stores import made_in


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Rules]]:
    folder = tmp_path_factory.mktemp("week")
    store = made_in(folder)
    week.furnish(store)
    yield store, week.rules(folder)
    store.close()


@pytest.fixture(scope="module")
def made(kept: tuple[Store, Rules]) -> Report:
    store, rules = kept
    period = period_asked("2026-03-02", "2026-03-06", week.BERLIN)
    with store.reading() as connection:
        return report(connection, period, rules=rules, now=week.NOW, business=rules.calendars["office"])
