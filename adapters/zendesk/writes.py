"""Actions as PUT bodies, and Zendesk's answers to them as receipts.

One PUT carries one comment and, the first, everything else with it: each counts against 30 in ten minutes for
a user and a ticket. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#update-ticket
"""

import re
from collections.abc import Callable, Iterator, Mapping
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
from adapters.zendesk.client import Answer, Client
from adapters.zendesk.history import SPACE, changes_of, mark, read_changes, read_messages, said_in
from adapters.zendesk.people import AuthorClassifier, References
from adapters.zendesk.ticket import PRIORITIES, read_ticket
from policies.model import Change, Priority, Ticket, TicketRef, Value, Who
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

TAG = re.compile(r"[^\sA-Z,\"]{1,255}")
"""What Zendesk keeps as one tag. It would lower or split any other, and the end wanted would never hold."""

LISTS = ("custom_fields", "followers")
"""Keys whose lists name single entries; `tags` is different, a sent list replaces all tags."""

CUSTOM = "custom."
PRIORITY_FIELD = "priority"
ReferencesOf = Callable[[Answer], References]
Choices = Mapping[str, tuple[str, ...]]
"""The values a field takes, by its id, and `priority`; a field that takes any is not in it."""


def prepare_write(
    account: Account,
    ticket: Ticket,
    actions: tuple[VendorAction, ...],
    key: str,
    choices: Choices = MappingProxyType({}),
) -> Prepared:
    """The fewest PUTs for these actions, without what already holds; gaps say what Zendesk cannot do. A comment says
    whether it is `public`: left out, Zendesk would take what the ticket last had."""
    missing = {action: tuple(gaps(account, ticket, action, choices)) for action in actions}
    first: dict[str, Any] = {}
    done: list[VendorAction] = []
    for action in actions:
        wanted = action
        if isinstance(action, ChangeTags):  # without tags that Zendesk would not keep as they are
            wanted = replace(action, add=frozenset(tag for tag in action.add if TAG.fullmatch(tag)))
        elif missing[action]:
            continue
        body = change(account, ticket, wanted)
        for name, part in body.items():
            first[name] = [*first.get(name, []), *part] if name in LISTS else part
        done += [wanted] if body else []
    notes = [each for each in actions if isinstance(each, Note) and not missing[each]]
    bodies = [{"comment": {"body": note.body, "public": note.public}} for note in notes] or [{}]
    intents: list[tuple[VendorAction, ...]] = [(note,) for note in notes] or [()]
    bodies[0] = first | bodies[0]
    intents[0] = (*done, *intents[0])
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


