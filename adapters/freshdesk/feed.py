"""What changed, and what is open: pages of the list of tickets.

A ticket that is deleted or marked as spam leaves the list without a word. Two further lists have those, and
every round of the feed reads all three. https://developers.freshdesk.com/api/#list_all_tickets
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from adapters.base import AccessLost, Aside, HelpdeskError, NotAllowed, Page
from adapters.freshdesk import cursor as cursors
from adapters.freshdesk.cursor import COUNTED, ORDERS, POLLED, Cursor
from adapters.freshdesk.lookup import NUMBER
from adapters.freshdesk.people import Cast
from adapters.freshdesk.refusals import refused_fields, status
from adapters.freshdesk.session import PAGE, UNREADABLE, Answer, Line, Params, Row, further
from adapters.freshdesk.ticket import BEFORE_ALL, OVER, ticket, updated_at
from policies.model import Instant, Ticket

CHANGED = ""
GONE = ("deleted", "spam")
"""The lists of what is gone, by the word that asks for them. The main list answers to no word."""

FOR_GOOD = frozenset({400, 403, 404, 405})
"""With these Freshdesk refuses a list whenever it is asked for."""

Casting = Callable[[list[Row]], Cast]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What stands on a page: the tickets, what could not be read, and each entry's name with its second."""

    tickets: tuple[Ticket, ...] = ()
    aside: tuple[tuple[str, Aside], ...] = ()
    met: Mapping[str, Instant]

    def unseen(self, seen: Mapping[str, Instant]) -> tuple[tuple[Ticket, ...], tuple[Aside, ...]]:
        """What was not met before in this state."""
        new = tuple(each for each in self.tickets if cursors.name(each) not in seen)
        return new, tuple(aside for name, aside in self.aside if name not in seen)


def poll(line: Line, casting: Casting, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed, then of what was deleted, then of what became spam; then a round is over. A list of
    what is gone that is refused to us is passed over, and that is said."""
    here = resumed(cursor, (CHANGED, *GONE), since)
    size = min(max(limit, 1), PAGE)
    order = [CHANGED, *GONE]
    following = order[(order.index(here.list) + 1) % len(order)]
    try:
        page, more = step(line, casting, here, size, POLLED)
    except AccessLost:
        raise
    except HelpdeskError as error:
        if here.list == CHANGED or status(error) not in FOR_GOOD:
            raise
        text = f"Tickets that are {here.list} are not told as gone: {error}"
        after = replace(here, list=following)
        return Page(tickets=(), cursor=after.text(), more=following != CHANGED, remarks=(text,))
    if more:
        return page
    after = replace(cursors.read(page.cursor), list=following)
    return replace(page, cursor=after.text(), more=following != CHANGED)


def census(line: Line, casting: Casting, cursor: str | None) -> Page:
    """One page of all open tickets, out of the list of all: it takes no condition on the status. One whose status is
    not told may be open."""
    here = resumed(cursor, (CHANGED,), BEFORE_ALL)
    page, _ = step(line, casting, here, PAGE, COUNTED)
    open_ones = (each for each in page.tickets if each.status not in OVER or "status" in each.hidden)
    return replace(page, tickets=tuple(open_ones))


def step(line: Line, casting: Casting, here: Cursor, size: int, orders: tuple[str, ...]) -> tuple[Page, bool]:
    """The page the cursor is at with the cursor behind it, and whether this list goes on."""
    place = here.places[here.list]
    answer = listed(line, here, size)
    rows = Rows(met={}) if answer is None else read_rows(answer, casting, gone=here.list)
    more = answer is None or further(answer, size)
    after, lost = place.after(rows.met, more=more, wall=answer is None, orders=orders)
    new, aside = rows.unseen(place.seen)
    more = more or place.order != after.order  # the wall is no end, and behind it the list goes on
    page = Page(
        tickets=new,
        cursor=replace(here, places={**here.places, here.list: after}).text(),
        more=more,
        aside=aside,
        remarks=(left_between(place.start, size, orders),) if lost else (),
    )
    return page, more


def left_between(start: Instant, size: int, orders: tuple[str, ...]) -> str:
    """What to say of a second with more changes than can be listed."""
    at = datetime.fromtimestamp(start + 1, UTC).strftime("%Y-%m-%d %H:%M:%S")
    text = (
        f"So many tickets changed at {at} UTC that Freshdesk does not list them all: "
        f"{cursors.LAST_PAGE * size} from either end were read"
    )
    if orders == POLLED:
        return f"{text}. Open ones between them are looked for by the next census, in the order of creation"
    return f"{text}, in the order of the update and in that of creation. One between them is met when it changes again"


def resumed(text: str | None, lists: tuple[str, ...], since: Instant) -> Cursor:
    """The stored cursor, or a new one. One that cannot be read begins again: repeats are allowed, gaps not."""
    if text is None:
        return cursors.begin(lists, since)
    try:
        found = cursors.read(text)
    except UNREADABLE:
        return cursors.begin(lists, since)
    return found if found.list in lists and set(lists) <= set(found.places) else cursors.begin(lists, since)


def listed(line: Line, here: Cursor, size: int) -> Answer | None:
    """The page the cursor is at, by its last update, the oldest first, unless the place says otherwise. None where
    Freshdesk refuses the page for its number."""
    place = here.places[here.list]
    by, way = ORDERS[place.order]
    params: dict[str, str | int] = {
        "updated_since": datetime.fromtimestamp(place.start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "order_by": by,
        "order_type": way,
        "per_page": size,
        "page": place.page,
    }
    extra: Params = {"include": "stats"} if here.list == CHANGED else {"filter": here.list}
    try:
        return line.get("/tickets", params | dict(extra))
    except NotAllowed as error:
        what = f"The list of {here.list} tickets" if here.list else "The list of tickets"
        raise NotAllowed(f"{what} is refused to us: {error}", error.right) from error.__cause__
    except HelpdeskError as error:
        if place.page > 1 and status(error) == 400 and "page" in refused_fields(error):
            return None
        raise


def read_rows(answer: Answer, casting: Casting, *, gone: str) -> Rows:
    """The entries of a page as tickets without history, oldest update first. One that cannot be read is set aside."""
    cast = casting(answer.rows())
    tickets: list[Ticket] = []
    aside: list[tuple[str, Aside]] = []
    met: dict[str, Instant] = {}
    for entry in answer.entries():
        try:
            made = ticket(row_of(entry), cast, read_at=answer.at, gone=gone or None)
            tickets.append(made)
            met[cursors.name(made)] = made.updated
        except UNREADABLE as error:
            name = sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:12]
            aside.append(
                (name, Aside(id=told_id(entry), why=f"its row in Freshdesk's list cannot be read: {error}"))
            )
            if (at := second_of(entry, answer.at)) is not None:
                met[name] = at
    return Rows(tickets=tuple(tickets), aside=tuple(aside), met=met)


def row_of(entry: Any) -> Row:
    """The entry as a row. TypeError for what is none."""
    if not isinstance(entry, dict):
        raise TypeError("it is null or no object")
    return entry


def told_id(entry: Any) -> str:
    """The id of a row that cannot be read, as far as it has one."""
    value = entry.get("id") if isinstance(entry, dict) else None
    known = isinstance(value, str | int) and not isinstance(value, bool) and NUMBER.fullmatch(str(value))
    return str(value) if known else ""


def second_of(entry: Any, read_at: Instant) -> Instant | None:
    """When a row that cannot be read was updated, as far as it tells."""
    try:
        return updated_at(row_of(entry), read_at)
    except UNREADABLE:
        return None
