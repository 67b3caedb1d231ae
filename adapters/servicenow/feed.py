"""What changed, and what is open: pages of records by exact keyset, without offsets that skip or repeat; and one
record.

A record becomes visible at commit, up to minutes later than its stamp, so a poll begins a while (`overlap`) before
the last stamp that was seen, until ServiceNow's own clock says that nothing can come late there any more; within a
poll every page goes on exactly behind the last row. The stamp moves to what was seen and never to now. Vendor sheet
1.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.base import Aside, Gone, NotAllowed, Page, TryLater
from adapters.http import UNREADABLE, UNSAID
from adapters.servicenow.answers import OddValue, Row, instant, literal, moment, raw, text, truth
from adapters.servicenow.client import Answer, Client, further, passed, sys_id
from adapters.servicenow.profile import SYS_ID, Profile, behind, equals, every_of, ordered, term
from adapters.servicenow.ticket import OVER, columns, read_ticket
from policies.model import Instant, Seconds, Ticket, TicketRef

REST, CALM, WALK = "rest", "calm", "walk"
OPEN = "active=true"
AHEAD: Seconds = 3600
KEYS = ("sys_id", "sys_updated_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a feed is: behind the row of this stamp and id. `walking` is between two pages of one poll; `offset`
    steps over rows that we may not see.

    At rest, `calm` says that nothing can become visible late before this place. `counted` is how many rows ServiceNow
    counted from the beginning of the overlap on when the poll began, and `began` its time then; while a poll walks,
    `last` is the last stamp of the poll before.
    """

    stamp: str
    sys_id: str = ""
    offset: int = 0
    walking: bool = False
    calm: bool = False
    began: Instant = 0
    counted: int = -1
    last: str = ""

    def __str__(self) -> str:
        mode = WALK if self.walking else CALM if self.calm else REST
        return f"{mode}|{self.stamp}|{self.offset}|{self.sys_id}|{self.began}|{self.counted}|{self.last}"

    @classmethod
    def parse(cls, cursor: str) -> "Place":
        """Read a cursor of ours."""
        mode, stamp, offset, key, *more = cursor.split("|")
        began, counted, last = more if len(more) == 3 else ("0", "-1", "")
        return cls(
            stamp=stamp,
            sys_id=key,
            offset=int(offset),
            walking=mode == WALK,
            calm=mode == CALM,
            began=int(began),
            counted=int(counted),
            last=last,
        )