def change(account: Account, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """The part of a ticket body that brings one action about; empty if it holds, cannot be, or is a note.

    Group and assignee go together: with one alone, Zendesk's settings decide what becomes of the other. A person
    without a group is left to Zendesk, which takes the person's default group. Zendesk keeps the custom fields that are
    not named.
    """
    match action:
        case Assign(group=group, assignee=assignee):
            if (assignee and assignee.id, group and group.id) == (
                ticket.assignee and ticket.assignee.id,
                ticket.group and ticket.group.id,
            ):
                return {}
            whole = {
                "group_id": int(group.id) if group else None,
                "assignee_id": int(assignee.id) if assignee else None,
            }
            return {"assignee_id": whole["assignee_id"]} if assignee and not group else whole
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
            name = action.field.removeprefix(CUSTOM)
            number = account.custom_fields().get(name)
            if number is None or same(ticket.custom.get(name), action.value):
                return {}
            value = list(action.value) if isinstance(action.value, tuple) else action.value
            return {"custom_fields": [{"id": int(number), "value": value}]}
        case Follow():
            return {"followers": [{"user_id": action.person.id, "action": "put"}]}
        case Note():
            return {}


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
        number = account.custom_fields().get(name)
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


def send(
    client: Client, account: Account, write: Write, expects: str, references_of: ReferencesOf
) -> Receipt:
    """PUT once, on the condition that the ticket still is at the revision `expects`. The answer shows the ticket and
    the audit of the write, triggers included."""
    stamped = {
        **write.request["ticket"],
        "safe_update": True,
        "updated_stamp": expects,
        "metadata": {SPACE: {"write": write.key}},
    }
    try:
        answer = client.put(f"/tickets/{write.ref.id}", {"ticket": stamped})
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
    made = receipt(account, write, known, revision=revision, row=row, remarks=warned)
    try:
        after = read_ticket(row, references_of(answer), read_at=answer.at)
        author = ident(known.get("author_id")) or ""
        ours = AuthorClassifier(bot=author, users={}, role_of=lambda _: None)
        said = said_in([known])
        spoken, changed = read_messages(said or (), ours), read_changes([known], ours, account)
    except (Odd, HelpdeskError):
        return made  # it is written, whatever can be learned of the ticket now
    return replace(made, after=after, acts=(*spoken, *changed), complete=said is not None)


def missing(client: Client, ref: TicketRef, error: Gone) -> HelpdeskError:
    """What a 404 to an update means: the ticket is gone if it cannot be read either. Some tickets read well and answer
    404 to every update; that is refused for good. https://github.com/facetoe/zenpy/issues/484"""
    try:
        row = client.get(f"/tickets/{ref.id}").body.get("ticket")
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
    pages = client.every(f"/tickets/{write.ref.id}/audits", "audits", {})
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
        shown = client.get(f"/tickets/{write.ref.id}").body.get("ticket")
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
    asked, shown = write.request["ticket"].get("priority"), row.get("priority")
    if asked and isinstance(shown, str) and shown in PRIORITIES and shown != asked:
        remarks = (
            *remarks,
            f"priority is {shown} after the write, not {asked}; a trigger may have changed it",
        )
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
        not_taken=tuple(not_taken(account, write, row, audit)),
        remarks=remarks,
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
                number = account.custom_fields()[name.removeprefix(CUSTOM)]
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
    parts: list[tuple[str, Value, Value]] = [
        (name, ident(asked[f"{name}_id"]), held(account, row, name))
        for name in ("group", "assignee")
        if f"{name}_id" in asked
    ]
    if "priority" in asked:
        found, floor = held(account, row, "priority"), PRIORITIES[asked["priority"]]
        lowered = any(isinstance(action, PutBackPriority) for action in write.intent)
        if lowered or not isinstance(found, Priority) or found.rank < floor.rank:
            parts.append(("priority", floor, found))
    if "tags" in asked and isinstance(stands := held(account, row, "tags"), tuple):
        changes = [action for action in write.intent if isinstance(action, ChangeTags)]
        added = {tag for action in changes for tag in action.add}
        removed = {tag for action in changes for tag in action.remove - action.add}
        lacking = (added or set(asked["tags"])) - set(stands)
        if lacking or removed & set(stands):
            parts.append(("tags", tuple(sorted((set(stands) | lacking) - removed)), stands))
    names = {key: name for name, key in account.custom_fields().items()}
    for entry in asked.get("custom_fields", ()):
        name, wanted = f"{CUSTOM}{names.get(str(entry['id']), '')}", value(entry["value"])
        found = held(account, row, name)
        parts += [(name, wanted, found)] if not same(found, wanted) else []
    followers = row.get("follower_ids")
    if isinstance(followers, list):
        there = {str(each) for each in followers}
        people = [str(entry["user_id"]) for entry in asked.get("followers", ())]
        parts += [("follow", person, None) for person in people if person not in there]
    for name, wanted, found in parts:
        if found not in (UNTOLD, wanted):
            yield NotTaken(field=name, wanted=wanted, found=found, why=UNDONE)
    if "comment" in asked and isinstance(audit.get("events"), list):
        kinds = {each.get("type") for each in audit["events"] if isinstance(each, dict)}
        if "Comment" not in kinds:
            name = "reply" if asked["comment"].get("public") else "note"
            yield NotTaken(
                field=name, wanted=True, found=None, why="Zendesk's audit of the write has no comment"
            )


UNDONE = "Zendesk dropped it, or a trigger or routing changed it at once"
