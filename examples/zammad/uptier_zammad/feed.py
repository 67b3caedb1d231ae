"""What changed, and what is open: searches by condition, sorted, one page after the other.

https://docs.zammad.org/en/latest/api/intro.html#condition-based-search. A page begins where the one before ended, so
rows that change meanwhile push no other off a page; page numbers count only within one stamp. A search by condition
reads the database and not the search index. (zammad/zammad: app/models/concerns/can_search.rb)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from adapters.base import Aside, Page
from adapters.http import UNREADABLE
from policies.model import Instant, Status, Ticket
from uptier_zammad.client import Client, Row
from uptier_zammad.people import References
from uptier_zammad.ticket import moment, ticket

PAGE = 100
OVERLAP = 60_000
"""How far each round of the feed looks back, in thousandths of a second: a stamp is older than its commit."""

Naming = Callable[..., References]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a feed stands, in thousandths: `page` of what is stamped after `after`; `newest` is the latest stamp met,
    `seen` the rows met near it, with their stamps."""

    after: int
    newest: int
    page: int = 1
    seen: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """The cursor as it is stored."""
        return json.dumps([self.after, self.newest, self.page, dict(self.seen)], separators=(",", ":"))

    def behind(self, met: Mapping[str, int]) -> "Cursor":
        """The cursor behind a page with these rows."""
        newest, last = max((self.newest, *met.values())), max(met.values(), default=self.after)
        seen = {name: at for name, at in {**self.seen, **met}.items() if at > newest - OVERLAP}
        if last - 1 > self.after:
            return Cursor(after=last - 1, newest=newest, seen=seen)
        return replace(self, newest=newest, page=self.page + 1, seen=seen)


def resumed(text: str | None, since: Instant) -> Cursor:
    """The stored cursor, or a new one. One that cannot be read begins again: repeats are allowed, gaps not."""
    try:
        after, newest, page, seen = json.loads(text or "")
        return Cursor(after=int(after), newest=int(newest), page=int(page), seen=dict(seen))
    except UNREADABLE:
        return Cursor(after=since * 1000 - 1, newest=since * 1000 - 1)


def poll(client: Client, naming: Naming, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed. At the end of a round the next one begins a little before it."""
    here = resumed(cursor, since)
    page, after = step(client, naming, here, min(limit, PAGE), "updated_at", {})
    if not page.more:
        after = replace(after, after=min(after.newest - OVERLAP, after.after), page=1)
        after = replace(after, after=max(after.after, since * 1000 - 1))
    return replace(page, cursor=after.text())


def census(client: Client, naming: Naming, cursor: str | None) -> Page:
    """One page of the tickets that are not over, in the order of their creation, which never changes."""
    known = naming()
    over = [key for key in known.states if known.status(key, None) in (Status.SOLVED, Status.CLOSED)]
    condition = {"ticket.state_id": {"operator": "is not", "value": over}}
    page, after = step(client, naming, resumed(cursor, 1), PAGE, "created_at", condition)
    return replace(page, cursor=after.text())


def step(
    client: Client, naming: Naming, here: Cursor, size: int, by: str, condition: Mapping[str, Any]
) -> tuple[Page, Cursor]:
    """The page the cursor is at, without what was met before, and the cursor behind it."""
    start = datetime.fromtimestamp(here.after / 1000, UTC).isoformat(timespec="milliseconds")
    answer = client.search(
        "/tickets/search",
        {
            "condition": {
                **condition,
                f"ticket.{by}": {"operator": "after (absolute)", "value": start.replace("+00:00", "Z")},
            },
            "sort_by": by,
            "order_by": "asc",
            "page": here.page,
            "per_page": size,
            "expand": True,
        },
    )
    rows = answer.rows()
    known = naming(*(row for row in rows if isinstance(row, dict)))
    tickets: list[Ticket] = []
    aside: list[Aside] = []
    met: dict[str, int] = {}
    for row in rows:
        try:
            name, at = name_of(row, by)
            met[name] = at
            if name not in here.seen:
                tickets.append(ticket(row, known, read_at=answer.at))
        except UNREADABLE as error:
            number = row.get("id") if isinstance(row, dict) else None
            aside.append(Aside(id=str(number or ""), why=f"its row in Zammad's list cannot be read: {error}"))
    page = Page(tickets=tuple(tickets), cursor="", more=len(rows) == size, aside=tuple(aside))
    return page, here.behind(met)


def name_of(row: Row, by: str) -> tuple[str, int]:
    """A row's name in one state, and where it stands in the order."""
    return f"{row['id']}@{moment(row['updated_at'])}" if by == "updated_at" else str(row["id"]), moment(
        row[by]
    )
