"""A call as a handler sees it, how pages are cut, and what the account tells about people, set-up and tickets."""

import base64
import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from adapters.simulation.answers import Record, Reply, refused
from adapters.zendesk.simulator import rules
from adapters.zendesk.simulator.records import Gate, Row
from adapters.zendesk.simulator.state import Zendesk

DEEPEST = 10_000  # records that offset pages reach
LARGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `base` is the address it came in under, without a path."""

    desk: Zendesk
    user: Record
    path: str
    query: QueryParams
    base: str
    client: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number of the query, at most `most`; Refused with 400 if it is none."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1:
            raise rules.invalid_attribute(name, "an integer", self.path)
        return min(int(text), most)

    def need_admin(self) -> None:
        """Refuse with 403 unless the caller is an admin."""
        if self.user["role"] != "admin":
            raise rules.forbidden(as_object=self.desk.switches.error_objects)

    def missing(self) -> Exception:
        """The account's 404."""
        return rules.not_found(empty=self.desk.switches.empty_404)

    def address(self, query: Mapping[str, str | int], *without: str) -> str:
        """This call's own URL with these query values instead of its own, and without some."""
        gone = {*query, *without}
        kept = [(name, value) for name, value in self.query.multi_items() if name not in gone]
        return f"{self.base}{self.path}?{urlencode([*kept, *query.items()])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A page: its rows, and what the reply says of the other pages."""

    rows: list[Record]
    about: Mapping[str, Any]


def paged(call: Call, rows: Iterable[Record]) -> Slice:
    """Cut a list as the caller asks: `page[size]` gives cursor pages, anything else offset pages."""
    if "page[size]" in call.query or "page[after]" in call.query:
        return by_cursor(call, rows)
    return _by_offset(call, list(rows))


def by_cursor(call: Call, rows: Iterable[Record], *, most: int = LARGEST) -> Slice:
    """Cut a list that has cursor pages. Rows stand in the order of their ids, up or down.

    After a full last page `has_more` is true and an empty page follows, as it can happen with Zendesk.
    """
    if "page[before]" in call.query:
        raise rules.not_played("page[before]")
    size = call.number("page[size]", LARGEST, most=most)
    listed = list(rows)
    start = _place(call, listed)
    page = listed[start : start + size]
    more = start + size < len(listed) or (call.desk.switches.empty_last_page and len(page) == size)
    after = _pack(page[-1]["id"]) if page else None
    before = _pack(page[0]["id"]) if page else None
    meta = {"has_more": more, "after_cursor": after, "before_cursor": before}
    links = {
        "prev": call.address({"page[before]": before}, "page[after]") if start and before else None,
        "next": call.address({"page[after]": after}) if more and after else None,
    }
    return Slice(rows=page, about={"meta": meta, "links": links})


def _place(call: Call, rows: list[Record]) -> int:
    """How many rows lie before the cursor; the row it names may be gone by now."""
    cursor = call.query.get("page[after]")
    if not cursor:
        return 0
    wanted = _unpack(call, cursor)
    ascending = len(rows) < 2 or rows[0]["id"] < rows[-1]["id"]
    return sum(1 for row in rows if (row["id"] <= wanted if ascending else row["id"] >= wanted))


def _pack(number: int) -> str:
    return base64.b64encode(json.dumps({"o": "id", "v": number}).encode()).decode()


def _unpack(call: Call, cursor: str) -> int:
    try:
        return int(json.loads(base64.b64decode(cursor, validate=True))["v"])
    except (ValueError, KeyError, TypeError):
        raise rules.invalid_attribute("page[after]", "a valid cursor", call.path) from None


def _by_offset(call: Call, rows: list[Record]) -> Slice:
    size = call.number("per_page", LARGEST, most=LARGEST)
    page = call.number("page", 1, most=DEEPEST)
    if page * size > DEEPEST:
        body = {"error": {"title": "Invalid request", "message": "Pagination limit reached for offset model"}}
        raise refused(400, body)
    part = rows[(page - 1) * size : page * size]
    following = call.address({"page": page + 1}) if page * size < len(rows) else None
    previous = call.address({"page": page - 1}) if page > 1 else None
    about = {"next_page": following, "previous_page": previous, "count": len(rows)}
    return Slice(rows=part, about=about)


SIDELOADS = {"users", "groups", "organizations", "metric_sets", "slas", "comment_count"}
MOST_IDS = 100


