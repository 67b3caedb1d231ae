"""Actions as PUT bodies, and Zendesk's answers to them as receipts.

One PUT carries one comment and, the first, everything else with it: each counts against 30 in ten minutes for
a user and a ticket. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#update-ticket
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.base import Account, Note, OutcomeUnknown, Prepared, Receipt, VendorAction, Write
from adapters.zendesk.history import SPACE, changes_of, mark
from adapters.zendesk.people import Authors, Row, ident
from adapters.zendesk.session import Answer, Line, legible
from adapters.zendesk.ticket import field_ids, instant
from policies.model import Ticket, TicketRef, Value, Who
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

TAG = re.compile(r"[^\sA-Z,\"]{1,255}")
"""What Zendesk keeps as one tag. It would lower or split any other, and the end wanted would never hold."""

LISTS = ("custom_fields", "followers")
"""Keys whose lists name single entries; `tags` is different, a sent list replaces all tags."""

LOOKED_AT = ("group_id", "assignee_id", "priority")


def prepare(account: Account, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
    """The fewest PUTs for these actions, without what already holds; gaps say what Zendesk cannot do."""
    possible = [within(action) for action in actions]
    notes = [action for action in possible if isinstance(action, Note)]
    wanted = [(action, body) for action in possible if (body := change(account, ticket, action))]
    bodies: list[dict[str, Any]] = [comment(note) for note in notes] or [{}]
    intents: list[tuple[VendorAction, ...]] = [(note,) for note in notes] or [()]
    bodies[0] = merged(body for _, body in wanted) | bodies[0]
    intents[0] = (*(action for action, _ in wanted), *intents[0])
    writes = tuple(
        Write(
            key=f"{key}:{part}",
            ref=ticket.ref,
            expects=ticket.revision,
            intent=intent,
            request={"ticket": body},
        )
        for part, (body, intent) in enumerate(zip(bodies, intents, strict=True), start=1)
        if body
    )
    return Prepared(writes=writes, gaps=tuple(gap for action in actions for gap in gaps(account, action)))


def within(action: VendorAction) -> VendorAction:
    """The action without tags that Zendesk would not keep as they are."""
    if not isinstance(action, ChangeTags):
        return action
    return replace(action, add=frozenset(tag for tag in action.add if TAG.fullmatch(tag)))


def change(account: Account, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """The part of a ticket body that brings one action about; empty if it holds, cannot be, or is a note."""
    match action:
        case Assign():
            return assignment(ticket, action)
        case RaisePriority():
            rank = ticket.priority.rank if ticket.priority else 0
            return {"priority": action.at_least.value} if rank < action.at_least.rank else {}
        case PutBackPriority():
            return {} if ticket.priority == action.to else {"priority": action.to.value}
        case ChangeTags():
            tags = (ticket.tags - action.remove) | action.add
            return {"tags": sorted(tags)} if tags != ticket.tags else {}
        case SetField():
            return field(account, ticket, action)
        case Follow():
            return {"followers": [{"user_id": action.person.id, "action": "put"}]}
        case Note():
            return {}


def assignment(ticket: Ticket, action: Assign) -> dict[str, Any]:
    """Group and assignee together: with one alone, Zendesk's settings decide what becomes of the other.

    A person without a group is left to Zendesk, which takes the person's default group.
    """
    group = action.group and action.group.id
    assignee = action.assignee and action.assignee.id
    if assignee == (ticket.assignee and ticket.assignee.id) and group == (ticket.group and ticket.group.id):
        return {}
    whole = {"group_id": group and int(group), "assignee_id": assignee and int(assignee)}
    return {"assignee_id": whole["assignee_id"]} if assignee and not group else whole


def field(account: Account, ticket: Ticket, action: SetField) -> dict[str, Any]:
    """One mapped custom field. Zendesk keeps the fields that are not named."""
    name = action.field.removeprefix("custom.")
    number = field_ids(account).get(name)
    if number is None or same(ticket.custom.get(name), action.value):
        return {}
    value = list(action.value) if isinstance(action.value, tuple) else action.value
    return {"custom_fields": [{"id": int(number), "value": value}]}


def same(held: Value, wanted: Value) -> bool:
    """Whether a field holds the value; Zendesk gives the numbers of some field types as text."""
    return held == wanted or (None not in (held, wanted) and str(held) == str(wanted))


def gaps(account: Account, action: VendorAction) -> Iterator[str]:
    """What this action asks for and Zendesk, as this account is set up, cannot express."""
    if isinstance(action, ChangeTags):
        for tag in sorted(action.add):
            if not TAG.fullmatch(tag):
                yield f"tag {tag!r} is not added: Zendesk's tags are lower case, without spaces and commas"
    if isinstance(action, SetField) and action.field.removeprefix("custom.") not in field_ids(account):
        yield f"{action.field} is not set: the account's fields do not map it"


def merged(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One ticket body out of several; entries of lists come together."""
    whole: dict[str, Any] = {}
    for body in bodies:
        for name, value in body.items():
            whole[name] = [*whole.get(name, []), *value] if name in LISTS else value
    return whole


