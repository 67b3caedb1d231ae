"""Actions as requests, in sending order: fields, then notes, then replies.

An update takes no note with it, so each is a write of its own. Fields go first: they are what Freshdesk may
refuse, and a note must not tell of a change that was refused. A reply goes last: nobody can take it back.
https://developers.freshdesk.com/api/#update_ticket
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapters.base import Account, Note, Prepared, VendorAction, Write
from adapters.freshdesk.form import Form, listed
from adapters.freshdesk.session import Row
from adapters.freshdesk.texts import marked, markup, same
from adapters.freshdesk.ticket import PRIORITIES, custom_fields, field_names
from policies.model import Ticket, Value
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

TAG = re.compile(r"[^,\"]{1,32}")
"""What Freshdesk keeps as one tag."""

CODES = {priority: code for code, priority in PRIORITIES.items()}
PLAIN = {"priority": "priority", "group_id": "group", "responder_id": "assignee"}
"""Freshdesk's fields by the common name of what they hold."""


def prepare(
    account: Account, form: Form, ticket: Ticket, actions: tuple[VendorAction, ...], key: str
) -> Prepared:
    """The fewest requests for these actions, without what already holds; gaps say what cannot be done. What the ticket
    hides is not written over, and no value is sent that the form does not take."""
    notes = [action for action in actions if isinstance(action, Note)]
    known = [each for each in actions if not hidden(ticket, each) and not is_no_choice(account, form, each)]
    wanted = [(action, part) for action in known if (part := change(account, ticket, action))]
    fields = merged(part for _, part in wanted)
    parts: list[tuple[dict[str, Any], tuple[VendorAction, ...]]] = []
    if fields:
        before = held_before(account, ticket, fields)
        parts.append(({**fields, "before": before}, tuple(action for action, _ in wanted)))
    for number, note in enumerate(sorted(notes, key=lambda each: each.public), start=len(parts) + 1):
        parts.append((said(ticket, note, f"{key}:{number}"), (note,)))
    writes = tuple(
        Write(key=f"{key}:{part}", ref=ticket.ref, expects=ticket.revision, intent=intent, request=request)
        for part, (request, intent) in enumerate(parts, start=1)
    )
    told = (gap for action in actions for gap in gaps(account, form, ticket, action))
    return Prepared(writes=writes, gaps=tuple(told))


