"""PUT a ticket, POST a note or a reply. Vendor sheet 2.5 and 2.6. Nothing makes a write conditional."""

from typing import Any

from adapters.freshdesk.simulator import rules
from adapters.freshdesk.simulator.reads import Call, found, shown_ticket
from adapters.freshdesk.simulator.records import NOTE, REPLY, Row, Said, without_comments
from adapters.simulation.answers import Reply

NOTE_TAKES = ("body", "private", "incoming", "notify_emails", "user_id")
REPLY_TAKES = ("body", "from_email", "user_id", "cc_emails", "bcc_emails")
ANOTHER = ("incoming", "notify_emails", "user_id", "from_email", "cc_emails", "bcc_emails", "structured_body")
BRIEF = ("custom_fields", "company_id", "tags", "stats")


def update_ticket(call: Call) -> Reply:
    """PUT /tickets/{id}: only the keys that are sent change. Sent tags replace all tags."""
    desk, row = call.desk, alive(call)
    fields = rules.checked(call.body, desk.people)
    rules.refuse_values(fields, desk.people)
    rules.refuse_people(row, fields, desk.people, needs_member=desk.switches.needs_member)
    rules.refuse_incomplete(row, fields, desk.people)
    desk.change(row, fields)
    shown = shown_ticket(call, row, set())
    if desk.switches.answers_briefly:
        shown = {name: value for name, value in shown.items() if name not in BRIEF}
    desk.run_rules(row)
    return Reply(body=shown)


def add_note(call: Call) -> Reply:
    """POST /tickets/{id}/notes: private unless it says otherwise."""
    row, body = alive(call), _body(call, NOTE_TAKES)
    private = call.body.get("private", True)
    if not isinstance(private, bool):
        raise rules.wrong_type("private", "Boolean", private)
    said = Said(author=call.agent["id"], body=body, private=private, staff=True, source=NOTE)
    made = call.desk.hear(row, said)
    answer = {name: made[name] for name in NOTE_ANSWER} | {"notified_to": []}
    return Reply(status=201, body=answer, headers={"Location": f"{call.base}{call.path}/{made['id']}"})


def reply(call: Call) -> Reply:
    """POST /tickets/{id}/reply: goes to the requester by e-mail."""
    row, body = alive(call), _body(call, REPLY_TAKES)
    said = Said(author=call.agent["id"], body=body, private=False, staff=True, source=REPLY)
    made = call.desk.hear(row, said)
    status = call.desk.switches.reply_status
    if status is not None:
        call.desk.change(row, {"status": status})
    answer = {name: made[name] for name in REPLY_ANSWER} | {
        "replied_to": [],
        "from_email": "support@acme.test",
    }
    return Reply(status=201, body=answer, headers={"Location": f"{call.base}{call.path}/{made['id']}"})


NOTE_ANSWER = (
    "id", "body", "body_text", "incoming", "private", "user_id", "support_email", "ticket_id", "attachments",
    "created_at", "updated_at",
)  # fmt: skip
REPLY_ANSWER = ("id", "body", "body_text", "user_id", "ticket_id", "attachments", "created_at", "updated_at")


def alive(call: Call) -> Row:
    """The ticket of the path, if it takes updates: spam and deleted ones answer 405."""
    row = found(call)
    if row.removed:
        raise rules.not_allowed()
    if row.archived:
        raise rules.missing()
    return row


def _body(call: Call, takes: tuple[str, ...]) -> str:
    sent: Any = call.body
    if not isinstance(sent, dict):
        raise rules.invalid(("body", "It should be a/an String", "missing_field"))
    for name in sent:
        if name not in takes and name != "structured_body":
            raise rules.unknown_field(name)
        if name in ANOTHER:
            raise rules.not_played(f"{name} on POST {call.path}")
    body = sent.get("body")
    if not isinstance(body, str):
        raise rules.wrong_type("body", "String", body)
    kept = body if call.desk.switches.keeps_comments else without_comments(body)
    if not kept.strip():
        raise rules.invalid(("body", "It should not be blank as this is a mandatory field", "invalid_value"))
    return kept


WRITES: tuple[Any, ...] = (update_ticket, add_note, reply)
