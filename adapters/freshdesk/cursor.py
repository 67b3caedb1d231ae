"""Where a feed stands: which list is being read, and from which second on.

The list is paged by its own order: each page begins at the second of the last row before. So rows that change
meanwhile, and move to the end, push no other row off the page. Page numbers count within one second only.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one list stands. The next page is `page` of what changed at or after `start`; `newest` is the
    latest update met so far, and `seen` names the rows met within the overlap, with their second."""

    start: Instant
    newest: Instant
    page: int = 1
    seen: Mapping[str, Instant] = field(default_factory=dict)

    def unseen(self, rows: Iterable[Ticket]) -> tuple[Ticket, ...]:
        """The rows that were not met before in this state."""
        return tuple(row for row in rows if name(row) not in self.seen)

    def after(self, rows: tuple[Ticket, ...], *, more: bool) -> "Place":
        """The place behind this page; without `more` it is where the next round begins.

        A page that stays within the seconds it began with is followed by its next one. Behind the last page
        that can be asked for, what is left of those seconds is left to the census.
        """
        newest = max((row.updated for row in rows), default=self.newest)
        newest = max(newest, self.newest)
        seen = {**self.seen, **{name(row): row.updated for row in rows}}
        kept = {each: at for each, at in seen.items() if at >= newest - OVERLAP}
        here = replace(self, newest=newest, seen=kept)
        if not more:
            return replace(here, start=newest - OVERLAP, page=1)
        forward = max((row.updated for row in rows), default=self.start) - 1
        if forward > self.start:
            return replace(here, start=forward, page=1)
        if self.page < LAST_PAGE:
            return replace(here, page=self.page + 1)
        return replace(here, start=self.start + 2, page=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The places of several lists by name, and which list is read next."""

    list: str
    places: Mapping[str, Place]

    def text(self) -> str:
        """The cursor as it is stored."""
        places = {
            name: [place.start, place.newest, place.page, dict(place.seen)]
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
        str(name): Place(start=int(start), newest=int(newest), page=int(page), seen=dict(seen))
        for name, (start, newest, page, seen) in said["places"].items()
    }
    return Cursor(list=str(said["list"]), places=places)


def name(row: Ticket) -> str:
    """A short name for a ticket in one state."""
    return sha256(f"{row.ref.id} {row.revision}".encode()).hexdigest()[:12]
