"""PUT /tickets/{id}: checked as a whole, then carried out as one save with one audit. Vendor sheet 1.3."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.simulation.answers import Record, Reply, instant, refused
from adapters.zendesk.simulator import rules
from adapters.zendesk.simulator.reads import Call, alive, shown_ticket
from adapters.zendesk.simulator.records import Row, Said, Update, plain

NUMBERS = ("group_id", "assignee_id")
PLAIN = ("priority", "status", "type", "subject", *NUMBERS)
OTHER = ("comment", "tags", "custom_fields", "safe_update", "updated_stamp", "metadata", "followers")
TAG_VERBS = ("additional_tags", "remove_tags")
# Zendesk takes these too; here they answer 501 instead of being dropped in silence.
NOT_PLAYED = (
    "brand_id", "collaborator_ids", "custom_status_id", "due_at", "email_ccs", "external_id",
    "organization_id", "problem_id", "requester", "requester_id", "ticket_form_id", "via_followup_source_id",
)  # fmt: skip


def update_ticket(call: Call) -> Reply:
    """Change a ticket. Unknown keys are dropped and named in a header; any other trouble changes nothing."""
    row, whole = alive(call), _sent(call)
    sent = {name: value for name, value in whole.items() if name not in call.desk.switches.dropped_keys}
    rules.refuse_closed(row, call.desk.switches)
    _refuse_stale(row, sent, call.desk.switches.conflict_error)
    fields = rules.complete(row, _fields(call, row, sent), call.desk.people, call.desk.switches)
    rules.refuse_values(row, fields)
    rules.refuse_people(row, fields, call.desk.people)
    rules.refuse_solving(row, fields, call.desk.people)
    said = _said(call, row, sent)
    mark = _mark(call, sent)
    update = Update(
        author=call.user["id"] if said is None else said.author,
        at=call.desk.now(),
        channel="api",
        client=call.client,
        fields=fields,
        said=said,
        mark=mark,
    )
    audit = call.desk.save(row, update)
    return Reply(body={"ticket": shown_ticket(call, row), "audit": audit}, headers=_warning(call, whole))


def _sent(call: Call) -> Mapping[str, Any]:
    if not isinstance(call.body, dict) or not isinstance(call.body.get("ticket"), dict):
        raise refused(
            400, {"error": "ParameterMissing", "description": "Required parameter 'ticket' is missing"}
        )
    sent: dict[str, Any] = call.body["ticket"]
    unplayed = sorted(name for name in sent if name in NOT_PLAYED)
    if unplayed:
        raise rules.not_played(f"{', '.join(unplayed)} on PUT tickets")
    return sent


def _known(call: Call) -> tuple[str, ...]:
    return (*PLAIN, *OTHER, *TAG_VERBS) if call.desk.switches.tag_verbs_on_put else (*PLAIN, *OTHER)


def _warning(call: Call, sent: Mapping[str, Any]) -> dict[str, str]:
    switches = call.desk.switches
    silent = () if switches.dropped_are_warned_of else switches.dropped_keys
    known = [name for name in _known(call) if name not in switches.dropped_keys]
    dropped = [f"ticket.{name}" for name in sent if name not in (*known, *silent)]
    if not dropped:
        return {}
    text = f"Removed restricted keys {json.dumps(dropped)} from parameters according to whitelist"
    return {"X-Zendesk-API-Warn": text}


def _refuse_stale(row: Row, sent: Mapping[str, Any], word: str) -> None:
    if sent.get("safe_update") not in (True, "true"):
        return
    given = sent.get("updated_stamp")
    try:
        seen = instant(given) if isinstance(given, str) else None
    except ValueError:
        seen = None
    if seen is None:
        raise rules.invalid_attribute("updated_stamp", "a date", "tickets/update")
    if seen != instant(row.json["updated_at"]):
        raise rules.conflict(word)


def _fields(call: Call, row: Row, sent: Mapping[str, Any]) -> rules.Changes:
    fields: rules.Changes = {name: sent[name] for name in PLAIN if name in sent}
    for name in NUMBERS:
        if name in fields:
            fields[name] = _number(name, fields[name])
    if "tags" in sent:
        fields["tags"] = _tags(sent["tags"])
    if call.desk.switches.tag_verbs_on_put and any(name in sent for name in TAG_VERBS):
        present = fields["tags"] if "tags" in fields else row.json["tags"]
        kept = [tag for tag in present if tag not in sent.get("remove_tags", ())]
        fields["tags"] = list(dict.fromkeys([*kept, *_tags(sent.get("additional_tags", []))]))
    for entry in _entries(sent.get("custom_fields", [])):
        if entry["id"] in call.desk.people.ticket_fields:
            fields[entry["id"]] = entry["value"]
    if "followers" in sent:
        fields["follower_ids"] = _followers(call, row, sent["followers"])
    return fields


def _number(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and value.isdigit():
        return int(value)
    raise rules.invalid_attribute(name, "an integer", "tickets/update")


def _tags(value: Any) -> list[str]:
    """Zendesk keeps tags in lower case and each one once; a space parts two tags."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise rules.invalid_attribute("tags", "an array of strings", "tickets/update")
    return list(dict.fromkeys(word for tag in value for word in tag.lower().split()))


