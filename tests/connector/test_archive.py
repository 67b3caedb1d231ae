"""`uptier archive`: past tickets of each helpdesk, fetched once, without their words."""

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.base import TryLater
from connector.cli.main import app
from connector.demo import CONFIG
from connector.intake.past import Pull, head_of
from connector.store import fleet
from connector.store.archive import Archive, register, registered
from connector.store.forgetting import forget, forget_person
from policies.model import Ticket, Who
from policies.past import ANSWERS
from tests.connector.beside import START
from tests.connector.each import EACH, Each, each

DAY = 86400
SECRET = "Rumpelstiltskin"
ASKS = CONFIG.replace(
    'priority = "urgent"\n',
    'priority = "urgent"\nsubject = { contains = "one" }\nphrases = { has = "complaint" }\n',
    1,
)


@contextmanager
def archived(one: Each, folder: Path, *, words_until: int = 0, policies: Any = None) -> Iterator[Archive]:
    """A new archive of the two days around the start, registered."""
    parts = one.service.parts
    path, now = folder / "archive.sqlite3", one.clock.now()
    said = head_of(policies or parts.rules().policies, START - DAY, START + DAY, now, words_until)
    with closing(Archive.open(path) if path.exists() else Archive.create(path, said)) as archive:
        register(parts.store, path, now)
        yield archive


def pulling(one: Each, archive: Archive, told: list[str] | None = None) -> Pull:
    parts = one.service.parts
    return Pull(
        archive=archive,
        store=parts.store,
        desk=parts.desks[one.desk.account],
        share=1.0,
        policies=parts.rules().policies,
        clock=one.clock,
        told=(told if told is not None else []).append,
    )


def tickets_in(archive: Archive) -> list[Ticket]:
    return [row.ticket() for row in archive.rows()]


@pytest.mark.parametrize("vendor", EACH)
def test_tickets_are_fetched_once_with_their_histories_and_without_words(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=ASKS) as one:
        one.opened("one", "two")
        one.desk.answer("two", "Ann", f"I am fed up with {SECRET}")
        one.rounds(until=3, every=1)
        told: list[str] = []
        with archived(one, tmp_path) as archive:
            pull = pulling(one, archive, told)
            done = pull.run()
            assert (done.kept, done.owed, done.lost) == (2, 0, 0)
            assert stat.S_IMODE(archive.path.stat().st_mode) == 0o600
            found = {each.ref: each for each in tickets_in(archive)}
            first, second = found[one.ref("one")], found[one.ref("two")]
            assert [message.act.who for message in second.messages] == [Who.CUSTOMER, Who.AGENT]
            assert [len(first.custom[ANSWERS] or ()), second.custom[ANSWERS]] == [1, ()]  # type: ignore[arg-type]
            raw = archive.path.read_bytes().decode(errors="replace")
            assert [word for word in (SECRET, "About", "Cleo", "cleo@", "Help!") if word in raw] == []
            assert any("more tickets, about" in line for line in told)
            before = pull.requests
            assert before > 0
            again = pulling(one, archive)
            assert again.run().kept == 2
            assert again.requests <= before // 2, "what is there is not fetched again"
        with one.service.parts.store.reading() as connection:
            assert fleet.sent_by_purpose(connection, one.desk.account, 0)["archive"] >= before


def test_a_pull_that_is_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one", "two", "three")
        one.clock.advance(120)
        with archived(one, tmp_path) as archive:
            pull, adapter = pulling(one, archive), one.service.parts.desks[one.desk.account].adapter
            load, loaded = adapter.load, []

            def stopping(ref: Any, needs: Any) -> Ticket:
                if len(loaded) == 2:
                    raise KeyboardInterrupt
                loaded.append(ref)
                return load(ref, needs)

            monkeypatch.setattr(adapter, "load", stopping)
            with pytest.raises(KeyboardInterrupt):
                pull.run()
            assert archive.counted(one.desk.account).kept == 2
            asked: list[Any] = []
            monkeypatch.setattr(adapter, "load", lambda ref, needs: asked.append(ref) or load(ref, needs))
            assert pulling(one, archive).run().kept == 3
            assert len(asked) == 1


