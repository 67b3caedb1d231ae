"""Tickets of people who become absent are looked at, and handed over if a policy says so."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.demo import CONFIG
from policies.model import Instant
from tests.connector.beside import START
from tests.connector.each import EACH, each

HANDED_OVER = CONFIG[: CONFIG.index("[[policy]]")] + (
    '[[policy]]\nname = "absent"\nclock = "matching"\n[policy.when]\nassignee_away = true\n'
    '[[policy.level]]\nname = "Somebody else"\nafter = "0m"\n'
    'assign = { group = "Escalations", agent = "least_loaded" }\ntags = ["handed-over"]\n'
    '[people."{who}"]\nabsent = ["{day}"]\n'
)
DAY = 86_400


def date(at: Instant) -> str:
    """Its UTC date."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


@pytest.mark.parametrize("vendor", EACH)
def test_an_absent_agents_tickets_are_handed_over(vendor: str, tmp_path: Path) -> None:
    config = HANDED_OVER.replace("{who}", "ann@acme.test").replace("{day}", date(START + DAY))
    with each(vendor, tmp_path, config=config) as one:
        one.opened("one", "two")
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", assignee="Ann")
        one.round(2)
        assert one.show("one").assignee == "Ann"
        one.clock.advance((START + DAY) // DAY * DAY + 60 - one.clock.now())
        one.rounds(until=3, every=1)
        assert one.show("one").assignee == "Eli"
        assert one.show("two").assignee == ""
        assert "handed-over" in one.show("one").tags
