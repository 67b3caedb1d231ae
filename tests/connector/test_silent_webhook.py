"""A webhook that no longer tells of what polling finds is said once, until one comes: in Health, metrics and log."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from connector.intake.feeds import HEARD_BEFORE, SILENT, UNHEARD_MANY
from connector.store import holds, inbox
from connector.store.inbox import Arrival
from tests.connector.each import EACH, Each, each


def silent(one: Each) -> list[str]:
    with one.service.parts.store.reading() as connection:
        return [found.why for found in holds.every_aside(connection) if found.kind == SILENT]


def listen(one: Each) -> None:
    parts = one.service.parts
    parts.feeds.listen(parts.desks[one.desk.account])


def changes(one: Each, many: int, minutes: float) -> None:
    """So many tickets are opened, one after the other, and each is found by a poll."""
    for _ in range(many):
        one.round(minutes)
        one.opened(f"word {one.clock.now()}")
        one.round(minutes)
        listen(one)


def webhook(one: Each) -> None:
    now = one.clock.now()
    row = Arrival(
        account=one.desk.account, ticket="1", delivery=f"webhook:{now}", kind="webhook", received_at=now
    )
    with one.service.parts.store.writing() as connection:
        inbox.put_news(connection, [row])


@pytest.mark.parametrize("vendor", EACH)
def test_silence_is_said_once_and_is_over_with_the_next_webhook(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one, capture_logs() as logs:
        one.round()
        webhook(one)
        one.clock.advance(2 * HEARD_BEFORE)
        changes(one, UNHEARD_MANY - 2, 3)
        assert silent(one) == [], "too few, over too short a time"
        changes(one, 4, 3)
        (why,) = silent(one)
        assert "no webhook told of one" in why
        told = [line for line in logs if line["event"] == "webhook_silent"]
        assert [line["account"] for line in told] == [one.desk.account]
        assert f'kind="{SILENT}"' in generate_latest(one.service.metrics.registry).decode()
        changes(one, 1, 3)
        assert len([line for line in logs if line["event"] == "webhook_silent"]) == 1
        webhook(one)
        listen(one)
        assert silent(one) == []
        assert any(line["event"] == "webhook_heard_again" for line in logs)


def test_a_webhook_that_comes_is_not_silent(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.round()
        for _ in range(12):
            webhook(one)
            changes(one, 1, 3)
        assert silent(one) == []


def test_many_changes_at_once_and_then_quiet_are_no_silence(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.round()
        one.clock.advance(3600)
        one.opened(*(f"word {number}" for number in range(10)))
        for _ in range(10):
            one.round(6)
            listen(one)
        assert silent(one) == []


def test_what_changed_while_nobody_took_webhooks_is_no_silence(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.round()
        changes(one, 2, 3)
        one.clock.advance(10 * 3600)
        parts = one.service.parts
        parts.feeds.greet(parts.desks[one.desk.account])
        one.opened(*(f"word {number}" for number in range(10)))
        one.round(2)
        listen(one)
        assert silent(one) == []
        changes(one, 8, 3)
        assert len(silent(one)) == 1