def comment(note: Note) -> dict[str, Any]:
    """A comment with `public` said: left out, Zendesk would take what the ticket last had."""
    return {"comment": {"body": note.body, "public": note.public}}


def send(line: Line, account: Account, write: Write, expects: str) -> Receipt:
    """PUT once, on the condition that the ticket still is at the revision `expects`."""
    stamped = {
        **write.request["ticket"],
        "safe_update": True,
        "updated_stamp": expects,
        "metadata": {SPACE: {"write": write.key}},
    }
    answer = line.put(place(write.ref), {"ticket": stamped})
    row = answer.body.get("ticket")
    if not isinstance(row, dict) or not row.get("updated_at"):
        raise OutcomeUnknown(f"Zendesk's answer to {write.key} has no ticket in it")
    audit = answer.body.get("audit")
    return receipt(
        account,
        write,
        audit if isinstance(audit, dict) and audit.get("id") is not None else {},
        revision=row["updated_at"],
        remarks=tuple(remarks(answer, row, stamped)),
    )


def find_written(line: Line, account: Account, write: Write) -> Receipt | None:
    """The receipt out of the audit that carries the write's mark, if one does."""
    pages = line.every(place(write.ref) + "/audits", "audits", {})
    for audit in (row for page in reversed(pages) for row in page.rows("audits")):
        if mark(audit) == write.key:
            with legible():
                return receipt(account, write, audit, revision=audit["created_at"], remarks=())
    return None


def receipt(
    account: Account, write: Write, audit: Row, *, revision: str, remarks: tuple[str, ...]
) -> Receipt:
    """What the audit proves. Events of triggers that ran inside it are not ours."""
    author = ident(audit.get("author_id")) or ""
    ours = Authors(bot=author, users={}, is_staff=lambda _: False)
    changed = changes_of(audit, ours, account) if audit else ()
    return Receipt(
        key=write.key,
        revision=revision,
        at=instant(audit.get("created_at")) or instant(revision) or 0,
        facts=(str(audit["id"]),) if audit else (),
        changed=tuple((each.field, each.before, each.after) for each in changed if each.act.who is Who.BOT),
        remarks=remarks,
    )


def remarks(answer: Answer, row: Row, asked: Mapping[str, Any]) -> Iterator[str]:
    """What Zendesk dropped or a trigger turned into something else at once."""
    if answer.warning:
        yield f"Zendesk warns: {answer.warning}"
    for name in LOOKED_AT:
        if name in asked and name in row and row[name] != asked[name]:
            yield f"{name} is {row[name]} after the write, not {asked[name]}; a trigger may have changed it"


def place(ref: TicketRef) -> str:
    """The path of a ticket below `/api/v2`."""
    return f"/tickets/{ref.id}"
