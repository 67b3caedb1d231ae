"""A database that is full, read-only or locked for a while, on each helpdesk: nothing lost, nothing twice."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from structlog.testing import capture_logs
from typer.testing import CliRunner

from connector.cli.main import app
from connector.store.trouble import StoreTrouble
from tests.connector.beside import CONFIG
from tests.connector.each import EACH, Each, each

SAYS = {
    "full": "database or disk is full",
    "read-only": "attempt to write a readonly database",
    "locked": "database is locked",
}
"""What SQLite itself says."""
EVERY = {"full": 1, "read-only": 2, "locked": 3}
"""At which moments it is tried. The last two fail alike, where a transaction begins."""


@contextmanager
def sick(one: Each, kind: str, *, after: int = 0) -> Iterator[list[int]]:
    """The database lets so many write transactions pass, then none until the end. Yields how many it saw."""
    store, seen = one.service.parts.store, [0]
    blocker = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)

    def at_begin(connection: Connection) -> None:
        seen[0] += 1
        if seen[0] <= after:
            return
        if kind == "read-only":
            connection.exec_driver_sql("PRAGMA query_only = 1")
        if kind == "locked":
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            if not blocker.in_transaction:
                blocker.execute("BEGIN IMMEDIATE")

    def at_commit(connection: Connection) -> None:
        if kind == "full" and seen[0] > after:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # means: no more than there are
            connection.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(8000000) AS much")

    event.listen(store._writes, "begin", at_begin, insert=True)
    event.listen(store._writes, "commit", at_commit)
    try:
        yield seen
    finally:
        event.remove(store._writes, "begin", at_begin)
        event.remove(store._writes, "commit", at_commit)
        blocker.close()
        store._reads.dispose()  # new connections come without the pragmas


def one_level_due(one: Each) -> None:
    one.opened("one")
    one.round()
    one.clock.advance(31 * 60)


def count_of_transactions(vendor: str, folder: Path) -> int:
    with each(vendor, folder) as one:
        one_level_due(one)
        with sick(one, "read-only", after=1_000) as seen:
            one.round()
        return seen[0]


@pytest.mark.parametrize("kind", SAYS)
@pytest.mark.parametrize("vendor", EACH)
def test_a_database_that_fails_at_any_moment_loses_and_doubles_nothing(
    vendor: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "count").mkdir()
    total = count_of_transactions(vendor, tmp_path / "count")
    assert total > 5
    for after in range(0, total, EVERY[kind]):
        folder = tmp_path / str(after)
        folder.mkdir()
        with each(vendor, folder) as one:
            one_level_due(one)
            with sick(one, kind, after=after), pytest.raises(StoreTrouble, match=SAYS[kind]):
                one.round()
            one.rounds(until=4, every=1)
            shown = one.show()
            assert (shown.group, shown.notes, shown.tags) == ("Tier 2", 1, {"eu", "escalated"})


def test_readyz_says_what_the_database_says_until_it_works_again(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one_level_due(one)
        with sick(one, "full"):
            with capture_logs() as logs:
                with pytest.raises(StoreTrouble):
                    one.round()
                for _ in range(3):
                    one.service.take_pulse()
            ready, facts = one.service.ready()
            assert not ready
            assert "database or disk is full; check the disk" in str(facts["database"])
            assert [line["event"] for line in logs].count("database_in_trouble") == 1
        with capture_logs() as logs:
            one.service.take_pulse()
        assert [line["event"] for line in logs] == ["database_works_again"]
        assert "database" not in one.service.ready()[1]


def test_a_command_on_a_database_that_is_none_ends_with_2_and_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = CONFIG.format(service="", url="http://127.0.0.1:1")
    (tmp_path / "uptier.toml").write_text(config, encoding="utf-8")
    (tmp_path / "uptier.db").write_bytes(b"this is not a database" * 100)
    for command in (["check"], ["run", "--once"], ["history", "acme/1"], ["ledger", "export"], ["purge"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2, command
        assert "cannot be used as a database" in result.stderr, command
        assert "Traceback" not in result.stderr
