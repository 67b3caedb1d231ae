"""What our token changes. Nothing makes a write conditional. https://docs.zammad.org/en/latest/api/ticket/index.html"""

from typing import Any

from adapters.simulation.answers import Record, Reply, refused
from uptier_zammad.simulator.reads import Call
from uptier_zammad.simulator.state import NOBODY

OURS = ("group_id", "owner_id", "priority_id", "state_id", "title")


def update(call: Call) -> Reply:
    """PUT /tickets/{id}: known keys change, others are passed over; an article goes with them."""
    row, body = call.row(call.params["id"]), dict(call.body or {})
    desk = call.desk
    fields = {name: value for name, value in body.items() if name in (*OURS, *desk.attributes)}
    if fields.get("owner_id", 0) is None:
        fields["owner_id"] = NOBODY
    tables: dict[str, Any] = {
        "group_id": desk.groups,
        "owner_id": desk.users,
        "priority_id": desk.priorities,
        "state_id": desk.states,
    }
    for name, table in tables.items():
        if name in fields and fields[name] not in table:
            raise refused(422, {"error": f"Invalid value for param '{name}': {fields[name]!r}"})
    desk.change(row, call.caller, fields, _said(body["article"]) if body.get("article") else None)
    return Reply(body={**call.shown(row), "article_ids": [each["id"] for each in row.articles]})


def _said(body: Record) -> Record:
    if not isinstance(body.get("body"), str):
        raise refused(422, {"error": 'Need at least article: { body: "some text" }'})
    if body.get("type") == "email" and not body.get("to"):
        raise refused(422, {"error": "Sending an email without a valid recipient is not possible."})
    return body


def add_tag(call: Call) -> Reply:
    """POST /tags/add."""
    row, tag = _tagged(call)
    known = {each for other in call.desk.tickets.values() for each in other.tags}
    if not call.desk.switches.new_tags and tag not in known:
        raise refused(403, {"error": "Not authorized"})
    call.desk.put_tag(row, call.caller, tag, add=True)
    return Reply(status=201, body=True)


def remove_tag(call: Call) -> Reply:
    """DELETE /tags/remove."""
    row, tag = _tagged(call)
    call.desk.put_tag(row, call.caller, tag, add=False)
    return Reply(body=True)


def _tagged(call: Call) -> tuple[Any, str]:
    body = call.body if isinstance(call.body, dict) else {}
    if body.get("object") != "Ticket":
        raise refused(422, {"error": "Only tickets have tags here."})
    return call.row(body.get("o_id")), str(body.get("item", "")).strip()


WRITES = (update, add_tag, remove_tag)
