"""Many tickets at once: the incremental export and the search export. Vendor sheet 1.5 and 1.8."""

import base64
import re

from adapters.simulation.answers import Reply, instant, refused
from adapters.zendesk.simulator import rules
from adapters.zendesk.simulator.reads import Call, by_cursor, includes, shown_ticket, sideloads
from adapters.zendesk.simulator.records import Row

LARGEST_PAGE = 1000
CURSOR = re.compile(r"(\d+)\.0\|\|(-1|\d+)\|")
TERM = re.compile(r"(type|status|priority|tags)(<=|>=|<|>|:)(\S+)")

Place = tuple[int, int]  # generated_timestamp, ticket id


def changed_tickets(call: Call) -> Reply:
    """GET /incremental/tickets/cursor: what changed, by its last change, but for the last minute."""
    if call.desk.switches.admin_only_export:
        call.need_admin()
    after = _after(call)
    size = call.number("per_page", LARGEST_PAGE, most=LARGEST_PAGE)
    settled = call.desk.now() - call.desk.switches.export_lag
    rows = sorted((row for row in call.desk.tickets.values() if _place(row)[0] <= settled), key=_place)
    if call.query.get("exclude_deleted") == "true":
        rows = [row for row in rows if not row.deleted]
    fresh = [row for row in rows if _place(row) > after]
    page = fresh[:size]
    repeated = [row for row in rows if _place(row) <= after][-1:] if call.desk.switches.export_repeats else []
    shown = [*repeated, *page]
    cursor: str | None = _pack(_place(page[-1]) if page else after)
    if not page and call.desk.switches.export_null_cursor:
        cursor = None
    before = _pack(_place(page[0])) if page else None
    addresses = [each and call.address({"cursor": each}, "start_time") for each in (cursor, before)]
    body = {
        "tickets": [shown_ticket(call, row) for row in shown],
        **sideloads(call, [row.json for row in shown]),
        "after_url": addresses[0],
        "after_cursor": cursor,
        "before_url": addresses[1],
        "before_cursor": before,
        "end_of_stream": len(fresh) <= size,
    }
    return Reply(body=body)


def _after(call: Call) -> Place:
    cursor, start = call.query.get("cursor"), call.query.get("start_time")
    if cursor:
        return _unpack(cursor)
    if start is None or not start.isdigit():
        raise rules.invalid_attribute("start_time", "an integer", "incremental/tickets/cursor")
    recent = int(start) > call.desk.now() - call.desk.switches.export_lag
    if recent and call.desk.switches.recent_start == "refuse":
        raise rules.invalid_value("Too recent start_time. Use a start_time older than 60 seconds")
    return int(start), -1


def _place(row: Row) -> Place:
    return row.json["generated_timestamp"], row.id


def _pack(place: Place) -> str:
    return base64.b64encode(f"{place[0]}.0||{place[1]}|".encode()).decode()


def _unpack(cursor: str) -> Place:
    try:
        found = CURSOR.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except ValueError:
        found = None
    if found is None:
        raise rules.invalid_value("Invalid cursor")
    return int(found[1]), int(found[2])


def search_export(call: Call) -> Reply:
    """GET /search/export: open tickets by query, as the search index knows them."""
    gate = call.desk.switches.search_export
    if gate == "forbidden":
        raise rules.forbidden(as_object=call.desk.switches.error_objects)
    if gate == "missing":
        raise call.missing()
    if call.query.get("filter[type]") != "ticket":
        raise refused(422, {"error": "invalid", "description": "Invalid search: filter[type] is required"})
    includes(call, set())
    oldest = call.desk.now() - call.desk.switches.search_lag
    terms = _terms(call.query.get("query", ""))
    found = [
        row.json
        for _, row in sorted(call.desk.tickets.items())
        if not row.deleted and not row.archived and instant(row.json["created_at"]) <= oldest
        if all(_holds(row, *term) for term in terms)
    ]
    page = by_cursor(call, found, most=LARGEST_PAGE)
    rows = [
        {**shown_ticket(call, call.desk.tickets[row["id"]]), "result_type": "ticket"} for row in page.rows
    ]
    return Reply(body={"results": rows, "facets": None, **page.about})


def _terms(query: str) -> list[tuple[str, str, str]]:
    terms = []
    for word in query.split():
        found = TERM.fullmatch(word)
        if found is None or (found[1] in ("type", "priority", "tags") and found[2] != ":"):
            raise rules.not_played(f"search for {word!r}")
        terms.append((found[1], found[2], found[3]))
    return terms


def _holds(row: Row, name: str, sign: str, value: str) -> bool:
    if name == "type":
        return value == "ticket"
    if name == "tags":
        return value in row.json["tags"]
    if name == "priority":
        return bool(row.json["priority"] == value)
    if value not in rules.STATUSES:
        raise rules.not_played(f"search for status {value!r}")
    here, there = rules.STATUSES.index(row.json["status"]), rules.STATUSES.index(value)
    return {
        "<": here < there,
        ">": here > there,
        "<=": here <= there,
        ">=": here >= there,
        ":": here == there,
    }[sign]
