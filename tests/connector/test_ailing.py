"""What is wrong is seen in `/readyz`, on the page Health and in the metrics, is said once, and is gone when well."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from adapters.base import AccessLost, Aside, Finding, NotAllowed, TryLater, Unreadable
from connector.console import queries
from connector.intake.feeds import LASTS
from connector.intake.inbox import GroupCommit
from connector.store import holds, ledger
from connector.store.ledger import LedgerEntry
from tests.connector.each import EACH, Each, each

UNREADABLE = Unreadable("the list is none")


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    """What is said. Left to itself structlog spends a second on drawing each traceback."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def as_if_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes webhooks, as far as `/readyz` can tell."""
    monkeypatch.setattr(GroupCommit, "well", lambda _: True)


def adapter(one: Each) -> Any:
    return one.service.parts.desks[one.desk.account].adapter


def breaks(one: Each, patch: pytest.MonkeyPatch, name: str, error: BaseException) -> list[int]:
    asked = list[int]()

    def fails(*_: Any, **__: Any) -> Any:
        asked.append(one.clock.now())
        raise error

    patch.setattr(adapter(one), name, fails)
    return asked


def shown(one: Each) -> dict[str, str]:
    """What each of the three says, as text."""
    service, store = one.service, one.service.parts.store
    service.take_pulse()
    failing = service._failing()
    with store.reading() as connection:
        health = queries.health_page(connection, store.trouble, failing, (), (), (), (), (), one.clock.now())
    numbers = [
        line
        for line in generate_latest(service.metrics.registry).decode().splitlines()
        if line.startswith(("uptier_set_aside{", "uptier_failing{", "uptier_account_paused{", "uptier_notif"))
    ]
    return {
        "readyz": str(service.ready()),
        "health": str(
            (
                [(each_one.name, each_one) for each_one in health.aside],
                health.failing,
                health.channels,
                health.accounts,
            )
        ),
        "metrics": "\n".join(numbers),
    }


def ledger_of(one: Each) -> list[LedgerEntry]:
    with one.service.parts.store.reading() as connection:
        return [line for line in ledger.newest(connection, 500) if "aside" in line.what]


def in_all_three(one: Each, *words: str) -> None:
    said = shown(one)
    for word in words:
        assert word in said["readyz"], said
        assert word in said["health"], said
    assert any(word in said["metrics"] for word in words), said


def in_none(one: Each, *words: str) -> None:
    said = shown(one)
    assert not [(where, word) for word in words for where, text in said.items() if word in text], said


@pytest.mark.parametrize("error", [TryLater("busy", 0), UNREADABLE, KeyError("odd")])
@pytest.mark.parametrize(("call", "feed"), [("poll", "changes"), ("census", "open tickets")])
def test_a_feed_that_does_not_answer_for_three_intervals_is_seen_and_the_others_go_on(
    call: str, feed: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        poll = one.service.parts.desks[one.desk.account].poll
        with monkeypatch.context() as patch:
            asked = breaks(one, patch, call, error)
            one.round()
            if not isinstance(error, KeyError):
                in_none(one, f"{feed} unread")
            for _ in range(LASTS + 1):
                one.clock.advance(poll)
                one.round()
            in_all_three(one, f"{feed} unread")
            assert one.service.ready()[0], "the rest works"
            assert len(asked) >= LASTS + 2, "it is asked for as before"
            assert [line.what for line in ledger_of(one)] == ["set aside"]
        summary = one.round(1)
        in_none(one, f"{feed} unread")
        assert summary.needs_human == ()
        assert [line.what for line in ledger_of(one)] == ["no longer aside", "set aside"]


@pytest.mark.parametrize("vendor", EACH)
def test_a_refused_feed_names_the_right_that_is_missing(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        with monkeypatch.context() as patch:
            breaks(one, patch, "census", NotAllowed("403", "read the list of tickets"))
            assert any("read the list of tickets" in text for text in one.round().needs_human)
            in_all_three(one, "open tickets")
            assert "read the list of tickets" in shown(one)["readyz"]
            one.rounds(until=32, every=4)
            assert one.show().notes == 1


def test_access_lost_on_one_feed_pauses_only_if_the_probe_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        with monkeypatch.context() as patch:
            breaks(one, patch, "poll", AccessLost("401"))
            one.round()
            in_all_three(one, "changes")
            assert one.service.ready()[0]
        lost = Finding(what="credentials", ok=False, text="they are gone", fatal=True)
        with monkeypatch.context() as patch:
            breaks(one, patch, "census", AccessLost("401"))
            breaks(one, patch, "poll", AccessLost("401"))
            patch.setattr(adapter(one), "probe", lambda *_: (lost,))
            one.round(1)
            assert "they are gone" in shown(one)["readyz"]
            assert not one.service.ready()[0]
        one.round(1)
        in_none(one, "they are gone")
        assert one.service.ready()[0]


def test_a_probe_that_does_not_answer_pauses_nothing_and_stops_no_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        breaks(one, monkeypatch, "directory", NotAllowed("403"))
        breaks(one, monkeypatch, "probe", TryLater("busy", 0))
        one.round()
        assert "'paused': {}" in shown(one)["readyz"]
        assert one.service.parts.store.trouble is None
        with one.service.parts.store.reading() as connection:
            feeds = {each_one.kind for each_one in holds.every_aside(connection)} & {"directory", "changes"}
        assert feeds == {"directory"}


def test_a_directory_that_fails_is_asked_for_less_and_less_and_the_stored_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        one.round()
        one.opened("one")
        one.clock.advance(3600)
        with monkeypatch.context() as patch:
            asked = breaks(one, patch, "directory", TryLater("busy", 0))
            one.rounds(until=180, every=3)
            tries = len({moment // 60 for moment in asked})
            assert 7 <= tries <= 11, "growing pauses, an hour at most"
            assert one.show().notes > 0
            in_all_three(one, "directory")
        one.rounds(until=61, every=5)
        in_none(one, "directory")


def test_without_any_directory_the_pauses_stay_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        with monkeypatch.context() as patch:
            breaks(one, patch, "directory", UNREADABLE)
            one.rounds(until=60, every=2)
        one.rounds(until=6, every=2)
        assert one.show().notes > 0


def test_a_row_set_aside_and_what_a_page_may_have_missed_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one")
        works: Callable[..., Any] = adapter(one).poll

        def poll(*args: Any, **more: Any) -> Any:
            page = works(*args, **more)
            odd = Aside(id="777", why="its priority is a list")
            return replace(page, aside=(odd,), remarks=("one second is too full",))

        with monkeypatch.context() as patch:
            patch.setattr(adapter(one), "poll", poll)
            summary = one.round()
            in_all_three(one, f"{one.desk.account}/777", "row")
            in_all_three(one, "gap in the feed")
            assert one.service.ready()[0]
            assert len(summary.needs_human) == 2
        one.rounds(until=24 * 60 + 2, every=24 * 60 + 1)
        in_none(one, "gap in the feed", "'row'", '"row"')


def test_a_job_that_fails_is_seen_and_after_a_minute_the_process_is_not_ready(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        ailments = one.service.parts.ailments
        ailments.found("tick", KeyError("odd"))
        in_all_three(one, "tick")
        assert one.service.ready()[0]
        one.clock.advance(61)
        assert not one.service.ready()[0]
        ailments.well("tick")
        assert one.service.ready()[0]
        in_none(one, "tick")


def test_one_run_ends_whatever_is_due_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with each("zendesk", tmp_path) as one:
        monkeypatch.setattr(one.service, "next_due", one.clock.now)
        summary = one.round()
        assert any("always due again" in text for text in summary.needs_human)
