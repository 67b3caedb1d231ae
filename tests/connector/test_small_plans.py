"""An overdue ticket on a small plan: what is overdue comes first, and is written out of the deadlines' share."""

from pathlib import Path
from typing import Any

import pytest

from connector.demo import CONFIG
from tests.connector.each import Each, each

QUIET = 120
URGENT = (
    CONFIG[: CONFIG.index("[[policy]]")]
    + """
[[policy]]
name = "urgent"
clock = "created"
[policy.when]
status = ["new", "open"]
priority = "urgent"
[[policy.level]]
name = "now"
after = "5m"
owner = "Tier 2"
assign = { group = "Tier 2" }
note = "handoff"

[[policy]]
name = "quiet"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "some day"
after = "300h"
tags = ["old"]
"""
)


def small_zendesk(one: Each) -> None:
    one.desk.desk.limits.totals["account"] = (200, 60)


def small_freshdesk(one: Each) -> None:
    one.desk.desk.limits.totals |= {"account": 200}


@pytest.mark.parametrize(("vendor", "narrow"), [("zendesk", small_zendesk), ("freshdesk", small_freshdesk)])
def test_an_overdue_ticket_behind_many_quiet_ones_is_written_at_once(
    vendor: str, narrow: Any, tmp_path: Path
) -> None:
    with each(vendor, tmp_path, config=URGENT) as one:
        quiet = [f"q{number}" for number in range(QUIET)]
        one.opened(*quiet)
        one.opened("urgent")
        for word in quiet:
            lower(one, word)
        one.clock.advance(600)
        narrow(one)
        began = one.clock.now()
        looked: list[str] = []
        adapter = one.service.parts.desks[one.desk.account].adapter
        load = adapter.load

        def noted(ref: Any, needs: Any) -> Any:
            looked.append(ref.id)
            return load(ref, needs)

        adapter.load = noted
        while one.show("urgent").group != "Tier 2":
            one.round(0.25)
            assert one.clock.now() < began + 180
        assert looked.index(one.ref("urgent").id) == 0, "the longest overdue first"


def lower(one: Each, word: str) -> None:
    """A quiet ticket: of low priority, so that only the slow policy serves it."""
    ticket = one.desk.desk.ticket(int(one.desk.tickets[word]))
    ticket.json["priority"] = "low" if one.vendor == "zendesk" else 1
