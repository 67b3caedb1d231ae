"""Event bodies: what an event subscription tells of one audit. Shapes: vendor sheet, section 2.

References are text here, and a missing one is "0" or "" and not null; words are upper case.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from adapters.zendesk.simulator_records import Record
from adapters.zendesk.simulator_tickets import Row

ACCOUNT = 15000001
CHANGES = {
    "status": "status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "group_id": "group_assignment_changed",
    "assignee_id": "agent_assignment_changed",
    "requester_id": "requester_changed",
}
WORDS = ("status", "priority", "type")


def bodies(row: Row, audit: Record) -> list[Record]:
    """One body for each thing that happened in this save; all share a sequence id."""
    told = [pair for event in audit["events"] for pair in _told(event)]
    if any(event["type"] == "Create" for event in audit["events"]):
        told = [("created", {})]
    return [_body(row, audit, kind, content, place) for place, (kind, content) in enumerate(told, start=1)]


def _told(event: Record) -> Iterator[tuple[str, Record]]:
    if event["type"] == "Comment":
        author = {"id": str(event["author_id"]), "is_staff": False, "name": ""}
        comment = {
            "id": str(event["id"]),
            "body": event["body"],
            "is_public": event["public"],
            "author": author,
        }
        yield "comment_added", {"comment": comment}
    elif event["type"] == "Change":
        yield from _changed(event["field_name"], event["previous_value"], event["value"])


def _changed(name: str, before: Any, after: Any) -> Iterator[tuple[str, Record]]:
    if name == "status" and after == "deleted":
        yield "soft_deleted", {}
    elif name == "tags":
        added = [tag for tag in after if tag not in before]
        removed = [tag for tag in before if tag not in after]
        yield "tags_changed", {"tags_added": added, "tags_removed": removed}
    elif name == "follower_ids":
        yield "followers_changed", {}
    elif name in CHANGES:
        yield CHANGES[name], {"current": _word(name, after), "previous": _word(name, before)}
    elif name.isdigit():
        yield "custom_field_changed", {"current": after, "previous": before, "field": {"id": name}}


def _word(name: str, value: str | None) -> str:
    if name in WORDS:
        return (value or "").upper()
    return value or ("0" if name.endswith("_id") else "")


def _body(row: Row, audit: Record, kind: str, content: Record, place: int) -> Record:
    sequence = {"id": f"01HSEQ{audit['id']:020d}", "position": place}
    return {
        "account_id": ACCOUNT,
        "detail": _detail(row, audit),
        "event": {**content, "meta": {"sequence": sequence}},
        "id": str(uuid.UUID(int=audit["id"] * 1000 + place)),
        "subject": f"zen:ticket:{row.id}",
        "time": audit["created_at"].replace("Z", ".123456789Z"),
        "type": f"zen:event-type:ticket.{kind}",
        "zendesk_event_version": "2022-11-06",
    }


def _detail(row: Row, audit: Record) -> Record:
    ticket = row.json
    numbers = ("assignee_id", "brand_id", "group_id", "organization_id", "requester_id", "submitter_id")
    return {
        "actor_id": str(audit["author_id"]),
        "created_at": ticket["created_at"],
        "custom_status": "0",
        "description": ticket["description"] or "",
        "external_id": "",
        "form_id": str(ticket["ticket_form_id"]),
        "id": str(row.id),
        "is_public": ticket["is_public"],
        "subject": ticket["subject"] or "",
        "tags": list(ticket["tags"]),
        "updated_at": ticket["updated_at"],
        "via": {"channel": "web_service" if audit["via"]["channel"] == "api" else audit["via"]["channel"]},
        **{name: str(ticket[name] or 0) for name in numbers},
        **{name: (ticket[name] or "").upper() for name in WORDS},
    }
