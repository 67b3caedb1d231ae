"""What changed, and what is open: pages of records by exact keyset, without offsets that skip or repeat.

A record becomes visible at commit, later than its stamp, so each poll begins a little before the last stamp it
has seen; within a poll every page goes on exactly behind the last row. The stamp moves to what was seen and
never to now. Vendor sheet 1.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.base import AccessLost, Page
from adapters.servicenow.profile import Profile
from adapters.servicenow.query import behind, every_of, ordered, term
from adapters.servicenow.rows import Row, literal, moment, needed, truth
from adapters.servicenow.session import Line, further, legible, passed
from adapters.servicenow.ticket import OVER, columns, ticket
from policies.model import Instant, Ticket

REST, WALK = "rest", "walk"
OPEN = "active=true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a feed is: behind the row of this stamp and id. `walking` is between two pages of one poll;
    `offset` steps over rows that we may not see."""

    stamp: str
    sys_id: str = ""
    offset: int = 0
    walking: bool = False

    def __str__(self) -> str:
        return f"{WALK if self.walking else REST}|{self.stamp}|{self.offset}|{self.sys_id}"

    @classmethod
    def parse(cls, cursor: str) -> "Place":
        """Read a cursor of ours."""
        mode, stamp, offset, sys_id = cursor.split("|", 3)
        return cls(stamp=stamp, sys_id=sys_id, offset=int(offset), walking=mode == WALK)


def poll(line: Line, profile: Profile, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed. Rows of the overlap come again with each poll."""
    place = Place.parse(cursor) if cursor else Place(stamp=literal(since))
    start = place if place.walking else rested(place, profile)
    size = min(max(limit, 1), line.size)
    query = ordered(behind(start.stamp, start.sys_id), "sys_updated_on", "sys_id")
    answer = line.listed(profile.name, query, columns(profile), limit=size, offset=start.offset)
    rows = answer.rows()
    offset = further(answer, start.offset, size)
    end = behind_last(rows, start) if rows else start if offset is not None else ended(start, profile)
    return Page(
        tickets=tickets(profile, rows, answer.at),
        cursor=str(replace(end, offset=offset or 0, walking=offset is not None)),
        more=offset is not None,
    )


def rested(place: Place, profile: Profile) -> Place:
    """Where a new poll begins: a little before the last stamp, whatever was seen in between."""
    return Place(stamp=literal((moment(place.stamp) or 0) - profile.overlap), walking=True)


def ended(start: Place, profile: Profile) -> Place:
    """Where a poll that shows nothing more leaves the feed. One that began before the last stamp and met no row
    at all goes back to that stamp, or it would fall behind by the overlap each time."""
    return start if start.sys_id else Place(stamp=literal((moment(start.stamp) or 0) + profile.overlap))


def behind_last(rows: Sequence[Row], start: Place) -> Place:
    """The place behind the last row. AccessLost for a row from before the start: the filter was left out."""
    if any(needed(row, "sys_updated_on") < start.stamp for row in rows):
        raise AccessLost(
            "ServiceNow ignores our filter on sys_updated_on. Let Uptier's user read and query that column"
        )
    return Place(stamp=needed(rows[-1], "sys_updated_on"), sys_id=needed(rows[-1], "sys_id"))


def census(line: Line, profile: Profile, cursor: str | None) -> Page:
    """One page of all active records. Resolved ones are active until they are closed, and are left out."""
    place = Place.parse(cursor) if cursor else Place(stamp="")
    beyond = f"sys_id>{term(place.sys_id)}" if place.sys_id else ""
    query = ordered(every_of(OPEN, beyond), "sys_id")
    size = line.size
    answer = line.listed(profile.name, query, columns(profile), limit=size, offset=place.offset)
    rows = answer.rows()
    offset = further(answer, place.offset, size)
    last = passed(place.sys_id, rows)
    open_rows = [row for row in rows if truth(row, "active") is not False]
    open_ones = tickets(profile, open_rows, answer.at)
    return Page(
        tickets=tuple(each for each in open_ones if each.status not in OVER),
        cursor=str(Place(stamp="", sys_id=last, offset=offset or 0, walking=True)),
        more=offset is not None,
    )


def tickets(profile: Profile, rows: Sequence[Row], at: Instant) -> tuple[Ticket, ...]:
    """The rows as tickets without history."""
    with legible():
        return tuple(ticket(profile, row, read_at=at) for row in rows)
