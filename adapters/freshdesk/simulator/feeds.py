"""Many tickets at once: the list of tickets. Vendor sheet 2.3."""

from adapters.freshdesk.simulator.reads import Call, paged, shown_ticket
from adapters.freshdesk.simulator.records import Row
from adapters.freshdesk.simulator.rules import invalid, not_among, not_played
from adapters.simulation.answers import Record, Reply, instant

TAKES = (
    "filter", "requester_id", "email", "unique_external_id", "company_id", "updated_since", "order_by",
    "order_type", "include", "page", "per_page",
)  # fmt: skip
LATELY = 30 * 86400
FILTERS = ("new_and_my_open", "watching", "spam", "deleted")
PLAYED_FILTERS = ("spam", "deleted")
ORDERS = ("created_at", "due_by", "updated_at", "status")
LONG = ("description", "description_text", "attachments")


def tickets(call: Call) -> Reply:
    """GET /tickets: without a time, those created in the last thirty days. Spam, deleted and archived tickets
    are left out; the filters of those names have them."""
    call.takes(*TAKES)
    wanted = call.includes(
        {"stats", "requester", "description", "company"}, {"stats", "requester", "company"}
    )
    rows = [row for row in _filtered(call) if not row.archived and _recent(call, row)]
    order = call.query.get("order_by", "created_at")
    if order not in ORDERS:
        raise not_among("order_by", ORDERS)
    if order == "due_by":
        raise not_played("order_by=due_by")
    ascending = call.query.get("order_type", "desc") == "asc"
    rows.sort(key=lambda row: (row.json[order], row.id), reverse=not ascending)
    # only one page is shown, so that a long list costs little
    reply = paged(call, [row.json for row in rows], last=call.desk.switches.last_page)
    shown = [_listed(call, call.desk.tickets[each["id"]], wanted) for each in reply.body]
    return Reply(body=shown, headers=reply.headers)


def _filtered(call: Call) -> list[Row]:
    word = call.query.get("filter")
    if word is not None and word not in FILTERS:
        raise not_among("filter", FILTERS)
    if word is not None and word not in PLAYED_FILTERS:
        raise not_played(f"filter={word}")
    for name in ("requester_id", "email", "unique_external_id", "company_id"):
        if name in call.query:
            raise not_played(f"{name} on the list of tickets")
    return [row for row in call.desk.tickets.values() if row.removed == word]


def _recent(call: Call, row: Row) -> bool:
    text = call.query.get("updated_since")
    if text is None:
        return instant(row.json["created_at"]) >= call.desk.now() - LATELY
    try:
        since = instant(text)
    except ValueError:
        raise invalid(("updated_since", "It should be a valid date time", "invalid_date")) from None
    at = instant(row.json["updated_at"])
    return at > since if call.desk.switches.since_exclusive else at >= since


def _listed(call: Call, row: Row, wanted: set[str]) -> Record | None:
    """A row of the list: shorter than the ticket itself."""
    if row.is_null:
        return None
    left_out = LONG if call.desk.switches.list_has_tags else (*LONG, "tags")
    shown = shown_ticket(call, row, wanted)
    return {name: value for name, value in shown.items() if name not in left_out}