def me(call: Call) -> Reply:
    """GET /users/me: whom the credentials act as."""
    return Reply(body={"user": {**call.user, "url": f"{call.base}/api/v2/users/{call.user['id']}.json"}})


def one_user(call: Call) -> Reply:
    """GET /users/{id}."""
    user = call.desk.people.users.get(int(call.params["id"]))
    if user is None:
        raise call.missing()
    return Reply(body={"user": with_url(call, "users", user)})


def custom_statuses(call: Call) -> Reply:
    """GET /custom_statuses: all at once, without pages."""
    gate(call, call.desk.switches.custom_statuses)
    rows = call.desk.people.custom_statuses.values()
    return Reply(body={"custom_statuses": [with_url(call, "custom_statuses", row) for row in rows]})


def users(call: Call) -> Reply:
    """GET /users, of one or more roles when `role[]` names them."""
    roles = set(call.query.getlist("role[]")) | set(call.query.getlist("role"))
    people = call.desk.people.users.values()
    return _listed(call, "users", [user for user in people if not roles or user["role"] in roles])


def groups(call: Call) -> Reply:
    """GET /groups, deleted ones included."""
    return _listed(call, "groups", call.desk.people.groups.values())


def group_memberships(call: Call) -> Reply:
    """GET /group_memberships."""
    return _listed(call, "group_memberships", call.desk.people.memberships.values())


def organizations(call: Call) -> Reply:
    """GET /organizations/show_many: at most 100 ids, and missing ones are left out."""
    texts = [text for text in call.query.get("ids", "").split(",") if text]
    if len(texts) > MOST_IDS:
        raise rules.too_many_values(MOST_IDS)
    if not all(text.isdigit() for text in texts):
        raise rules.invalid_attribute("ids", "an integer", "organizations/show_many")
    known = call.desk.people.organizations
    rows = [with_url(call, "organizations", known[int(text)]) for text in texts if int(text) in known]
    return Reply(body={"organizations": rows, "next_page": None, "previous_page": None, "count": len(rows)})


def ticket_fields(call: Call) -> Reply:
    """GET /ticket_fields."""
    return _listed(call, "ticket_fields", call.desk.people.ticket_fields.values())


def sla_policies(call: Call) -> Reply:
    """GET /slas/policies: for admins, on plans that have them."""
    gate(call, call.desk.switches.slas)
    call.need_admin()
    rows = sorted(call.desk.people.sla_policies.values(), key=lambda row: row["position"])
    return _listed(call, "sla_policies", rows, under="slas/policies")


def schedules(call: Call) -> Reply:
    """GET /business_hours/schedules: on plans that have them."""
    gate(call, call.desk.switches.schedules)
    rows = list(call.desk.people.schedules.values())
    return Reply(body={"schedules": rows, "url": call.base + call.path})


def tickets(call: Call) -> Reply:
    """GET /tickets: all but deleted and archived ones, oldest id first."""
    rows = [row.json for _, row in sorted(call.desk.tickets.items()) if not row.deleted and not row.archived]
    page = paged(call, rows)
    shown = [shown_ticket(call, call.desk.tickets[row["id"]]) for row in page.rows]
    return Reply(body={"tickets": shown, **sideloads(call, page.rows), **page.about})


def one_ticket(call: Call) -> Reply:
    """GET /tickets/{id}."""
    row = alive(call)
    return Reply(body={"ticket": shown_ticket(call, row), **sideloads(call, [row.json])})


def comments(call: Call) -> Reply:
    """GET /tickets/{id}/comments: oldest first unless sorted otherwise."""
    rows = alive(call).comments
    page = paged(call, _sorted(call, rows, newest_first=False, sortable=True))
    return Reply(body={"comments": page.rows, **authors(call, page.rows), **page.about})


def audits(call: Call) -> Reply:
    """GET /tickets/{id}/audits."""
    switches = call.desk.switches
    rows = _sorted(
        call, alive(call).audits, newest_first=switches.audits_newest_first, sortable=switches.audits_sortable
    )
    page = paged(call, rows)
    return Reply(body={"audits": page.rows, **authors(call, page.rows), **page.about})


def alive(call: Call) -> Row:
    """The ticket of the path; Refused with 404 if there is none or it was deleted."""
    text = str(call.params["id"])
    if not text.isdigit():
        raise rules.invalid_attribute("id", "an integer", "tickets/show")
    row = call.desk.tickets.get(int(text))
    if row is None or row.deleted:
        raise call.missing()
    return row


