"""What happens to one ticket at once, out of order, late or twice, on each helpdesk."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.base import Event
from connector.intake.inbox import from_webhook
from connector.store import inbox
from tests.connector.each import EACH, Each, each

vendors = pytest.mark.parametrize("vendor", EACH)

REMOVED = {
    "zendesk": ("delete", "mark_as_spam", "merge", "archive", "close"),
    "freshdesk": ("delete", "mark_as_spam", "merge", "archive", "close"),
    "servicenow": ("delete", "close"),
}
CLOSED = {"zendesk": {"status": "closed"}, "freshdesk": {"status": 5}, "servicenow": {"state": "7"}}


def level_one_written(one: Each) -> None:
    one.opened("one")
    one.round()
    one.round(31)
    one.round(1)
    assert one.show().group == "Tier 2"


def remove(one: Each, how: str) -> None:
    desk, number = one.desk.desk, one.desk.tickets["one"]
    if how == "close":
        desk.rule_changes(number, **CLOSED[one.vendor])
    elif how == "merge":
        one.opened("other")
        desk.merge(number, one.desk.tickets["other"], "Ann")
    elif how == "mark_as_spam" and one.vendor == "zendesk":
        desk.mark_as_spam(number, "Ann")
    else:
        getattr(desk, how)(number)


@pytest.mark.parametrize(
    ("vendor", "how"), [(vendor, how) for vendor, hows in REMOVED.items() for how in hows]
)
def test_a_ticket_that_is_no_longer_there_ends_its_episode_with_a_reason(
    vendor: str, how: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        level_one_written(one)
        if how == "archive":
            one.desk.desk.rule_changes(one.desk.tickets["one"], **CLOSED[vendor])
        remove(one, how)
        one.rounds(until=200, every=50)
        ended = [line for line in one.lines() if line.what == "ended"]
        assert [line.text for line in ended] in (["gone"], ["closed"], ["solved"])
        assert one.whats().count("fired") == 1


@vendors
def test_two_edits_in_one_second_are_both_seen(vendor: str, tmp_path: Path) -> None:
    """The second comes after the look, within the second of the first: no helpdesk's stamp tells them apart."""
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.clock.advance(25 * 60)
        one.desk.desk.rule_changes(one.desk.tickets["one"], **RULE[vendor])
        one.service.once(lambda _: None)
        one.desk.answer("one", "Ann", "On it")
        one.rounds(until=240, every=20)
        assert one.applied() == 0
        assert one.show().group == "Tier 1"


RULE = {
    "zendesk": {"subject": "changed"},
    "freshdesk": {"subject": "changed"},
    "servicenow": {"short_description": "changed"},
}


@pytest.mark.parametrize("order", ["sent", "reversed", "shuffled"])
@vendors
def test_webhooks_twice_out_of_order_and_hours_late_write_once(
    vendor: str, order: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path) as one:
        url = one.service.start()
        one.desk.desk.hooks.subscribe(f"{url}/hooks/{one.desk.account}", secret="only-for-this-demo")
        one.opened("one", "two")
        for word in ("one", "two"):
            one.desk.desk.rule_changes(one.desk.tickets[word], **RULE[vendor])
        one.desk.desk.hooks.deliver(order=order, copies=2, seed=3)
        assert one.service.idle(20)
        one.clock.advance(31 * 60)
        one.service.parts.engine.tick()
        assert one.service.idle(20)
        one.desk.desk.hooks.deliver(order=order, copies=3, seed=4)
        assert one.service.idle(20)
        one.clock.advance(3600)
        one.desk.desk.hooks.deliver(order=order, copies=2, seed=5)
        assert one.service.idle(20)
        one.service.stop()
        assert [one.show(word).notes for word in ("one", "two")] == [1, 1]
        assert [one.whats(word).count("fired") for word in ("one", "two")] == [1, 1]


@vendors
def test_ten_events_for_one_ticket_are_one_look(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        events = [Event(ref=one.ref(), delivery=f"d{number}") for number in range(10)]
        one.clock.advance(30)
        with one.service.parts.store.writing() as connection:
            inbox.put_news(connection, from_webhook(one.desk.account, events, one.clock.now()))
        assert one.service.once(lambda _: None).looks == 1
        with one.service.parts.store.reading() as connection:
            assert inbox.backlog(connection) == 0


@vendors
def test_a_slow_helpdesk_ends_in_a_known_way(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write is carried out, its answer never comes: it is looked for and not sent again."""
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        one.clock.advance(31 * 60)
        one.fault("hang", applied=True)
        one.round()
        one.rounds(until=4, every=1)
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)


@vendors
def test_the_clock_that_differs_is_said_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, skew=600) as one, capture_logs() as logs:
        one.opened("one")
        one.round()
        one.round(5)
        one.desk.answer("one", "Ann", "On it")
        one.round(5)
        said = [line for line in logs if line["event"] == "clock_skew"]
        assert [line["seconds"] for line in said] == [600]
