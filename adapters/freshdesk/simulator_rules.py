"""What an update may not do: types, choices, people and the fields needed for closing. Vendor sheet 2.5."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.freshdesk.simulator_directory import Directory
from adapters.freshdesk.simulator_errors import (
    Problem,
    invalid,
    not_among,
    not_played,
    unknown_field,
    wrong_type,
)
from adapters.freshdesk.simulator_records import PRIORITIES
from adapters.freshdesk.simulator_tickets import OVER, Row, value_of

NUMBERS = ("status", "priority", "source", "group_id", "responder_id")
NULLABLE = ("group_id", "responder_id", "type")
TAKES = (*NUMBERS, "subject", "type", "tags", "custom_fields")
# Freshdesk takes these too; here they answer 501 instead of being dropped in silence.
NOT_PLAYED = (
    "name", "requester_id", "email", "phone", "facebook_id", "twitter_id", "unique_external_id", "description",
    "attachments", "due_by", "fr_due_by", "email_config_id", "parent_id", "product_id", "company_id",
    "internal_agent_id", "internal_group_id", "lookup_parameter",
)  # fmt: skip
LONGEST_TAG = 32


def checked(body: Any, people: Directory) -> dict[str, Any]:
    """The fields of a body, custom ones by their own names; Refused with 400 at the first that is wrong."""
    if not isinstance(body, dict) or not body:
        raise invalid(("body", "No field was sent", "missing_field"))
    for name, value in body.items():
        if name in NOT_PLAYED:
            raise not_played(f"{name} on PUT tickets")
        if name not in TAKES:
            raise unknown_field(name)
        _check_type(name, value)
    fields = {name: value for name, value in body.items() if name != "custom_fields"}
    for name, value in body.get("custom_fields", {}).items():
        _check_custom(name, value, people)
        fields[name] = value
    return fields


def _check_type(name: str, value: Any) -> None:
    if value is None and name in NULLABLE:
        return
    if name in NUMBERS and (not isinstance(value, int) or isinstance(value, bool)):
        raise wrong_type(name, "Positive Integer", value)
    if name == "tags":
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise wrong_type(name, "Array", value)
        if any(len(tag) > LONGEST_TAG for tag in value):
            raise invalid(("tags", f"Has {LONGEST_TAG} characters maximum", "invalid_value"))
    if name == "custom_fields" and not isinstance(value, dict):
        raise wrong_type(name, "key/value pair", value)


def _check_custom(name: str, value: Any, people: Directory) -> None:
    if not name.startswith("cf_") or name not in people.fields:
        raise unknown_field(f"custom_fields.{name}")
    choices = people.fields[name].get("choices")
    if value is not None and isinstance(choices, list) and value not in choices:
        raise not_among(f"custom_fields.{name}", choices)


def refuse_values(fields: Mapping[str, Any], people: Directory) -> None:
    """Numbers that this account does not know."""
    if "priority" in fields and fields["priority"] not in PRIORITIES:
        raise not_among("priority", PRIORITIES)
    if "status" in fields and fields["status"] not in people.statuses:
        raise not_among("status", people.statuses)


def refuse_people(row: Row, fields: Mapping[str, Any], people: Directory, *, needs_member: bool) -> None:
    """The group must exist; the agent must exist and belong to it."""
    group = fields.get("group_id", row.json["group_id"])
    if group is not None and group not in people.groups:
        raise invalid(("group_id", "There is no group matching the given group_id", "invalid_value"))
    agent = fields.get("responder_id", row.json["responder_id"])
    if agent is None or not {"responder_id", "group_id"} & fields.keys():
        return
    if agent not in people.agents:
        raise invalid(("responder_id", "There is no agent matching the given responder_id", "invalid_value"))
    if needs_member and group is not None and agent not in people.groups[group]["agent_ids"]:
        raise invalid(("responder_id", "Agent does not belong to the group", "invalid_value"))


def refuse_incomplete(row: Row, fields: Mapping[str, Any], people: Directory) -> None:
    """A ticket that is resolved or closed, or becomes so, needs all fields that are required for it; every
    other one those that agents must fill."""
    status = fields.get("status", row.json["status"])
    rule = "required_for_closure" if status in OVER else "required_for_agents"
    empty = [
        name
        for name, field in people.fields.items()
        if name.startswith("cf_") and field[rule] and fields.get(name, value_of(row, name)) in (None, "")
    ]
    if empty:
        raise invalid(*_lacking(empty))


def _lacking(names: Iterable[str]) -> list[Problem]:
    text = "It should not be blank as this is a mandatory field"
    return [(f"custom_fields.{name}", text, "invalid_value") for name in names]
