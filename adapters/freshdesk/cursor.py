"""Where a feed stands: which list is being read, and from which second on.

The list is paged by its own order: each page begins at the second of the last row before. So rows that change
meanwhile, and move to the end, push no other row off the page. Page numbers count within one second only. Where that
second has more pages than can be asked for, the list is read from its other end as well, and a census then reads it in
the order of creation, from both ends.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

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


def read(text: str) -> Cursor:
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


def name(row: Ticket) -> str:
    """A short name for a ticket in one state."""
    return sha256(f"{row.ref.id} {row.revision}".encode()).hexdigest()[:12]