def change(account: Account, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """One action's part of a request: `fields` to be set, `tags` to be added and removed. Empty if it holds,
    cannot be, or is a note."""
    match action:
        case Assign():
            return assignment(ticket, action)
        case RaisePriority():
            rank = ticket.priority.rank if ticket.priority else 0
            raised = {"fields": {"priority": CODES[action.at_least]}}
            return raised if rank < action.at_least.rank else {}
        case PutBackPriority():
            lowered = {"fields": {"priority": CODES[action.to]}}
            return {} if ticket.priority == action.to else lowered
        case ChangeTags():
            add, remove = keepable(action.add), sorted(action.remove)
            differs = set(with_tags(ticket.tags, add, remove)) != ticket.tags
            return {"tags": {"add": add, "remove": remove}} if differs else {}
        case SetField():
            return field(account, ticket, action)
        case Follow() | Note():
            return {}


def assignment(ticket: Ticket, action: Assign) -> dict[str, Any]:
    """Group and agent together: with one alone, the account's rules may choose the other.

    A person without a group is left to the group the ticket is in.
    """
    group = action.group and action.group.id
    agent = action.assignee and action.assignee.id
    if agent == (ticket.assignee and ticket.assignee.id) and group == (ticket.group and ticket.group.id):
        return {}
    whole = {"group_id": group and int(group), "responder_id": agent and int(agent)}
    return {"fields": {"responder_id": whole["responder_id"]} if agent and not group else whole}


def field(account: Account, ticket: Ticket, action: SetField) -> dict[str, Any]:
    """One mapped custom field. Freshdesk keeps the fields that are not named."""
    name = action.field.removeprefix("custom.")
    key = field_names(account).get(name)
    if key is None or alike(ticket.custom.get(name), action.value):
        return {}
    value = list(action.value) if isinstance(action.value, tuple) else action.value
    return {"fields": {"custom_fields": {key: value}}}


def alike(held: Any, wanted: Any) -> bool:
    """Whether a field holds the value; Freshdesk gives numbers of some field types as text."""
    return bool(held == wanted) or (None not in (held, wanted) and str(held) == str(wanted))


def said(ticket: Ticket, note: Note, key: str) -> dict[str, Any]:
    """A note, explicitly private and with the write's key in it; or a reply, which carries no mark, because
    customers get its HTML. `known` are messages with these very words, which are not this one."""
    known = [each.act.id for each in ticket.messages if same(each.body, note.body)]
    words: dict[str, Any] = {"text": note.body, "known": known}
    if note.public:
        return words | {"reply": {"body": markup(note.body)}}
    return words | {"note": {"body": marked(note.body, key), "private": True}}


def keepable(tags: Iterable[str]) -> list[str]:
    """The tags that Freshdesk keeps as they are."""
    return sorted(tag for tag in tags if TAG.fullmatch(tag) and tag == tag.strip())


def with_tags(held: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> list[str]:
    """The tags afterwards. Spelled in another case it is the same tag, and keeps its spelling."""
    gone = {tag.casefold() for tag in remove}
    kept = [tag for tag in held if tag.casefold() not in gone]
    known = {tag.casefold() for tag in kept}
    return [*kept, *(tag for tag in add if tag.casefold() not in known)]


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One request out of several parts: fields together, custom fields together, tags together."""
    fields: dict[str, Any] = {}
    tags: dict[str, list[str]] = {}
    for part in parts:
        custom = {**fields.get("custom_fields", {}), **part.get("fields", {}).get("custom_fields", {})}
        fields |= {**part.get("fields", {}), **({"custom_fields": custom} if custom else {})}
        for verb, names in part.get("tags", {}).items():
            tags[verb] = sorted({*tags.get(verb, ()), *names})
    return ({"fields": fields} if fields else {}) | ({"tags": tags} if tags else {})


def held_before(account: Account, ticket: Ticket, request: Row) -> dict[str, Any]:
    """What the fields of a request hold now, by common name."""
    held: dict[str, Value] = {
        "priority": ticket.priority,
        "group": ticket.group.id if ticket.group else None,
        "assignee": ticket.assignee.id if ticket.assignee else None,
        "tags": tuple(sorted(ticket.tags)),
    }
    held |= {f"custom.{name}": ticket.custom.get(name) for name in field_names(account)}
    return {
        name: list(value) if isinstance(value := held[name], tuple) else value
        for name in touched(account, request)
    }


def touched(account: Account, request: Row) -> list[str]:
    """The common names of the fields that a request sets."""
    fields = request.get("fields", {})
    names = [common for name, common in PLAIN.items() if name in fields]
    names += ["tags"] if "tags" in request else []
    by_key = {key: f"custom.{name}" for name, key in field_names(account).items()}
    return names + [by_key[key] for key in custom_fields(fields) if key in by_key]


def hidden(ticket: Ticket, action: VendorAction) -> str:
    """The field of the ticket that this action would write over without having seen it; empty if there is none. Of a
    group or an agent the id is enough."""
    fields: tuple[str, ...] = ()
    match action:
        case Assign():
            fields = ("group", "assignee")
        case RaisePriority() | PutBackPriority():
            fields = ("priority",)
        case ChangeTags():
            fields = ("tags",)
    return next((each for each in fields if each in ticket.hidden and not getattr(ticket, each)), "")


def is_no_choice(account: Account, form: Form, action: VendorAction) -> bool:
    """Whether this sets a value that is none of those the form takes, as far as the form tells them."""
    if not isinstance(action, SetField):
        return False
    choices = form.choices.get(field_names(account).get(action.field.removeprefix("custom."), ""))
    values = action.value if isinstance(action.value, tuple) else (action.value,)
    return choices is not None and any(each is not None and str(each) not in choices for each in values)


def gaps(account: Account, form: Form, ticket: Ticket, action: VendorAction) -> Iterator[str]:
    """What this action asks for and Freshdesk, as this account is set up, cannot express."""
    if name := hidden(ticket, action):
        yield f"{name} is not changed: Freshdesk does not show it on this ticket"
    if isinstance(action, SetField) and is_no_choice(account, form, action):
        taken = listed(form.choices[field_names(account)[action.field.removeprefix("custom.")]])
        yield f"{action.field} is not set to {action.value!r}: Freshdesk takes {taken}"
    if isinstance(action, ChangeTags):
        for tag in sorted(action.add - set(keepable(action.add))):
            yield f"tag {tag!r} is not added: Freshdesk's tags have up to 32 characters and no commas"
    if isinstance(action, SetField) and action.field.removeprefix("custom.") not in field_names(account):
        yield f"{action.field} is not set: the account's fields do not map it"
    if isinstance(action, Follow):
        yield f"{action.person.label} does not follow: Freshdesk lets nobody be added to a ticket's watchers"
