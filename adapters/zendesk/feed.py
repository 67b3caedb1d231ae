"""What changed, and what is open: pages of ticket rows.

https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from collections.abc import Callable

from adapters.base import HelpdeskError, Page
from adapters.zendesk.people import Cast
from adapters.zendesk.refusals import status
from adapters.zendesk.session import Answer, Line, legible
from adapters.zendesk.ticket import metric_set, ticket
from policies.model import Instant, Status, Ticket

SIDES = "users,groups,organizations"
SINCE = "since:"
LARGEST = 1000
SEARCH, LIST = "search:", "list:"
REFUSED = frozenset({400, 403, 404, 422})
DONE = frozenset({Status.SOLVED, Status.CLOSED})

Casting = Callable[[Answer], Cast]


def poll(line: Line, casting: Casting, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of the cursor export, which leaves out the last minute.

    The cursor is Zendesk's own. A page without one does not move it, and before the first there is only the
    time to start from, which is then the cursor.
    """
    here = cursor or f"{SINCE}{since}"
    start = here.startswith(SINCE)
    place = {"start_time": here.removeprefix(SINCE)} if start else {"cursor": here}
    size = min(max(limit, 1), LARGEST)
    answer = line.get("/incremental/tickets/cursor", {**place, "per_page": size, "include": SIDES})
    after = answer.body.get("after_cursor")
    return Page(
        tickets=snapshots(answer, casting, "tickets"),
        cursor=after or here,
        more=bool(after) and answer.body.get("end_of_stream") is False,
    )


def census(line: Line, casting: Casting, cursor: str | None) -> Page:
    """One page of all open tickets: by search, or where Zendesk refuses that, out of the list of all."""
    if cursor and cursor.startswith(LIST):
        return listed(line, casting, cursor.removeprefix(LIST))
    try:
        return searched(line, casting, (cursor or "").removeprefix(SEARCH))
    except HelpdeskError as error:
        if status(error) not in REFUSED:
            raise
        return listed(line, casting, "")


def searched(line: Line, casting: Casting, after: str) -> Page:
    """A page of the search export. Its rows come without people: the tickets are `partial`."""
    params: dict[str, str | int] = {
        "query": "type:ticket status<solved",
        "filter[type]": "ticket",
        "page[size]": 100,
    }
    answer = line.get("/search/export", params | where(after))
    return page(answer, snapshots(answer, casting, "results"), "results", SEARCH, after)


def listed(line: Line, casting: Casting, after: str) -> Page:
    """A page of the list of all tickets, without those that are done."""
    answer = line.get("/tickets", {"page[size]": 100, "include": SIDES, **where(after)})
    return page(answer, snapshots(answer, casting, "tickets"), "tickets", LIST, after)


def page(answer: Answer, tickets: tuple[Ticket, ...], name: str, way: str, after: str) -> Page:
    """The page, with the way it was got in its cursor. An empty one is the last, whatever it says of more."""
    further = answer.next_cursor() if answer.rows(name) else None
    open_ones = tuple(each for each in tickets if each.status not in DONE and each.gone is None)
    return Page(tickets=open_ones, cursor=way + (further or after), more=further is not None)


def where(after: str) -> dict[str, str | int]:
    """The parameter that goes on behind a cursor."""
    return {"page[after]": after} if after else {}


def snapshots(answer: Answer, casting: Casting, name: str) -> tuple[Ticket, ...]:
    """The rows as tickets without history. A search result may be another thing than a ticket."""
    people = casting(answer)
    rows = [row for row in answer.rows(name) if row.get("result_type", "ticket") == "ticket"]
    with legible():
        return tuple(
            ticket(row, people, read_at=answer.at, metrics=metric_set(answer.body, row)) for row in rows
        )
