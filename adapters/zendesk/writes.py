"""Actions as PUT bodies, and Zendesk's answers to them as receipts.

One PUT carries one comment and, the first, everything else with it: each counts against 30 in ten minutes for
a user and a ticket. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#update-ticket
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from adapters.base import (
    Account,
    Gone,
    HelpdeskError,
    Note,
    NotTaken,
    OutcomeUnknown,
    Prepared,
    Receipt,
    Unreadable,
    VendorAction,
    WontAccept,
    Write,
)
from adapters.zendesk.answers import Odd, Row, ident, instant, key_of, named, text, texts, value
from adapters.zendesk.client import Client
from adapters.zendesk.history import SPACE, changes_of, mark
from adapters.zendesk.people import AuthorClassifier
from adapters.zendesk.ticket import PRIORITIES, field_ids
from policies.model import Change, Priority, Ticket, TicketRef, Value, Who
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

TAG = re.compile(r"[^\sA-Z,\"]{1,255}")
"""What Zendesk keeps as one tag. It would lower or split any other, and the end wanted would never hold."""

LISTS = ("custom_fields", "followers")
"""Keys whose lists name single entries; `tags` is different, a sent list replaces all tags."""

CUSTOM = "custom."
PRIORITY_FIELD = "priority"
Choices = Mapping[str, tuple[str, ...]]
"""The values a field takes, by its id, and `priority`; a field that takes any is not in it."""


def prepare(
    account: Account,
    ticket: Ticket,
    actions: tuple[VendorAction, ...],
    key: str,
    choices: Choices = MappingProxyType({}),
) -> Prepared:
    """The fewest PUTs for these actions, without what already holds; gaps say what Zendesk cannot do."""
    missing = {action: tuple(gaps(account, ticket, action, choices)) for action in actions}
    possible = [within(action) for action in actions if isinstance(action, ChangeTags) or not missing[action]]
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
    return Prepared(writes=writes, gaps=tuple(gap for action in actions for gap in missing[action]))


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
        case ChangeTags() if "tags" in ticket.hidden:
            return {}
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
    name = action.field.removeprefix(CUSTOM)
    number = field_ids(account).get(name)
    if number is None or same(ticket.custom.get(name), action.value):
        return {}
    value = list(action.value) if isinstance(action.value, tuple) else action.value
    return {"custom_fields": [{"id": int(number), "value": value}]}


def same(held: Value, wanted: Value) -> bool:
    """Whether a field holds the value; Zendesk gives the numbers and ticks of some field types as text, and the values
    of a multi-select in its own order."""
    return held == wanted or (None not in (held, wanted) and plain(held) == plain(wanted))


def plain(held: Value) -> str | list[str]:
    """A value as an audit writes it."""
    if isinstance(held, tuple):
        return sorted(held)
    return str(held).lower() if isinstance(held, bool) else str(held)


def gaps(account: Account, ticket: Ticket, action: VendorAction, choices: Choices) -> Iterator[str]:
    """What this action asks for and Zendesk, as this account is set up, cannot express."""
    if isinstance(action, ChangeTags):
        if "tags" in ticket.hidden:
            yield "tags are not changed: Zendesk does not show the ticket's tags, and a list sent replaces them all"
        for tag in sorted(action.add):
            if not TAG.fullmatch(tag):
                yield f"tag {tag!r} is not added: Zendesk's tags are lower case, without spaces and commas"
    if isinstance(action, SetField):
        name = action.field.removeprefix(CUSTOM)
        number = field_ids(account).get(name)
        if number is None or not number.isdigit():
            yield f"{action.field} is not set: the account's fields do not map it"
        elif unknown := strange(action.value, choices.get(number)):
            yield f"{action.field} is not set: Zendesk has no value {unknown!r} for it. It has {some(choices[number])}"
    if isinstance(action, RaisePriority | PutBackPriority):
        to = action.at_least if isinstance(action, RaisePriority) else action.to
        if strange(to.value, choices.get(PRIORITY_FIELD)):
            yield f"priority is not set: this account has no {to.value}. It has {some(choices[PRIORITY_FIELD])}"


def strange(wanted: Value, known: tuple[str, ...] | None) -> str | None:
    """The first wanted value that is not among those known; None where all are, or any is taken."""
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    said = [str(plain(each)) for each in values if each is not None]
    return next((each for each in said if known is not None and each not in known), None)


def some(values: tuple[str, ...]) -> str:
    """The first of the values, for a sentence."""
    return ", ".join(values[:20]) + (", …" if len(values) > 20 else "")


def merged(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One ticket body out of several; entries of lists come together."""
    whole: dict[str, Any] = {}
    for body in bodies:
        for name, part in body.items():
            whole[name] = [*whole.get(name, []), *part] if name in LISTS else part
    return whole