def test_a_helpdesk_that_puts_us_off_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with each("freshdesk", tmp_path) as one:
        one.opened("one")
        one.clock.advance(120)
        with archived(one, tmp_path) as archive:
            adapter = one.service.parts.desks[one.desk.account].adapter
            load, tries = adapter.load, []

            def busy(ref: Any, needs: Any) -> Ticket:
                tries.append(ref)
                if len(tries) < 4:
                    raise TryLater("busy", 600)
                return load(ref, needs)

            monkeypatch.setattr(adapter, "load", busy)
            began = one.clock.now()
            assert pulling(one, archive).run().kept == 1
            assert one.clock.now() - began >= 1800


def test_what_is_gone_is_counted(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one", "two")
        one.desk.desk.delete(one.desk.tickets["two"])
        one.clock.advance(120)
        with archived(one, tmp_path) as archive:
            done = pulling(one, archive).run()
            assert (done.kept, done.lost) == (1, 1)


def test_words_are_kept_where_asked_for_and_forgotten_in_time(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.clock.advance(120)
        store, now = one.service.parts.store, one.clock.now()
        with archived(one, tmp_path, words_until=now + 30 * DAY) as archive:
            pulling(one, archive).run()
            assert tickets_in(archive)[0].subject == "About one"
            spans = {"texts": 30 * DAY, "tickets": 365 * DAY, "ledger": 365 * DAY}
            assert forget(store, now + 29 * DAY, **spans).archives == 0
            assert forget(store, now + 30 * DAY, **spans).archives == 1
            assert archive.said().words_until == 0
            assert tickets_in(archive)[0].subject == ""
            assert b"About one" not in archive.path.read_bytes()
        assert forget(store, now + 366 * DAY, **spans).archives == 1
        assert registered(store) == ()
        assert not archive.path.exists()


def test_a_person_is_forgotten_in_archives_too(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.clock.advance(120)
        with archived(one, tmp_path, words_until=one.clock.now() + DAY) as archive:
            pulling(one, archive).run()
            assert b"cleo@initech.test" in archive.path.read_bytes()
            gone = forget_person(one.service.parts.store, "cleo@initech.test", one.clock.now())
            raw = archive.path.read_bytes()
            assert b"cleo@initech.test" not in raw
            assert b'"Cleo"' not in raw
            assert gone.pseudonym.encode() in raw
            assert gone.rows["archive archive.sqlite3"] == 1
            assert tickets_in(archive)[0].requester is not None


def test_the_command_says_what_it_will_cost_and_what_the_file_holds(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one", "two")
        one.desk.desk.agent_changes(one.desk.tickets["two"], "Ann", status="pending")
        asks = [
            "archive",
            "pull",
            "--from",
            "2026-09-20",
            "--to",
            "2026-09-22",
            "--config",
            str(tmp_path / "uptier.toml"),
        ]
        done = CliRunner(env=dict(one.desk.secrets())).invoke(app, asks)
        assert done.exit_code == 0, done.output
        assert "2 tickets; " in done.output
        assert "acme: how it was then is not told of status_name (1)" in done.output
        assert "archive-2026-09-20-2026-09-22.sqlite3: 2026-09-20 to 2026-09-22, without words" in done.output
        other = CliRunner(env=dict(one.desk.secrets())).invoke(app, [*asks, "--with-text"])
        assert other.exit_code == 2
        assert "was begun without --with-text" in other.output


def test_a_spoiled_archive_keeps_nobody_from_forgetting(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        one.round(2)
        store, now = one.service.parts.store, one.clock.now()
        with archived(one, tmp_path, words_until=now + DAY) as archive:
            pulling(one, archive).run()
        spoiled = tmp_path / "spoiled.sqlite3"
        spoiled.write_bytes(b"no database at all, but bytes" * 200)
        register(store, spoiled, now)
        gone = forget_person(store, "cleo@initech.test", now)
        assert gone.rows["archive archive.sqlite3"] == 1
        assert gone.rows["ticket"] == 1
        assert [str(spoiled) in each for each in gone.unread] == [True]
        spans = {"texts": 30 * DAY, "tickets": 365 * DAY, "ledger": 365 * DAY}
        assert forget(store, now + 2 * DAY, **spans).archives == 1


def test_a_file_that_was_only_begun_is_no_archive(tmp_path: Path) -> None:
    begun = tmp_path / "archive.sqlite3.begun"
    begun.write_bytes(b"half")
    with each("zendesk", tmp_path) as one, archived(one, tmp_path) as archive:
        assert archive.counted("acme").kept == 0
        assert not begun.exists()