def shown_ticket(call: Call, row: Row) -> Record:
    """A ticket as this caller sees it, with the sideloads that sit inside it."""
    wanted = includes(call, SIDELOADS)
    fields = all_fields(call, row)
    shown = {
        "url": f"{call.base}/api/v2/tickets/{row.id}.json", **row.json, "custom_fields": fields, "fields": fields,
    }  # fmt: skip
    if "metric_sets" in wanted:
        shown["metric_set"] = (
            None if row.deleted or row.archived else with_url(call, "ticket_metrics", row.metrics)
        )
    if "comment_count" in wanted:
        shown["comment_count"] = len(row.comments)
    if "slas" in wanted:
        people, desk = call.desk.people, call.desk
        staff = {number: user for number, user in people.users.items() if people.is_staff(number)}
        shown["slas"] = {
            "policy_metrics": rules.policy_metrics(
                row, people.sla_policies.values(), staff, desk.now(), desk.switches.sla_lag
            )
        }
    return {key: value for key, value in shown.items() if key not in call.desk.switches.hidden_keys}


def all_fields(call: Call, row: Row) -> list[Record]:
    """Every active custom field of the account, empty ones too; none on a deleted ticket."""
    held = {entry["id"]: entry for entry in row.json["custom_fields"]}
    blank = {
        number: {"id": number, "value": None}
        for number, field in call.desk.people.ticket_fields.items()
        if field["removable"] and field["active"] and not row.deleted
    }
    idle = {number for number, field in call.desk.people.ticket_fields.items() if not field["active"]}
    return [entry for number, entry in sorted((blank | held).items()) if number not in idle]


def sideloads(call: Call, rows: Iterable[Record]) -> dict[str, list[Record]]:
    """The sideloads that sit beside the tickets: everyone and everything these tickets point to."""
    wanted, people, listed = includes(call, SIDELOADS), call.desk.people, list(rows)
    persons = [row[name] for row in listed for name in ("requester_id", "submitter_id", "assignee_id")]
    persons += [number for row in listed for number in row["collaborator_ids"]]
    tables = {
        "users": (people.users, persons),
        "groups": (people.groups, [row["group_id"] for row in listed]),
        "organizations": (people.organizations, [row["organization_id"] for row in listed]),
    }
    return {
        name: [with_url(call, name, table[number]) for number in dict.fromkeys(numbers) if number in table]
        for name, (table, numbers) in tables.items()
        if name in wanted
    }


def with_url(call: Call, under: str, row: Record) -> Record:
    """A record with its own address, as every record has it."""
    return {"url": f"{call.base}/api/v2/{under}/{row['id']}.json", **row}


def authors(call: Call, rows: Iterable[Record]) -> dict[str, list[Record]]:
    """The one sideload of comments and audits: who wrote them."""
    people = call.desk.people.users
    if "users" not in includes(call, {"users"}):
        return {}
    numbers = dict.fromkeys(row["author_id"] for row in rows)
    return {"users": [with_url(call, "users", people[number]) for number in numbers if number in people]}


def includes(call: Call, played: Set[str]) -> set[str]:
    """The sideloads asked for; Refused with 501 if one of them is not among those played here."""
    wanted = set(call.query.get("include", "").split(",")) - {"", "None"}  # zenpy sends None for nothing
    if wanted - played:
        raise rules.not_played(f"include={','.join(sorted(wanted - played))} on {call.path}")
    return wanted


def _listed(call: Call, name: str, rows: Iterable[Record], under: str | None = None) -> Reply:
    includes(call, set())
    page = paged(call, rows)
    return Reply(body={name: [with_url(call, under or name, row) for row in page.rows], **page.about})


def _sorted(call: Call, rows: list[Record], *, newest_first: bool, sortable: bool) -> list[Record]:
    order = call.query.get("sort", call.query.get("sort_order", "")) if sortable else ""
    if order in ("-created_at", "desc"):
        newest_first = True
    elif order in ("created_at", "asc"):
        newest_first = False
    return rows[::-1] if newest_first else rows


def gate(call: Call, switch: Gate) -> Any:
    """Refuse what the account's plan or rights do not give."""
    if switch == "forbidden":
        raise rules.forbidden(as_object=call.desk.switches.error_objects)
    if switch == "missing":
        raise call.missing()
