"""Ten times more work than the helpdesk lets through in a window: the share is used, nothing is refused for it,
and every ticket has its turn."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from adapters.freshdesk.answers import credits_of
from tests.connector.each import Each, each

MINUTE, HOUR = 60, 3600
TICKETS = 40
PER_MINUTE, PER_HOUR = 40, 80


def zendesk(one: Each) -> None:
    one.desk.desk.limits.totals["account"] = (PER_MINUTE, MINUTE)


def freshdesk(one: Each) -> None:
    one.desk.desk.limits.totals["account"] = PER_MINUTE


def servicenow(one: Each) -> None:
    one.desk.desk.limits.switches = replace(one.desk.desk.limits.switches, hourly=PER_HOUR)


def cost(row: Any) -> int:
    """What a request counts for: Freshdesk charges for what it includes."""
    (include,) = parse_qs(row.query).get("include", [""])
    return credits_of(row.path.removeprefix("/api/v2"), include)


@pytest.mark.parametrize(
    ("narrow", "total", "window"),
    [(zendesk, PER_MINUTE, MINUTE), (freshdesk, PER_MINUTE, MINUTE), (servicenow, PER_HOUR, HOUR)],
)
def test_overload(narrow: Callable[[Each], None], total: int, window: int, tmp_path: Path) -> None:
    with each(narrow.__name__, tmp_path) as one:
        words = [f"t{number}" for number in range(TICKETS)]
        one.opened(*words)
        one.round()
        narrow(one)
        one.clock.advance(40 * 60)
        began = one.clock.now()
        while any(one.show(word).group == "Tier 1" for word in words):
            due = one.service.next_due() or 0
            one.round(max(due - one.clock.now(), 1) / MINUTE)
            assert one.clock.now() < began + TICKETS * window
        ended = one.clock.now()
        asked = [row for row in one.desk.desk.log if row.at >= began and "oauth" not in row.path]
        assert 429 not in Counter(row.status for row in asked)
        windows = min((ended - began) // window, 10)
        assert windows >= 2
        used = sum(
            cost(row) if narrow is freshdesk else 1 for row in asked if row.at < began + windows * window
        )
        assert used / windows == pytest.approx(total, rel=0.05)
