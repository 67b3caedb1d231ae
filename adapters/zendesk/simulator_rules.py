"""What a change brings with it and what it may not do: the account's own rules on a ticket."""

from collections.abc import Mapping
from typing import Any

from adapters.zendesk.simulator_directory import Directory
from adapters.zendesk.simulator_errors import invalid_record
from adapters.zendesk.simulator_switches import Switches
from adapters.zendesk.simulator_tickets import CLOSED, Row, value_of

PRIORITIES = ("low", "normal", "high", "urgent")
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
TYPES = ("problem", "incident", "question", "task")

Changes = dict[str | int, Any]


def complete(row: Row, fields: Changes, people: Directory, switches: Switches) -> Changes:
    """Add what Zendesk changes by itself along with `fields`."""
    whole = dict(fields)
    _complete_people(row, whole, people, switches)
    if switches.tagger_tags:
        _complete_tags(row, whole, people)
    opens = switches.assigning_opens and whole.get("assignee_id") is not None
    if opens and row.json["status"] in ("new", None) and "status" not in whole:
        whole["status"] = "open"
    return whole


def _complete_people(row: Row, fields: Changes, people: Directory, switches: Switches) -> None:
    if "group_id" in fields and "assignee_id" not in fields:
        if _loses_assignee(row, fields["group_id"], people, switches):
            fields["assignee_id"] = None
    elif fields.get("assignee_id") is not None and "group_id" not in fields:
        group = row.json["group_id"]
        if group is None or not people.is_member(fields["assignee_id"], group):
            fields["group_id"] = people.users[fields["assignee_id"]]["default_group_id"]


def _loses_assignee(row: Row, group: int | None, people: Directory, switches: Switches) -> bool:
    assignee = row.json["assignee_id"]
    if assignee is None or group == row.json["group_id"] or switches.group_alone == "keep":
        return False
    return switches.group_alone == "clear" or group is None or not people.is_member(assignee, group)


def _complete_tags(row: Row, fields: Changes, people: Directory) -> None:
    before_tags = fields["tags"] if "tags" in fields else row.json["tags"]
    tags = list(before_tags)
    for name in [name for name in fields if isinstance(name, int)]:
        if people.ticket_fields[name]["type"] != "tagger":
            continue
        before, after = value_of(row, name), fields[name]
        tags = [tag for tag in tags if tag != before]
        if after is not None and after not in tags:
            tags.append(after)
    if tags != before_tags:
        fields["tags"] = tags


def refuse_closed(row: Row, switches: Switches) -> None:
    """A closed ticket takes no update any more."""
    if row.json["status"] == "closed":
        problem = {"description": "Status: closed prevents ticket update"}
        raise invalid_record(switches.closed_under, [problem])


def refuse_values(row: Row, fields: Mapping[str | int, Any]) -> None:
    """Words that the vendor does not know, and the way back to new."""
    for name, words in (("priority", PRIORITIES), ("status", STATUSES), ("type", TYPES)):
        value = fields.get(name)
        if name in fields and value not in words and not (value is None and name != "status"):
            raise _base(f"{name.capitalize()}: is invalid")
    if fields.get("status") == "new" and row.json["status"] != "new":
        raise invalid_record("status", [{"description": "Status: cannot be changed back to new"}])


def refuse_people(row: Row, fields: Mapping[str | int, Any], people: Directory) -> None:
    """The group must exist, and the assignee must be an agent in it who may answer in public."""
    group = fields.get("group_id", row.json["group_id"])
    if group is not None and (group not in people.groups or people.groups[group]["deleted"]):
        raise invalid_record("group", [{"description": "Group: is invalid"}])
    assignee = fields.get("assignee_id", row.json["assignee_id"])
    if assignee is None or not {"assignee_id", "group_id"} & fields.keys():
        return
    if not _can_own(assignee, people):
        raise invalid_record("assignee", [{"description": "Assignee: is invalid"}])
    if group is not None and not people.is_member(assignee, group):
        problem = {"description": "Assignee: is not a member of the group", "error": "InvalidValue"}
        raise invalid_record("assignee", [problem])


def _can_own(number: int, people: Directory) -> bool:
    if not people.is_staff(number):
        return False
    person = people.users[number]
    return person["active"] and not person["suspended"] and not person["only_private_comments"]


def refuse_solving(row: Row, fields: Mapping[str | int, Any], people: Directory) -> None:
    """Solving needs an assignee and every required custom field."""
    if fields.get("status") not in CLOSED or row.json["status"] in CLOSED:
        return
    if fields.get("assignee_id", row.json["assignee_id"]) is None:
        raise _base("Assignee: is required when solving a ticket")
    missing = [
        {
            "ticket_field_type": f"Field{field['type'].capitalize()}",
            "ticket_field_id": number,
            "description": f"{field['title']}: is required when solving a ticket",
            "error": None,
        }
        for number, field in people.ticket_fields.items()
        if field["required"]
        and field["removable"]
        and fields.get(number, value_of(row, number)) in (None, "")
    ]
    if missing:
        raise invalid_record("base", missing)


def _base(description: str) -> Exception:
    return invalid_record("base", [{"description": description}])
