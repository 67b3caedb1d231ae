"""One API call as a handler sees it, and what can be read. https://docs.zammad.org/en/latest/api/intro.html"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from adapters.simulation.answers import Record, Reply, refused
from uptier_zammad.simulator.state import Row, Zammad

LARGEST, USUAL = 200, 50  # rows on a page of a search (zammad/zammad: app/controllers/tickets_controller.rb)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `caller` is the user behind the token."""

    desk: Zammad
    caller: int
    params: Mapping[str, Any]
    query: QueryParams
    body: Any

    def row(self, number: Any) -> Row:
        """The ticket of that id, else Refused with 404."""
        found = self.desk.tickets.get(int(number)) if str(number).isdecimal() else None
        if found is None:
            raise refused(404, {"error": f"Couldn't find Ticket with 'id'={number}"})
        return found

    def expands(self) -> bool:
        """Whether relations are asked for by name."""
        body = self.body if isinstance(self.body, dict) else {}
        return str(self.query.get("expand", body.get("expand"))).lower() == "true"

    def shown(self, row: Row) -> Record:
        """A ticket as it is asked for."""
        return self.desk.expanded(row.json) if self.expands() else dict(row.json)


def user(call: Call) -> Reply:
    """GET /users/{id}, and /users/me."""
    key = call.params["id"]
    found = call.desk.users.get(call.caller if key == "me" else int(key) if key.isdecimal() else 0)
    if found is None:
        raise refused(404, {"error": f"Couldn't find User with 'id'={key}"})
    name = call.desk.name_of("organization", found["organization_id"]) or None
    return Reply(body={**found, "organization": name} if call.expands() else found)


def groups(call: Call) -> Reply:
    """GET /groups."""
    return _listed(call, call.desk.groups)


def states(call: Call) -> Reply:
    """GET /ticket_states."""
    return _listed(call, call.desk.states)


def priorities(call: Call) -> Reply:
    """GET /ticket_priorities."""
    return _listed(call, call.desk.priorities)


def _listed(call: Call, table: Mapping[int, Record]) -> Reply:
    page, size = int(call.query.get("page", 1)), int(call.query.get("per_page", 500))
    return Reply(body=list(table.values())[(page - 1) * size : page * size])


def ticket(call: Call) -> Reply:
    """GET /tickets/{id}."""
    return Reply(body=call.shown(call.row(call.params["id"])))


def articles(call: Call) -> Reply:
    """GET /ticket_articles/by_ticket/{id}: all of them."""
    return Reply(body=call.row(call.params["id"]).articles)


def history(call: Call) -> Reply:
    """GET /ticket_history/{id}. Articles are told of as related objects. (zammad/zammad: app/models/history.rb)"""
    row = call.row(call.params["id"])
    said = [
        {
            "id": each["id"] + 1_000_000,
            "o_id": each["id"],
            "object": "Ticket::Article",
            "type": "created",
            "related_object": "Ticket",
            "related_o_id": row.json["id"],
            "created_by_id": each["created_by_id"],
            "created_at": each["created_at"],
        }
        for each in row.articles
    ]
    return Reply(body={"history": sorted([*row.history, *said], key=lambda each: each["created_at"])})


def tags(call: Call) -> Reply:
    """GET /tags of a ticket."""
    if call.query.get("object") != "Ticket":
        raise refused(501, {"error": "The simulator plays tags of tickets only."})
    return Reply(body={"tags": call.row(call.query.get("o_id")).tags})


def search(call: Call) -> Reply:
    """POST /tickets/search with a condition, sorted, in pages."""
    body = call.body if isinstance(call.body, dict) else {}
    size = min(int(body.get("per_page", USUAL)), LARGEST)
    page = int(body.get("page", 1))
    rows = [row for row in call.desk.tickets.values() if _meets(row, body.get("condition", {}))]
    by, way = body.get("sort_by", "updated_at"), body.get("order_by", "desc")
    rows.sort(key=lambda row: (row.json[by], row.json["id"]), reverse=way == "desc")
    found = [call.shown(row) for row in rows[(page - 1) * size : page * size]]
    return Reply(body=found)


def _meets(row: Row, condition: Mapping[str, Any]) -> bool:
    for name, wanted in condition.items():
        held, operator, value = row.json[name.removeprefix("ticket.")], wanted["operator"], wanted["value"]
        if operator == "is":
            met = str(held) in [str(each) for each in value]
        elif operator == "is not":
            met = str(held) not in [str(each) for each in value]
        elif operator == "after (absolute)":
            met = str(held) > value
        else:
            raise refused(501, {"error": f"The simulator does not play the operator {operator!r}."})
        if not met:
            return False
    return True