def poll(client: Client, profile: Profile, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of what changed. Rows of the overlap come again while rows may still become visible among them."""
    place = Place.parse(cursor) if cursor else Place(stamp=literal(since), walking=True)
    start = place if place.walking else beginning(place, profile)
    size = min(max(limit, 1), client.size)
    answer = fetched(client, profile, start, size)
    opens = start.began == 0
    if opens and not place.calm and unchanged(client, profile, place, answer, size):
        calm = bool(place.sys_id) and is_calm(place, profile, answer.at)
        return Page(tickets=(), cursor=str(replace(place, calm=calm)), more=False)
    walked = replace(
        start,
        began=start.began or answer.at or 1,
        counted=start.counted if not opens or answer.total is None else answer.total,
    )
    rows = answer.rows()
    keyed = [row for row in rows if sys_id(row) and stamp_of(row)]
    checked(profile, keyed, rows, start)
    offset = further(answer, len(keyed), start.offset, size)
    if keyed:
        walked = replace(walked, stamp=stamp_of(keyed[-1]), sys_id=sys_id(keyed[-1]))
    elif offset is None:
        query = ordered(behind(start.stamp, start.sys_id), "sys_updated_on", "sys_id")
        ahead = client.scout(profile.name, query, KEYS, answer, start.offset + size)
        if ahead is not None and stamp_of(ahead):
            walked, offset = replace(walked, stamp=stamp_of(ahead), sys_id=sys_id(ahead)[:-1]), 0
    end = replace(walked, offset=offset or 0) if offset is not None else rested(walked, profile)
    found, aside = tickets(profile, answer)
    return Page(tickets=found, cursor=str(end), more=offset is not None, aside=aside)


def fetched(client: Client, profile: Profile, start: Place, size: int) -> Answer:
    """One page from a place on."""
    query = ordered(behind(start.stamp, start.sys_id), "sys_updated_on", "sys_id")
    return client.listed(profile.name, query, columns(profile), limit=size, offset=start.offset)


def beginning(place: Place, profile: Profile) -> Place:
    """Where a new poll begins: right behind the last row if all is calm there, else a while before it."""
    if place.calm:
        return Place(stamp=place.stamp, sys_id=place.sys_id, walking=True, last=place.stamp)
    back = literal((moment(place.stamp) or 0) - profile.overlap)
    return Place(stamp=back, walking=True, last=place.stamp)


def unchanged(client: Client, profile: Profile, place: Place, answer: Answer, size: int) -> bool:
    """Whether nothing came since the poll before: as many rows are counted from the same beginning on, and none is
    behind the last one. So a bulk change with one stamp is not read again and again. It needs a total."""
    if place.walking or answer.total is None or answer.total != place.counted or answer.total <= size:
        return False
    news = fetched(client, profile, replace(place, offset=0), 1)
    return not news.rows() and not news.odd and news.total == 0


def rested(walked: Place, profile: Profile) -> Place:
    """Where a poll that is at its end leaves the feed. One that met no row at all goes back to the last stamp of the
    poll before, or it would fall behind by the overlap each time. What was counted holds for the next poll only if
    that begins where this one did. A stamp far ahead of ServiceNow's own clock would hide all that comes before it."""
    stamp = max(walked.stamp, walked.last)
    key = walked.sys_id if stamp == walked.stamp else ""
    if key and walked.began > 1 and (moment(stamp) or 0) > walked.began + AHEAD:
        return Place(stamp=literal(walked.began))
    same = stamp == walked.last
    place = Place(stamp=stamp, sys_id=key, counted=walked.counted if same and walked.counted else -1)
    return replace(place, calm=is_calm(place, profile, walked.began) and bool(key))


def is_calm(place: Place, profile: Profile, began: Instant) -> bool:
    """Whether a poll that looked back and began at this time of ServiceNow's has seen all there will be."""
    last = moment(place.stamp)
    return last is not None and began - last > profile.overlap


def checked(profile: Profile, keyed: Sequence[Row], rows: Sequence[Row], start: Place) -> None:
    """Raise NotAllowed where the order of the feed is hidden, or for a row from before the start: the filter was
    left out."""
    told = f"Let Uptier's user read and query {profile.name}.sys_updated_on"
    right = f"read {profile.name}.sys_updated_on"
    if rows and all("sys_updated_on" not in row for row in rows):
        raise NotAllowed(f"ServiceNow hides sys_updated_on from us. {told}", right)
    stays = keyed and start.sys_id and (stamp_of(keyed[-1]), sys_id(keyed[-1])) == (start.stamp, start.sys_id)
    if stays or any(stamp_of(row) < start.stamp for row in keyed):
        raise NotAllowed(f"ServiceNow ignores our filter on sys_updated_on. {told}", right)


def stamp_of(row: Row) -> str:
    """The stamp of a row's last update; empty where it has none that is one."""
    try:
        return text(row, "sys_updated_on") if instant(row, "sys_updated_on") is not None else ""
    except OddValue:
        return ""


def census(client: Client, profile: Profile, cursor: str | None) -> Page:
    """One page of all active records. Resolved ones are active until they are closed, and are left out."""
    place = Place.parse(cursor) if cursor else Place(stamp="")
    beyond = f"sys_id>{term(place.sys_id)}" if place.sys_id else ""
    query = ordered(every_of(OPEN, beyond), "sys_id")
    size = client.size
    answer = client.listed(profile.name, query, columns(profile), limit=size, offset=place.offset)
    keyed = [row for row in answer.rows() if sys_id(row)]
    offset = further(answer, len(keyed), place.offset, size)
    last = passed(place.sys_id, sys_id(keyed[-1])) if keyed else place.sys_id
    if not keyed and offset is None:
        ahead = client.scout(profile.name, query, KEYS, answer, place.offset + size)
        if ahead is not None:
            last, offset = sys_id(ahead)[:-1], 0
    found, aside = tickets(profile, answer, only_active=True)
    return Page(
        tickets=tuple(each for each in found if each.status not in OVER or "status" in each.hidden),
        cursor=str(Place(stamp="", sys_id=last, offset=offset or 0, walking=True)),
        more=offset is not None,
        aside=aside,
    )


def tickets(
    profile: Profile, answer: Answer, *, only_active: bool = False
) -> tuple[tuple[Ticket, ...], tuple[Aside, ...]]:
    """The rows as tickets without history, and those that are none, by name as far as they have one."""
    found: list[Ticket] = []
    aside = [Aside(id="", why="an entry of the list is no record")] * answer.odd
    for row in answer.rows():
        try:
            if not sys_id(row):
                raise OddValue("sys_id is none that a record has")
            if raw(row, "sys_updated_on") is not None and not stamp_of(row):
                raise OddValue("sys_updated_on is no stamp")
            if not only_active or truth(row, "active") is not False:
                found.append(read_ticket(profile, row, read_at=answer.at))
        except UNREADABLE as error:
            aside.append(Aside(id=sys_id(row), why=f"ServiceNow's row cannot be read: {error}"))
    return tuple(found), tuple(aside)


FOLLOWERS = "work_notes_list"


def check_id(ref: TicketRef) -> None:
    """Raise Gone for what can be no record's id."""
    if not SYS_ID.fullmatch(ref.id):
        raise Gone(f"{ref} is not a ServiceNow record; its id is a sys_id")


def fetch(client: Client, profile: Profile, ref: TicketRef) -> Answer:
    """The record with all that is read of one. Raises Gone.

    ServiceNow answers 404 for what is deleted and for what it hides from us; the list is asked as well, so that
    a failure of the moment does not close the work on a ticket, and lost rights are told as such.
    """
    check_id(ref)
    try:
        answer = client.record(profile.name, ref.id, (*columns(profile), FOLLOWERS))
        answer.row()
    except Gone:
        rows = client.listed(profile.name, equals("sys_id", ref.id), ("sys_id",), limit=1).rows()
        if any(sys_id(row) == ref.id for row in rows):
            raise TryLater(f"ServiceNow lists {ref} and does not show it", UNSAID) from None
        raise
    return answer
