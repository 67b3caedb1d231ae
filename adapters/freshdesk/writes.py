"""Actions as requests, in sending order: fields, then notes, then replies; and what is found of them afterwards.

An update takes no note with it, so each is a write of its own. Fields go first: they are what Freshdesk may
refuse, and a note must not tell of a change that was refused. A reply goes last: nobody can take it back.
https://developers.freshdesk.com/api/#update_ticket

Freshdesk has no conditional write. So the ticket is read once more in front of each write but a private note right
behind a reading or an update, which writes nothing over; what somebody does between that and the write, a moment later,
is noticed in the answer and remarked, not prevented. What a write leaves behind is told by its answer, or follows from
it: nothing is read after it.
https://developers.freshdesk.com/api/#update_ticket, #add_note_to_a_ticket, #reply_ticket
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
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
    RefusedPart,
    Stale,
    TryLater,
    Unreadable,
    VendorAction,
    WontAccept,
    Write,
    held_by,
)
from adapters.freshdesk.answers import refused_fields
from adapters.freshdesk.client import Client, Row, fetch, legible
from adapters.freshdesk.form import Form, listed
from adapters.freshdesk.history import is_message, own_message
from adapters.freshdesk.people import References, ident
from adapters.freshdesk.ticket import (
    PRIORITIES,
    custom_fields,
    instant,
    mark,
    marked,
    markup,
    plain,
    read_ticket,
    revision,
    same,
    stats,
    tags,
    updated_in,
    values,
)
from adapters.http import UNREADABLE
from policies.model import Priority, Ticket
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

TAG = re.compile(r"[^,\"]{1,32}")
"""What Freshdesk keeps as one tag."""

ReferencesOf = Callable[[list[Row]], References]
CODES = {priority: code for code, priority in PRIORITIES.items()}
PLAIN = {"priority": "priority", "group_id": "group", "responder_id": "assignee"}
"""Freshdesk's fields by the common name of what they hold."""


def prepare_write(
    account: Account, form: Form, ticket: Ticket, actions: tuple[VendorAction, ...], key: str
) -> Prepared:
    """The fewest requests for these actions, without what already holds; gaps say what cannot be done. What the
    ticket hides is not written over, and no value is sent that the form does not take. `before` is what the fields of
    a request hold now, by common name."""
    known = [each for each in actions if not hidden(ticket, each) and not is_no_choice(account, form, each)]
    wanted = [(action, part) for action in known if (part := change(account, ticket, action))]
    fields: dict[str, Any] = {}
    tags: dict[str, list[str]] = {}
    for _, part in wanted:
        custom = {**fields.get("custom_fields", {}), **part.get("fields", {}).get("custom_fields", {})}
        fields |= {**part.get("fields", {}), **({"custom_fields": custom} if custom else {})}
        for verb, names in part.get("tags", {}).items():
            tags[verb] = sorted({*tags.get(verb, ()), *names})
    request = ({"fields": fields} if fields else {}) | ({"tags": tags} if tags else {})
    parts: list[tuple[dict[str, Any], tuple[VendorAction, ...]]] = []
    if request:
        before = held_by(ticket, touched(account, request))
        parts.append(({**request, "before": before}, tuple(action for action, _ in wanted)))
    notes = sorted((each for each in actions if isinstance(each, Note)), key=lambda each: each.public)
    for number, note in enumerate(notes, start=len(parts) + 1):
        parts.append((said(ticket, note, f"{key}:{number}"), (note,)))
    writes = tuple(
        Write(key=f"{key}:{part}", ref=ticket.ref, expects=ticket.revision, intent=intent, request=request)
        for part, (request, intent) in enumerate(parts, start=1)
    )
    told = (gap for action in actions for gap in gaps(account, form, ticket, action))
    return Prepared(writes=writes, gaps=tuple(told))