def _entries(value: Any) -> list[Record]:
    shaped = isinstance(value, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("id"), int) and "value" in entry for entry in value
    )
    if not shaped:
        raise rules.invalid_attribute("custom_fields", "an array of id and value", "tickets/update")
    entries: list[Record] = value
    return entries


def _said(call: Call, row: Row, sent: Mapping[str, Any]) -> Said | None:
    """The comment; without `public` it is as public as the ticket's last one."""
    if "comment" not in sent:
        return None
    comment = sent["comment"]
    if not isinstance(comment, dict):
        raise rules.invalid_attribute("comment", "an object", "tickets/update")
    if "uploads" in comment:
        raise rules.not_played("uploads on PUT tickets")
    markup = comment.get("html_body")
    body = plain(markup) if markup else str(comment.get("body") or "")
    if not body.strip():
        raise rules.invalid_record(
            "base", [{"description": "Comment: cannot be blank", "error": "BlankValue"}]
        )
    author = _number("author_id", comment.get("author_id", call.user["id"]))
    if author not in call.desk.people.users:
        raise rules.invalid_record("base", [{"description": "Author: is invalid", "error": "InvalidValue"}])
    public = bool(comment.get("public", row.public))
    if public and call.desk.people.users[author]["only_private_comments"]:
        raise rules.invalid_record(
            "base", [{"description": "Comment: may not be public", "error": "InvalidValue"}]
        )
    return Said(author=author, body=body, public=public, staff=call.desk.people.is_staff(author), html=markup)


def _mark(call: Call, sent: Mapping[str, Any]) -> Mapping[str, Any]:
    mark = sent.get("metadata", {})
    if not isinstance(mark, dict):
        raise rules.invalid_attribute("metadata", "an object", "tickets/update")
    return mark if call.desk.switches.keeps_metadata else {}


def _followers(call: Call, row: Row, entries: Any) -> list[int]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise rules.invalid_attribute("followers", "an array of objects", "tickets/update")
    kept = set(row.json["follower_ids"])
    for entry in entries:
        number = _follower(call, entry)
        kept.discard(number)
        if entry.get("action", "put") == "put":
            kept.add(number)
    return sorted(kept)


def _follower(call: Call, entry: Mapping[str, Any]) -> int:
    people = call.desk.people
    if "user_email" in entry:
        found = [number for number, user in people.users.items() if user["email"] == entry["user_email"]]
        number = found[0] if found else None
    else:
        number = _number("user_id", entry.get("user_id"))
    if number is None or not people.is_staff(number):
        raise rules.invalid_record(
            "base", [{"description": "Followers: is invalid", "error": "InvalidValue"}]
        )
    return number