def comment(note: Note) -> dict[str, Any]:
    """A comment with `public` said: left out, Zendesk would take what the ticket last had."""
    return {"comment": {"body": note.body, "public": note.public}}


def send(client: Client, account: Account, write: Write, expects: str) -> Receipt:
    """PUT once, on the condition that the ticket still is at the revision `expects`."""
    stamped = {
        **write.request["ticket"],
        "safe_update": True,
        "updated_stamp": expects,
        "metadata": {SPACE: {"write": write.key}},
    }
    try:
        answer = client.put(place(write.ref), {"ticket": stamped})
    except Gone as error:
        raise missing(client, write.ref, error) from error
    except WontAccept as error:
        raise as_written(error, write) from error
    row = answer.body.get("ticket")
    revision = row.get("updated_at") if isinstance(row, dict) else None
    if not isinstance(row, dict) or instant(revision) is None or not isinstance(revision, str):
        raise OutcomeUnknown(f"Zendesk's answer to {write.key} has no ticket in it")
    audit = answer.body.get("audit")
    known = audit if isinstance(audit, dict) and named(audit) else {}
    warned = (f"Zendesk warns: {answer.warning}",) if answer.warning else ()
    return receipt(account, write, known, revision=revision, row=row, remarks=warned)


def missing(client: Client, ref: TicketRef, error: Gone) -> HelpdeskError:
    """What a 404 to an update means: the ticket is gone if it cannot be read either. Some tickets read well and answer
    404 to every update; that is refused for good. https://github.com/facetoe/zenpy/issues/484"""
    try:
        row = client.get(place(ref)).body.get("ticket")
    except Gone:
        return error
    if isinstance(row, dict) and row.get("status") == "deleted":
        return error
    return WontAccept(f"{error}; but the ticket can be read. Look at it in Zendesk, and change it there")


def as_written(error: WontAccept, write: Write) -> WontAccept:
    """The refusal, with a refused comment called what it is in this write."""
    name = "reply" if write.request["ticket"].get("comment", {}).get("public") else "note"
    parts = tuple(replace(part, field=name) if part.field == "note" else part for part in error.parts)
    return WontAccept(str(error), parts)


def find_written(client: Client, account: Account, write: Write) -> Receipt | None:
    """The receipt out of the audit that carries the write's mark, if one does. Raises Unreadable where an audit that
    may be ours cannot be read: then it is not known whether the write is there."""
    pages = client.every(place(write.ref) + "/audits", "audits", {})
    audits = [row for page in pages for row in page.rows("audits")]
    found = next((row for row in audits if isinstance(row, dict) and mark(row) == write.key), None)
    if found is None:
        if not all(
            isinstance(row, dict) and isinstance(row.get("metadata", 0), dict | None) for row in audits
        ):
            raise Unreadable(
                f"an audit of {write.ref} cannot be read; whether {write.key} is there is not known"
            )
        return None
    if instant(found.get("created_at")) is None or not named(found):
        raise Unreadable(f"the audit of {write.key} cannot be read")
    newest = max((int(named(row)) for row in audits if named(row)), default=0)
    row: Row = {}
    if (
        int(named(found)) == newest
    ):  # nobody has changed the ticket since, so it shows what became of the write
        shown = client.get(place(write.ref)).body.get("ticket")
        row = shown if isinstance(shown, dict) and shown.get("updated_at") == found["created_at"] else {}
    return receipt(account, write, found, revision=found["created_at"], row=row, remarks=())


def receipt(
    account: Account, write: Write, audit: Row, *, revision: str, row: Row, remarks: tuple[str, ...]
) -> Receipt:
    """What the audit and the ticket after it prove; `row` is empty where the ticket is not known to be as the write
    left it. Events of triggers that ran inside the audit are not ours, and a change that they undid is none."""
    changed: tuple[Change, ...] = ()
    try:
        author = ident(audit.get("author_id")) or ""
        ours = AuthorClassifier(bot=author, users={}, role_of=lambda _: None)
        changed = tuple(changes_of(audit, ours, account)) if audit else ()
    except Odd as error:
        remarks = (*remarks, f"Zendesk's audit of this write cannot be read: {error}")
    stands = {name: held(account, row, name) for name in {each.field for each in changed}}
    lost = tuple(not_taken(account, write, row, audit))
    return Receipt(
        key=write.key,
        revision=revision,
        at=instant(audit.get("created_at")) or instant(revision) or 0,
        facts=(key_of(audit),) if audit else (),
        changed=tuple(
            (each.field, each.before, each.after)
            for each in changed
            if each.act.who is Who.BOT
            and (stands[each.field] == UNTOLD or same(stands[each.field], each.after))
        ),
        not_taken=lost,
        remarks=(*remarks, *raised_further(write, row)),
    )