def change(account: Account, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """One action's part of a request: `fields` to be set, `tags` to be added and removed. Empty if it holds,
    cannot be, or is a note.

    Group and agent go together: with one alone, the account's rules may choose the other. A person without a group is
    left to the group the ticket is in. Freshdesk keeps the custom fields that are not named.
    """
    match action:
        case Assign():
            group, agent = action.group and action.group.id, action.assignee and action.assignee.id
            if (agent, group) == (ticket.assignee and ticket.assignee.id, ticket.group and ticket.group.id):
                return {}
            whole = {"group_id": group and int(group), "responder_id": agent and int(agent)}
            return {"fields": {"responder_id": whole["responder_id"]} if agent and not group else whole}
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
            name = action.field.removeprefix("custom.")
            key = account.custom_fields().get(name)
            if key is None or alike(ticket.custom.get(name), action.value):
                return {}
            value = list(action.value) if isinstance(action.value, tuple) else action.value
            return {"fields": {"custom_fields": {key: value}}}
        case Follow() | Note():
            return {}


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


def touched(account: Account, request: Row) -> list[str]:
    """The common names of the fields that a request sets."""
    fields = request.get("fields", {})
    names = [common for name, common in PLAIN.items() if name in fields]
    names += ["tags"] if "tags" in request else []
    by_key = {key: f"custom.{name}" for name, key in account.custom_fields().items()}
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
    choices = form.choices.get(account.custom_fields().get(action.field.removeprefix("custom."), ""))
    values = action.value if isinstance(action.value, tuple) else (action.value,)
    return choices is not None and any(each is not None and str(each) not in choices for each in values)


def gaps(account: Account, form: Form, ticket: Ticket, action: VendorAction) -> Iterator[str]:
    """What this action asks for and Freshdesk, as this account is set up, cannot express."""
    if name := hidden(ticket, action):
        yield f"{name} is not changed: Freshdesk does not show it on this ticket"
    if isinstance(action, SetField) and is_no_choice(account, form, action):
        taken = listed(form.choices[account.custom_fields()[action.field.removeprefix("custom.")]])
        yield f"{action.field} is not set to {action.value!r}: Freshdesk takes {taken}"
    if isinstance(action, ChangeTags):
        for tag in sorted(action.add - set(keepable(action.add))):
            yield f"tag {tag!r} is not added: Freshdesk's tags have up to 32 characters and no commas"
    if isinstance(action, SetField) and action.field.removeprefix("custom.") not in account.custom_fields():
        yield f"{action.field} is not set: the account's fields do not map it"
    if isinstance(action, Follow):
        yield f"{action.person.label} does not follow: Freshdesk lets nobody be added to a ticket's watchers"


LOOKED_AT = ("status", "priority", "group_id", "responder_id")


def send(
    client: Client,
    account: Account,
    write: Write,
    expects: str,
    references_of: ReferencesOf,
    *,
    fresh: bool = False,
) -> Receipt:
    """Read the ticket again, and write once if it still is at the revision `expects`."""
    if fresh and "note" in write.request:
        return say(client, write, expects, None)
    row = fetch(client, write.ref, "stats").row()
    with legible():
        found = revision(row)
    if not is_at(found, expects):
        raise Stale(f"{write.ref} has changed since it was decided on")
    if "note" in write.request or "reply" in write.request:
        return say(client, write, found, row)
    return update(client, account, write, row, references_of)


def is_at(found: str, expects: str) -> bool:
    """Whether a ticket is still at that revision. It may show an earlier second, as what was said last may not have
    moved it, but nothing else."""
    return updated_in(found) <= updated_in(expects) and found.partition(".")[2] == expects.partition(".")[2]


def update(client: Client, account: Account, write: Write, row: Row, references_of: ReferencesOf) -> Receipt:
    """PUT the fields. Sent tags replace all tags, so ours are joined to those just read. The answer may leave keys out;
    those hold what was read or sent. It may also tell what was sent where a rule of the account acts at once: that
    shows in the next reading."""
    body = dict(write.request.get("fields", {}))
    if wanted := write.request.get("tags"):
        if "tags" not in row:
            raise TryLater(f"Freshdesk did not tell the tags of {write.ref}", 0)
        with legible():
            body["tags"] = with_tags(tags(row), wanted.get("add", ()), wanted.get("remove", ()))
    try:
        answer = client.put(f"/tickets/{write.ref.id}", body)
    except Gone as error:
        raise refused_though_there(client, write, error) from error.__cause__
    except WontAccept as error:
        parts = refused_parts(account, write, refused_fields(error))
        raise WontAccept(str(error), parts) from error.__cause__
    after = answer.body
    if not isinstance(after, dict) or instant(after.get("updated_at")) is None:
        raise OutcomeUnknown(f"Freshdesk's answer to {write.key} has no ticket in it")
    with legible(writing=True):
        whole = {**row, **body, "custom_fields": {**custom_fields(row), **custom_fields(body)}, **after}
        made = updated(account, write, row, body, whole)
    if made.revision != revision(whole):  # somebody else was there: the ticket is to be read
        return made
    try:
        stands = read_ticket(whole, references_of([whole]), read_at=answer.at)
    except HelpdeskError:
        return made  # it is written, whatever can be learned of the ticket now
    except UNREADABLE:
        return made
    return replace(made, after=stands, complete=True)


def updated(account: Account, write: Write, row: Row, sent: Row, stands: Row) -> Receipt:
    """The receipt of an update. An update leaves no fact with an id.

    If something stands otherwise than it was read or sent, somebody else was there, a human perhaps: the revision is
    the one before, so that the next write of the chain will not meet it, and is decided afresh.
    """
    before, now = values(account, row), values(account, stands)
    names = touched(account, write.request)
    beside = [
        f"{name} changed from {row.get(name)} to {stands[name]} in the moment of the write"
        for name in LOOKED_AT
        if name not in sent and name in stands and stands[name] != row.get(name)
    ]
    lost = tuple(not_taken(account, write, row, sent, stands))
    remarks = list(beside)
    if "responder_id" in sent and sent["responder_id"] is None and stands.get("responder_id") is not None:
        remarks.append(f"Freshdesk gave the ticket to the agent {stands['responder_id']} of its group")
    return Receipt(
        key=write.key,
        revision=revision(row if beside or lost else stands),
        at=instant(stands.get("updated_at")) or 0,
        changed=tuple((name, before[name], now[name]) for name in names if before[name] != now[name]),
        not_taken=lost,
        remarks=tuple(remarks),
    )


def not_taken(account: Account, write: Write, row: Row, sent: Row, stands: Row) -> Iterator[NotTaken]:
    """What does not stand as we wrote it. A priority that is higher than the floor we asked for, an agent where we
    left the choice to the group, and tags that others added are none of it."""
    fields = {**row, **sent, "custom_fields": {**custom_fields(row), **custom_fields(sent)}}
    wanted, now = values(account, fields), values(account, stands)
    why = "a rule of the account may have changed it at once"
    floor = any(isinstance(each, RaisePriority) for each in write.intent)
    for name in touched(account, write.request):
        held = now[name]
        if name == "tags":
            asked: Mapping[str, Any] = write.request["tags"]
            spelled = tags(stands)
            there = set(with_tags(spelled, asked.get("add", ()), asked.get("remove", ()))) == set(spelled)
        elif name == "priority" and floor and isinstance(held, Priority):
            there = held.rank >= PRIORITIES[sent["priority"]].rank
        else:
            there = alike(held, wanted[name]) or (name == "assignee" and wanted[name] is None)
        if not there:
            yield NotTaken(field=name, wanted=wanted[name], found=held, why=why)


def refused_parts(account: Account, write: Write, said: Mapping[str, str]) -> tuple[RefusedPart, ...]:
    """What Freshdesk named as refused, in common names. A field that we did not send, such as a mandatory one that is
    empty on the ticket, refuses every field that we did."""
    ours = {**PLAIN, "tags": "tags"}
    for name, key in account.custom_fields().items():
        ours |= {key: f"custom.{name}", f"custom_fields.{key}": f"custom.{name}"}
    sent = touched(account, write.request)
    parts = [
        RefusedPart(field=ours[vendor_field], vendor_field=vendor_field, text=text)
        for vendor_field, text in said.items()
        if ours.get(vendor_field) in sent
    ]
    others = {vendor_field: text for vendor_field, text in said.items() if ours.get(vendor_field) not in sent}
    if others:
        named = {part.field for part in parts}
        text = "; ".join(f"no update is taken because of {name}: {why}" for name, why in others.items())
        parts += [
            RefusedPart(field=name, vendor_field=", ".join(others), text=text)
            for name in sent
            if name not in named
        ]
    return tuple(parts)


def refused_though_there(client: Client, write: Write, error: Gone) -> HelpdeskError:
    """The error behind a write that Freshdesk answers as if there were no such ticket, right after it showed it."""
    try:
        fetch(client, write.ref, "stats")
    except HelpdeskError:
        return error
    return WontAccept(f"{error}; but Freshdesk still shows the ticket, so it is this write that it refuses")


def say(client: Client, write: Write, expects: str, row: Row | None) -> Receipt:
    """POST a note or a reply. `row` is the ticket before it, where it was read for that. The answer is what was said
    alone; what it leaves of the ticket follows: its time, and behind a reply the stamp of the last."""
    public = "reply" in write.request
    below, body = ("/reply", write.request["reply"]) if public else ("/notes", write.request["note"])
    try:
        made = client.post(f"/tickets/{write.ref.id}{below}", body).body
    except Gone as error:
        raise refused_though_there(client, write, error) from error.__cause__
    if not isinstance(made, dict) or ident(made.get("id")) is None:
        raise OutcomeUnknown(f"Freshdesk's answer to {write.key} has no conversation in it")
    at = instant(made.get("created_at"))
    after = f"{at or updated_in(expects)}.{expects.partition('.')[2]}"
    if public and row is not None and at is not None:
        told = {**stats(row), "agent_responded_at": made["created_at"]}
        after = revision({**row, "updated_at": made["created_at"], "stats": told})
    receipt = written(write, made, after)
    if at is None:
        return receipt
    entry = {**made, "private": not public, "incoming": False}
    return replace(receipt, acts=(own_message(entry, at),), complete=True)


def find_written(client: Client, account: Account, write: Write) -> Receipt | None:
    """Look for a note or reply among the conversations, for fields on the ticket. Raises Gone."""
    answer = fetch(client, write.ref, "stats")
    row = answer.row()
    if "note" not in write.request and "reply" not in write.request:
        with legible():
            return found_on(account, write, row)
    bot = ident(client.get("/agents/me").row().get("id"))
    entries = client.every(f"/tickets/{write.ref.id}/conversations")
    for each in filter(is_message, entries):
        if ident(each["user_id"]) == bot and is_it(each, write):
            with legible():
                return written(write, each, revision(row))
    if not all(map(is_message, entries)):
        raise Unreadable(f"A message on {write.ref} cannot be read; {write.key} may be it")
    return None


def found_on(account: Account, write: Write, row: Row) -> Receipt | None:
    """The receipt of an update if all that it was to bring about is there; what was there before, the write
    remembers."""
    fields = dict(write.request.get("fields", {}))
    wanted, held = custom_fields(fields), custom_fields(row)
    fields.pop("custom_fields", None)
    asked: Mapping[str, Any] = write.request.get("tags", {})
    if not (
        all(alike(row.get(name), value) for name, value in fields.items())
        and all(alike(held.get(name), value) for name, value in wanted.items())
        and with_tags(tags(row), asked.get("add", ()), asked.get("remove", ())) == tags(row)
    ):
        return None
    now = values(account, row)
    said: Mapping[str, Any] = write.request.get("before", {})
    before = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return Receipt(
        key=write.key,
        revision=revision(row),
        at=instant(row.get("updated_at")) or 0,
        changed=tuple(
            (name, before[name], now[name]) for name in before if name in now and before[name] != now[name]
        ),
    )


def is_it(each: Row, write: Write) -> bool:
    """Whether a conversation of ours is this write. A mark decides where one is left; where Freshdesk has
    cleaned it away, the exact words do, unless they were there before or are older than the decision."""
    private = "note" in write.request
    if each.get("private") is not private or each.get("incoming") is True:
        return False
    if private and (found := mark(each.get("body"))) is not None:
        return found == write.key
    older = (instant(each.get("created_at")) or 0) < updated_in(write.expects)
    if older or str(each["id"]) in write.request.get("known", ()):
        return False
    return same(plain(each.get("body"), each.get("body_text")), str(write.request["text"]))


def written(write: Write, row: Row, after: str) -> Receipt:
    """The receipt of a note or a reply."""
    at = instant(row.get("created_at")) or updated_in(after)
    return Receipt(key=write.key, revision=after, at=at, facts=(str(row["id"]),))
