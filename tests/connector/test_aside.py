"""One ticket, or one feed, that the helpdesk refuses or nobody can read, on each helpdesk: the rest goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.base import Finding, NotAllowed, Unreadable
from connector.demo import CONFIG
from connector.store import holds, inbox, tickets
from policies import evaluate as evaluating
from tests.connector.each import EACH, Each, each

TROUBLES = {
    "refused": NotAllowed("the helpdesk answered 403", "view this ticket"),
    "unreadable": Unreadable("its priority is a list"),
    "raising": AssertionError("nobody thought of this"),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Left to itself structlog spends a second on drawing each traceback."""
    with capture_logs():
        yield


def apart(one: Each) -> list[tuple[str, str, int]]:
    with one.service.parts.store.reading() as connection:
        return [(each.ticket, each.kind, each.tries) for each in holds.every_aside(connection)]


def failing(
    one: Each, patch: pytest.MonkeyPatch, name: str, trouble: Exception, ticket: str = ""
) -> list[int]:
    """`adapter.name` raises, for one ticket or for all; answers when it did."""
    adapter = one.service.parts.desks[one.desk.account].adapter
    works, asked = getattr(adapter, name), list[int]()

    def fails(*args: Any, **more: Any) -> Any:
        if not ticket or args[0].id == ticket:
            asked.append(one.clock.now())
            raise trouble
        return works(*args, **more)

    patch.setattr(adapter, name, fails)
    return asked


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("vendor", EACH)
def test_one_ticket_that_cannot_be_looked_at_keeps_nobody_else_waiting(
    vendor: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two")
        one.round()
        with monkeypatch.context() as patch:
            asked = failing(one, patch, "load", TROUBLES[trouble], one.ref("two").id)
            summary = one.round(31)
            key = str(one.ref("two"))
            with one.service.parts.store.reading() as connection:
                called = tickets.names(connection, [key])[key]
            assert any(f"{called}: set aside" in text for text in summary.needs_human)
            one.rounds(until=60, every=1)
        assert one.show("one").notes == 1
        assert 6 <= len(asked) <= 9, "its pauses grow"
        assert one.whats("two").count("set aside") == 1
        assert "account paused" not in one.whats("two")
        one.rounds(until=61, every=10)
        assert apart(one) == []
        assert one.whats("two").count("no longer aside") == 1
        assert one.show("two").notes > 0


@pytest.mark.parametrize("vendor", EACH)
def test_a_ticket_set_aside_is_no_storm_after_a_restart(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.clock.advance(31 * 60)
        asked = failing(one, monkeypatch, "load", TROUBLES["refused"], one.ref().id)
        one.rounds(until=10, every=1)
        before, tries = len(asked), apart(one)[0][2]
        one.service.parts.engine._backoff._failures.clear()
        one.rounds(until=2, every=0.5)
        assert len(asked) == before
        assert apart(one)[0][2] == tries
        with one.service.parts.store.reading() as connection:
            timer = inbox.timer_of(connection, one.ref())
        assert timer is not None
        assert timer.holds


@pytest.mark.parametrize("vendor", EACH)
def test_a_write_that_is_refused_on_one_ticket_pauses_nothing(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one", "two")
        one.round()
        adapter = one.service.parts.desks[one.desk.account].adapter
        works, refused = adapter.send, one.ref("two")

        def send(write: Any, expects: str, **_fresh: Any) -> Any:
            if write.ref == refused:
                raise TROUBLES["refused"]
            return works(write, expects)

        monkeypatch.setattr(adapter, "send", send)
        summary = one.round(31)
        one.rounds(until=5, every=1)
        assert one.show("one").notes == 1
        assert "write refused" in one.whats("two")
        assert "account paused" not in one.whats("two")
        assert any("write refused" in text for text in summary.needs_human)


@pytest.mark.parametrize("vendor", EACH)
def test_a_feed_that_is_refused_is_set_aside_and_the_others_go_on(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        with monkeypatch.context() as patch:
            asked = failing(one, patch, "census", TROUBLES["refused"])
            assert one.round().needs_human
            one.rounds(until=33, every=1)
            assert apart(one) == [("", "open tickets", len(asked))]
            assert 5 <= len(asked) <= 8
        assert one.show().notes == 1, "its changes were followed all the time"
        one.rounds(until=60, every=20)
        assert apart(one) == []


@pytest.mark.parametrize("vendor", EACH)
def test_an_account_whose_probe_is_refused_too_is_paused(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Finding(what="credentials", ok=False, text="they are gone", fatal=True)
    with each(vendor, tmp_path) as one:
        failing(one, monkeypatch, "poll", TROUBLES["refused"])
        adapter = one.service.parts.desks[one.desk.account].adapter
        monkeypatch.setattr(adapter, "probe", lambda *_: (lost,))
        summary = one.round()
        assert any("account paused" in text for text in summary.needs_human)
        assert apart(one) == []


@pytest.mark.parametrize("vendor", EACH)
def test_a_directory_in_trouble_keeps_no_change_from_being_read(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.round()
        one.opened("one")
        one.clock.advance(3600)
        failing(one, monkeypatch, "directory", TROUBLES["refused"])
        one.rounds(until=33, every=3)
        assert one.show().notes == 1


@pytest.mark.parametrize("vendor", EACH)
def test_a_policy_that_raises_is_set_aside_by_name(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = """
[[policy]]
name = "other"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "tagged"
after = "5m"
tags = ["seen"]
"""
    with each(vendor, tmp_path, config=CONFIG + other) as one:
        one.opened("one")
        one.round()
        works = evaluating.decide

        def decide(scene: Any, seen: Any, episode: Any) -> Any:
            if seen.policy.name == "urgent-unanswered":
                raise AssertionError("nobody thought of this")
            return works(scene, seen, episode)

        with monkeypatch.context() as patch:
            patch.setattr(evaluating, "decide", decide)
            summary = one.round(31)
            one.rounds(until=3, every=1)
            assert one.show().tags == {"eu", "seen"}
            assert [kind for _, kind, _ in apart(one)] == ['policy "urgent-unanswered"']
            assert any("nobody thought of this" in text for text in summary.needs_human)
            assert one.whats().count("set aside") == 1
        one.rounds(until=60, every=20)
        assert apart(one) == []
        assert one.show().notes == 1
