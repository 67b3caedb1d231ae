"""What changed, and what is open: pages of the list of tickets, and where each list stands.

A ticket that is deleted or marked as spam leaves the list without a word. Two further lists have those, and
every round of the feed reads all three. https://developers.freshdesk.com/api/#list_all_tickets

The list is paged by its own order: each page begins at the second of the last row before. So rows that change
meanwhile, and move to the end, push no other row off the page. Page numbers count within one second only. Where that
second has more pages than can be asked for, the list is read from its other end as well, and a census then reads it in
the order of creation, from both ends.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from adapters.base import AccessLost, Aside, HelpdeskError, NotAllowed, Page
from adapters.freshdesk.answers import refused_fields
from adapters.freshdesk.client import NUMBER, PAGE, Answer, Client, Params, Row, further
from adapters.freshdesk.people import References
from adapters.freshdesk.ticket import BEFORE_ALL, OVER, read_ticket, updated_at
from adapters.http import UNREADABLE, status_behind
from policies.model import Instant, Seconds, Ticket

OVERLAP: Seconds = 60
"""How far each round looks back: Freshdesk's lists may lag."""

LAST_PAGE = 300
"""The list refuses every page behind this one. https://developers.freshdesk.com/api/#list_all_tickets"""


ORDERS: Mapping[str, tuple[str, str]] = {
    "": ("updated_at", "asc"),
    "back": ("updated_at", "desc"),
    "made": ("created_at", "asc"),
    "made back": ("created_at", "desc"),
}
"""How the list is asked for, by the word that the cursor keeps: in the first order, and behind the wall."""

POLLED: tuple[str, ...] = ("back",)
COUNTED: tuple[str, ...] = ("back", "made", "made back")
"""In which orders a poll and a census read a second that has more pages than can be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one list stands. The next page is `page` of what changed at or after `start`, in `order`; `newest` is the
    latest update met so far, and `seen` names the rows met within the overlap, with their second."""

    start: Instant
    newest: Instant
    page: int = 1
    order: str = ""
    seen: Mapping[str, Instant] = field(default_factory=dict)

    def after(
        self, met: Mapping[str, Instant], *, more: bool, wall: bool = False, orders: tuple[str, ...] = POLLED
    ) -> tuple["Place", bool]:
        """The place behind a page with these rows; without `more` it is where the next round begins. And whether what
        lies in the middle of one second was left behind. `wall` says that Freshdesk refused this page for its number.

        A page that stays within the seconds it began with is followed by its next one. Behind the last page that can
        be asked for, these seconds are read in each of `orders`, until the end of the list or, from its other end,
        what was met before is reached; then on behind them.
        """
        newest = max((*met.values(), self.newest))
        seen = {**self.seen, **met}
        forgotten = newest - OVERLAP if self.order == "" else min(newest - OVERLAP, self.start)
        here = replace(self, newest=newest, seen={each: at for each, at in seen.items() if at >= forgotten})
        last = wall or self.page >= LAST_PAGE
        if self.order:
            complete = not more or (self.order == "back" and bool(met) and met.keys() <= self.seen.keys())
            if not complete and not last:
                return replace(here, page=self.page + 1), False
            following = orders[orders.index(self.order) + 1 :] if self.order in orders else ()
            if complete or not following:
                return replace(here, start=self.start + 2, page=1, order=""), not complete
            return replace(here, page=1, order=following[0]), False
        if not more:
            return replace(here, start=newest - OVERLAP, page=1), False
        forward = max(met.values(), default=self.start) - 1
        if forward > self.start:
            return replace(here, start=forward, page=1), False
        if not last:
            return replace(here, page=self.page + 1), False
        return replace(here, page=1, order=orders[0]), False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The places of several lists by name, and which list is read next."""

    list: str
    places: Mapping[str, Place]

    def text(self) -> str:
        """The cursor as it is stored."""
        places = {
            name: [place.start, place.newest, place.page, dict(place.seen), place.order]
            for name, place in self.places.items()
        }
        return json.dumps({"list": self.list, "places": places}, separators=(",", ":"))


def begin(lists: Iterable[str], since: Instant) -> Cursor:
    """The cursor before the first page of the first list."""
    names = list(lists)
    return Cursor(list=names[0], places={each: Place(start=since, newest=since) for each in names})


def read_cursor(text: str) -> Cursor:
    """A stored cursor. Raises ValueError, LookupError or TypeError for what is none."""
    said = json.loads(text)
    places = {
        str(name): Place(
            start=int(start),
            newest=int(newest),
            page=int(page),
            seen=dict(seen),
            order=order[0] if order else "",
        )
        for name, (start, newest, page, seen, *order) in said["places"].items()
    }
    if any(place.order not in ORDERS for place in places.values()):
        raise ValueError("a cursor in an order that is none")
    return Cursor(list=str(said["list"]), places=places)


def unique_name(row: Ticket) -> str:
    """A short name for a ticket in one state."""
    return sha256(f"{row.ref.id} {row.revision}".encode()).hexdigest()[:12]


CHANGED = ""
GONE = ("deleted", "spam")
"""The lists of what is gone, by the word that asks for them. The main list answers to no word."""

FOR_GOOD = frozenset({400, 403, 404, 405})
"""With these Freshdesk refuses a list whenever it is asked for."""

ReferencesOf = Callable[[list[Row]], References]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What stands on a page: the tickets, what could not be read, and each entry's name with its second."""

    tickets: tuple[Ticket, ...] = ()
    aside: tuple[tuple[str, Aside], ...] = ()
    met: Mapping[str, Instant]

    def unseen(self, seen: Mapping[str, Instant]) -> tuple[tuple[Ticket, ...], tuple[Aside, ...]]:
        """What was not met before in this state."""
        new = tuple(each for each in self.tickets if unique_name(each) not in seen)
        return new, tuple(aside for name, aside in self.aside if name not in seen)