UNTOLD = "\0untold"
"""What stands in a field that the ticket's row does not show."""


def held(account: Account, row: Row, name: str) -> Value:
    """What a row holds in a common field, as a change has it; UNTOLD where it does not show it."""
    try:
        match name:
            case "group" | "assignee":
                return ident(row[f"{name}_id"])
            case "priority":
                return PRIORITIES.get(text(row, "priority")) if row["priority"] is not None else None
            case "tags" if isinstance(row["tags"], list):
                return tuple(sorted(texts(row, "tags")))
            case _ if name.startswith(CUSTOM):
                number = field_ids(account)[name.removeprefix(CUSTOM)]
                return next(
                    value(each["value"]) for each in row["custom_fields"] if str(each["id"]) == number
                )
    except (Odd, LookupError, TypeError, StopIteration):
        pass
    return UNTOLD


def not_taken(account: Account, write: Write, row: Row, audit: Row) -> Iterator[NotTaken]:
    """What Zendesk, or a trigger or its routing, made at once of the write: each wanted part that does not stand in
    the ticket afterwards. What the ticket does not show is not said."""
    asked = write.request["ticket"]
    for name in ("group", "assignee"):
        if f"{name}_id" in asked:
            yield from differs(name, ident(asked[f"{name}_id"]), held(account, row, name))
    if "priority" in asked:
        found, wanted = held(account, row, "priority"), PRIORITIES[asked["priority"]]
        lowered = any(isinstance(action, PutBackPriority) for action in write.intent)
        if lowered or not isinstance(found, Priority) or found.rank < wanted.rank:
            yield from differs("priority", wanted, found)
    if "tags" in asked:
        yield from tags_not_taken(write, held(account, row, "tags"))
    names = {key: name for name, key in field_ids(account).items()}
    for entry in asked.get("custom_fields", ()):
        name = f"{CUSTOM}{names.get(str(entry['id']), '')}"
        found = held(account, row, name)
        if found != UNTOLD and not same(found, value(entry["value"])):
            yield NotTaken(field=name, wanted=value(entry["value"]), found=found, why=UNDONE)
    yield from followers_not_taken(asked, row)
    if "comment" in asked and isinstance(audit.get("events"), list):
        kinds = {each.get("type") for each in audit["events"] if isinstance(each, dict)}
        if "Comment" not in kinds:
            name = "reply" if asked["comment"].get("public") else "note"
            yield NotTaken(
                field=name, wanted=True, found=None, why="Zendesk's audit of the write has no comment"
            )


UNDONE = "Zendesk dropped it, or a trigger or routing changed it at once"


def differs(name: str, wanted: Value, found: Value) -> Iterator[NotTaken]:
    """The part, if something else stands there."""
    if found not in (UNTOLD, wanted):
        yield NotTaken(field=name, wanted=wanted, found=found, why=UNDONE)


def tags_not_taken(write: Write, found: Value) -> Iterator[NotTaken]:
    """Tags that were to be added and are not there, or to be taken away and still are."""
    if not isinstance(found, tuple):
        return
    added = {tag for action in write.intent if isinstance(action, ChangeTags) for tag in action.add}
    removed = {
        tag for action in write.intent if isinstance(action, ChangeTags) for tag in action.remove - action.add
    }
    lacking = (added or set(write.request["ticket"]["tags"])) - set(found)
    if lacking or removed & set(found):
        wanted = tuple(sorted((set(found) | lacking) - removed))
        yield NotTaken(field="tags", wanted=wanted, found=found, why=UNDONE)


def followers_not_taken(asked: Mapping[str, Any], row: Row) -> Iterator[NotTaken]:
    """Followers that were to be added and are not there."""
    present = row.get("follower_ids")
    if not isinstance(present, list):
        return
    there = {str(each) for each in present}
    for entry in asked.get("followers", ()):
        if str(entry["user_id"]) not in there:
            yield NotTaken(field="follow", wanted=str(entry["user_id"]), found=None, why=UNDONE)


def raised_further(write: Write, row: Row) -> Iterator[str]:
    """Said where a trigger raised the priority above the one that was wanted."""
    wanted, found = write.request["ticket"].get("priority"), row.get("priority")
    if wanted and isinstance(found, str) and found in PRIORITIES and found != wanted:
        yield f"priority is {found} after the write, not {wanted}; a trigger may have changed it"


def place(ref: TicketRef) -> str:
    """The path of a ticket below `/api/v2`."""
    return f"/tickets/{ref.id}"
