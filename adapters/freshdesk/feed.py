"""What changed, and what is open: pages of the list of tickets.

A ticket that is deleted or marked as spam leaves the list without a word. Two further lists have those, and
every round of the feed reads all three. https://developers.freshdesk.com/api/#list_all_tickets
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from adapters.base import Page, TryLater
from adapters.freshdesk import cursor as cursors
from adapters.freshdesk.cursor import Cursor
from adapters.freshdesk.people import Cast
from adapters.freshdesk.session import PAGE, UNREADABLE, Answer, Line, Params, Row, further, legible
from adapters.freshdesk.ticket import OVER, ticket
from policies.model import Instant, Ticket

CHANGED = ""
GONE = ("deleted", "spam")
"""The lists of what is gone, by the word that asks for them. The main list answers to no word."""

EVER: Instant = 946_684_800
"""2000: before any ticket. Without a time Freshdesk lists the tickets of the last thirty days only."""

Casting = Callable[[list[Row]], Cast]


def poll(line: Line, casting: Casting, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed, then of what was deleted, then of what became spam; then a round is over."""
    here = resumed(cursor, (CHANGED, *GONE), since)
    size = min(max(limit, 1), PAGE)
    answer = listed(line, here, size)
    rows = snapshots(answer, casting, gone=here.list)
    place = here.places[here.list]
    more = further(answer, size)
    after = replace(here, places={**here.places, here.list: place.after(rows, more=more)})
    order = [CHANGED, *GONE]
    if not more:
        after = replace(after, list=order[(order.index(here.list) + 1) % len(order)])
    return Page(tickets=place.unseen(rows), cursor=after.text(), more=more or after.list != CHANGED)


def census(line: Line, casting: Casting, cursor: str | None) -> Page:
    """One page of all open tickets, out of the list of all: it takes no condition on the status."""
    here = resumed(cursor, (CHANGED,), EVER)
    answer = listed(line, here, PAGE)
    rows = snapshots(answer, casting, gone="")
    place, more = here.places[CHANGED], further(answer, PAGE)
    after = replace(here, places={CHANGED: place.after(rows, more=more)})
    open_ones = tuple(row for row in place.unseen(rows) if row.status not in OVER)
    return Page(tickets=open_ones, cursor=after.text(), more=more)


def resumed(text: str | None, lists: tuple[str, ...], since: Instant) -> Cursor:
    """The stored cursor, or a new one. One that cannot be read begins again: repeats are allowed, gaps not."""
    if text is None:
        return cursors.begin(lists, since)
    try:
        found = cursors.read(text)
    except UNREADABLE:
        return cursors.begin(lists, since)
    return found if found.list in lists and set(lists) <= set(found.places) else cursors.begin(lists, since)


def listed(line: Line, here: Cursor, size: int) -> Answer:
    """The page the cursor is at, by its last update, the oldest first."""
    place = here.places[here.list]
    params: dict[str, str | int] = {
        "updated_since": datetime.fromtimestamp(place.start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "order_by": "updated_at",
        "order_type": "asc",
        "per_page": size,
        "page": place.page,
    }
    extra: Params = {"include": "stats"} if here.list == CHANGED else {"filter": here.list}
    return line.get("/tickets", params | dict(extra))


def snapshots(answer: Answer, casting: Casting, *, gone: str) -> tuple[Ticket, ...]:
    """The rows as tickets without history, oldest update first."""
    rows = answer.rows()
    with legible():
        cast = casting(rows)
        made = [ticket(row, cast, read_at=answer.at, gone=gone or None) for row in rows]
    if any(each.updated == 0 for each in made):
        raise TryLater("Freshdesk's list has a ticket without a time", 0)
    return tuple(made)
