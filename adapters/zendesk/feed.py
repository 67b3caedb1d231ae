"""What changed, and what is open: pages of ticket rows.

https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from collections.abc import Callable

from adapters.base import Aside, HelpdeskError, Page, TryLater
from adapters.http import UNSAID, status_behind
from adapters.zendesk.answers import Odd, named
from adapters.zendesk.client import Answer, Client
from adapters.zendesk.people import References
from adapters.zendesk.ticket import read_ticket
from policies.model import Instant, Status, Ticket

SIDES = "users,groups,organizations"
SINCE = "since:"
LARGEST = 1000
SEARCH, LIST = "search:", "list:"
REFUSED = frozenset({400, 403, 404, 422})
DONE = frozenset({Status.SOLVED, Status.CLOSED})
STUCK = "Zendesk gave rows and no cursor behind them: the next poll reads the same page again"

ReferencesOf = Callable[[Answer], References]
Read = tuple[tuple[Ticket, ...], tuple[Aside, ...]]
"""The rows of a page as tickets, and those that cannot be read."""


def poll(client: Client, references_of: ReferencesOf, cursor: str | None, since: Instant, limit: int) -> Page:
    """One page of the cursor export, which leaves out the last minute.

    The cursor is Zendesk's own. A page without one does not move it, and before the first there is only the
    time to start from, which is then the cursor.
    """
    here = cursor or f"{SINCE}{since}"
    start = here.startswith(SINCE)
    place = {"start_time": here.removeprefix(SINCE)} if start else {"cursor": here}
    size = min(max(limit, 1), LARGEST)
    sides = f"{SIDES},comment_count"
    answer = client.get("/incremental/tickets/cursor", {**place, "per_page": size, "include": sides})
    after, end = answer.body.get("after_cursor"), answer.body.get("end_of_stream")
    if not isinstance(after, str | None) or not isinstance(end, bool):
        raise TryLater("Zendesk's page of changed tickets does not say where it ends", UNSAID)
    tickets, aside = snapshots(answer, references_of, "tickets")
    return Page(
        tickets=tickets,
        cursor=after or here,
        more=bool(after) and not end,
        aside=aside,
        remarks=() if after or not answer.rows("tickets") else (STUCK,),
    )


def census(client: Client, references_of: ReferencesOf, cursor: str | None) -> Page:
    """One page of all open tickets: by search, or where Zendesk refuses that, out of the list of all."""
    if cursor and cursor.startswith(LIST):
        return listed(client, references_of, cursor.removeprefix(LIST))
    try:
        return searched(client, references_of, (cursor or "").removeprefix(SEARCH))
    except HelpdeskError as error:
        if status_behind(error) not in REFUSED:
            raise
        return listed(client, references_of, "")


def searched(client: Client, references_of: ReferencesOf, after: str) -> Page:
    """A page of the search export. Its rows come without people, which are `hidden`."""
    params: dict[str, str | int] = {
        "query": "type:ticket status<solved",
        "filter[type]": "ticket",
        "page[size]": 100,
    }
    answer = client.get("/search/export", params | where(after))
    return page(answer, snapshots(answer, references_of, "results"), "results", SEARCH, after)


def listed(client: Client, references_of: ReferencesOf, after: str) -> Page:
    """A page of the list of all tickets, without those that are done."""
    answer = client.get("/tickets", {"page[size]": 100, "include": SIDES, **where(after)})
    return page(answer, snapshots(answer, references_of, "tickets"), "tickets", LIST, after)


def page(answer: Answer, read: Read, name: str, way: str, after: str) -> Page:
    """The page, with the way it was got in its cursor. An empty one is the last, whatever it says of more. A ticket
    whose status is hidden may be open."""
    tickets, aside = read
    further = answer.next_cursor() if answer.rows(name) else None
    if further == after and after:
        raise TryLater(f"Zendesk's list of {name} goes in a circle", UNSAID)
    open_ones = tuple(each for each in tickets if each.status not in DONE and each.gone is None)
    return Page(tickets=open_ones, cursor=way + (further or after), more=further is not None, aside=aside)


def where(after: str) -> dict[str, str | int]:
    """The parameter that goes on behind a cursor."""
    return {"page[after]": after} if after else {}


def snapshots(answer: Answer, references_of: ReferencesOf, name: str) -> Read:
    """The rows as tickets without history, and those set aside. A search result may be another thing."""
    people = references_of(answer)
    tickets: list[Ticket] = []
    aside: list[Aside] = []
    for row in answer.rows(name):
        if isinstance(row, dict) and row.get("result_type", "ticket") != "ticket":
            continue
        try:
            tickets.append(read_ticket(row, people, read_at=answer.at))
        except Odd as error:
            aside.append(Aside(id=named(row), why=str(error)))
    return tuple(tickets), tuple(aside)