def poll(client: Client, references_of: ReferencesOf, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed, then of what was deleted, then of what became spam; then a round is over. A list of
    what is gone that is refused to us is passed over, and that is said."""
    here = resumed(cursor, (CHANGED, *GONE), since)
    size = min(max(limit, 1), PAGE)
    order = [CHANGED, *GONE]
    following = order[(order.index(here.list) + 1) % len(order)]
    try:
        page, more = step(client, references_of, here, size, POLLED)
    except AccessLost:
        raise
    except HelpdeskError as error:
        if here.list == CHANGED or status_behind(error) not in FOR_GOOD:
            raise
        text = f"Tickets that are {here.list} are not told as gone: {error}"
        after = replace(here, list=following)
        return Page(tickets=(), cursor=after.text(), more=following != CHANGED, remarks=(text,))
    if more:
        return page
    after = replace(read_cursor(page.cursor), list=following)
    return replace(page, cursor=after.text(), more=following != CHANGED)


def census(client: Client, references_of: ReferencesOf, cursor: str | None) -> Page:
    """One page of all open tickets, out of the list of all: it takes no condition on the status. One whose status is
    not told may be open."""
    here = resumed(cursor, (CHANGED,), BEFORE_ALL)
    page, _ = step(client, references_of, here, PAGE, COUNTED)
    open_ones = (each for each in page.tickets if each.status not in OVER or "status" in each.hidden)
    return replace(page, tickets=tuple(open_ones))


def step(
    client: Client, references_of: ReferencesOf, here: Cursor, size: int, orders: tuple[str, ...]
) -> tuple[Page, bool]:
    """The page the cursor is at with the cursor behind it, and whether this list goes on."""
    place = here.places[here.list]
    answer = listed(client, here, size)
    rows = Rows(met={}) if answer is None else read_rows(answer, references_of, gone=here.list)
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
        exact=here.list == CHANGED,  # with stats, which alone tell of replies
    )
    return page, more


def left_between(start: Instant, size: int, orders: tuple[str, ...]) -> str:
    """What to say of a second with more changes than can be listed."""
    at = datetime.fromtimestamp(start + 1, UTC).strftime("%Y-%m-%d %H:%M:%S")
    text = (
        f"So many tickets changed at {at} UTC that Freshdesk does not list them all: "
        f"{LAST_PAGE * size} from either end were read"
    )
    if orders == POLLED:
        return f"{text}. Open ones between them are looked for by the next census, in the order of creation"
    return f"{text}, in the order of the update and in that of creation. One between them is met when it changes again"


def resumed(text: str | None, lists: tuple[str, ...], since: Instant) -> Cursor:
    """The stored cursor, or a new one. One that cannot be read begins again: repeats are allowed, gaps not."""
    if text is None:
        return begin(lists, since)
    try:
        found = read_cursor(text)
    except UNREADABLE:
        return begin(lists, since)
    return found if found.list in lists and set(lists) <= set(found.places) else begin(lists, since)


def listed(client: Client, here: Cursor, size: int) -> Answer | None:
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
        return client.get("/tickets", params | dict(extra))
    except NotAllowed as error:
        what = f"The list of {here.list} tickets" if here.list else "The list of tickets"
        raise NotAllowed(f"{what} is refused to us: {error}", error.right) from error.__cause__
    except HelpdeskError as error:
        if place.page > 1 and status_behind(error) == 400 and "page" in refused_fields(error):
            return None
        raise


def read_rows(answer: Answer, references_of: ReferencesOf, *, gone: str) -> Rows:
    """The entries of a page as tickets without history, oldest update first. One that cannot be read is set aside."""
    references = references_of(answer.rows())
    tickets: list[Ticket] = []
    aside: list[tuple[str, Aside]] = []
    met: dict[str, Instant] = {}
    for entry in answer.entries():
        try:
            made = read_ticket(row_of(entry), references, read_at=answer.at, gone=gone or None)
            tickets.append(made)
            met[unique_name(made)] = made.updated
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
