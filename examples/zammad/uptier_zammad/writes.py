"""Actions as requests: one update with all fields and the first note, one for each tag, one for each further text; and
what is found of them afterwards.

An update takes an article with it and is carried out as a whole, so a note never tells of a change that was refused.
A tag is added or removed by itself, so tags that others set stay. https://docs.zammad.org/en/latest/api/ticket/index.html,
https://docs.zammad.org/en/latest/api/ticket/tags.html

Zammad has no conditional write. So the ticket is read once more in front of each write; what somebody does between that
and the write, a moment later, is noticed in the answer and remarked, not prevented.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapters.base import (
    HelpdeskError,
    Note,
    NotTaken,
    OutcomeUnknown,
    Prepared,
    Receipt,
    RefusedPart,
    Stale,
    Unreadable,
    VendorAction,
    WontAccept,
    Write,
    held_by,
)
from adapters.http import UNREADABLE, reading
from policies.model import Priority, Ticket
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField
from uptier_zammad.client import Client, Row, fetch
from uptier_zammad.history import MARK, RELATIONS, entries, mark, ours, plain
from uptier_zammad.people import NOBODY, References, ident
from uptier_zammad.ticket import instant, moment, values

PLAIN = {f"{name}_id": common for name, common in RELATIONS.items()}
WATCHED = ("state_id", "priority_id", "group_id", "owner_id", "customer_id", "title")


def prepare(known: References, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
    """The fewest requests for these actions, without what already holds; gaps say what cannot be done."""
    gaps = tuple(gap for action in actions for gap in lacking(known, ticket, action))
    able = [action for action in actions if not any(lacking(known, ticket, action))]
    setting = [(action, found) for action in able if (found := fields(known, ticket, action))]
    notes = sorted((each for each in able if isinstance(each, Note)), key=lambda each: each.public)
    body = {name: value for _, found in setting for name, value in found.items()}
    parts: list[tuple[dict[str, Any], tuple[VendorAction, ...]]] = []
    if body or notes:
        first = [note for note in notes[:1] if not (body and note.public)]
        before = held_by(ticket, common_names(known, body))
        update = {"fields": body, "before": before} if body else {}
        texts = [article(ticket, note, f"{key}:1") for note in first]
        intent = (*(action for action, _ in setting), *first)
        parts.append((update | ({"article": texts[0]} if texts else {}), intent))
        notes = notes[len(first) :]
    tags = set(ticket.tags)
    for tag, add in tag_changes(ticket, able):
        change = ChangeTags(add=frozenset({tag})) if add else ChangeTags(remove=frozenset({tag}))
        parts.append(({"tag": tag, "add": add, "before": sorted(tags)}, (change,)))
        tags ^= {tag}
    for note in notes:
        parts.append(({"article": article(ticket, note, f"{key}:{len(parts) + 1}")}, (note,)))
    writes = (
        Write(key=f"{key}:{part}", ref=ticket.ref, expects=ticket.revision, intent=intent, request=request)
        for part, (request, intent) in enumerate(parts, start=1)
    )
    return Prepared(writes=tuple(writes), gaps=gaps)


def lacking(known: References, ticket: Ticket, action: VendorAction) -> Iterator[str]:
    """What this action asks for and Zammad, as it is set up, cannot express."""
    match action:
        case RaisePriority(at_least=wanted) | PutBackPriority(to=wanted):
            if "priority" in ticket.hidden:
                yield "the priority is not changed: what it counts as is not known; say so in `priorities`"
            elif known.priority_of(wanted) is None:
                yield f"no priority counts as {wanted}; say which under the account's `priorities`"
        case SetField(field=name):
            if name.removeprefix("custom.") not in known.account.custom_fields():
                yield f"{name} is not set: the account's fields do not map it"
        case Note(public=True):
            if ticket.requester is None or not ticket.requester.address:
                yield "nothing is sent to the customer, who has no address"
        case Follow(person=person):
            yield f"{person.label} does not follow: only an administrator's token can do that for others"


def fields(known: References, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """What an update sets for this action; empty if it holds, or is no matter of fields."""
    match action:
        case Assign(group=group, assignee=person):
            there, owner = ticket.group and ticket.group.id, ticket.assignee and ticket.assignee.id
            wanted, by = group.id if group else there, person and person.id
            if (wanted, by) == (there, owner):
                return {}
            return ({"group_id": int(wanted)} if wanted else {}) | {"owner_id": int(by or NOBODY)}
        case RaisePriority(at_least=priority):
            rank = ticket.priority.rank if ticket.priority else 0
            return {"priority_id": known.priority_of(priority)} if rank < priority.rank else {}
        case PutBackPriority(to=priority):
            return {} if ticket.priority is priority else {"priority_id": known.priority_of(priority)}
        case SetField(field=name, value=value):
            short = name.removeprefix("custom.")
            if ticket.custom.get(short) == value:
                return {}
            return {known.account.custom_fields()[short]: list(value) if isinstance(value, tuple) else value}
    return {}


def tag_changes(ticket: Ticket, actions: Iterable[VendorAction]) -> Iterator[tuple[str, bool]]:
    """Each tag to be added (True) or removed."""
    for action in actions:
        if isinstance(action, ChangeTags):
            yield from ((tag, True) for tag in sorted(action.add - ticket.tags))
            yield from ((tag, False) for tag in sorted(action.remove & ticket.tags))


def article(ticket: Ticket, note: Note, key: str) -> dict[str, Any]:
    """An internal note, or a mail to the customer, with the write's key where no reader sees it."""
    said = {"body": note.body, "content_type": "text/plain", "sender": "Agent", "preferences": {MARK: key}}
    if not note.public:
        return said | {"type": "note", "internal": True}
    return said | {"type": "email", "internal": False, "to": ticket.requester and ticket.requester.address}


def same(left: str, right: str) -> bool:
    """Whether two texts say the same, however they are broken into lines."""
    return "".join(left.split()) == "".join(right.split())


def common_names(known: References, body: Row) -> list[str]:
    """The common names of the fields that an update sets."""
    custom = {there: f"custom.{name}" for name, there in known.account.custom_fields().items()}
    return [PLAIN.get(name) or custom[name] for name in body]


def send(client: Client, known: References, write: Write, expects: str) -> Receipt:
    """Read the ticket again, and write once if it still is at the revision `expects`. Then what became of it is looked
    up: Zammad's history names our changes, by which they are known as ours later."""
    row = fetch(client, write.ref).row()
    if row.get("updated_at") != expects:
        raise Stale(f"{write.ref} has changed since it was decided on")
    if "tag" in write.request:
        way = ("POST", "/tags/add") if write.request["add"] else ("DELETE", "/tags/remove")
        body = {"object": "Ticket", "o_id": int(write.ref.id), "item": write.request["tag"]}
        client.write(*way, body)
    else:
        said = {"article": write.request["article"]} if "article" in write.request else {}
        body = {**write.request.get("fields", {}), **said}
        try:
            client.write("PUT", f"/tickets/{write.ref.id}", body)
        except WontAccept as error:
            raise WontAccept(str(error), refused(known, write, str(error))) from error.__cause__
    try:
        with reading("Zammad"):
            return receipt(client, known, write, row, fetch(client, write.ref).row(), expects)
    except HelpdeskError as error:
        raise OutcomeUnknown(f"{write.key} was taken, and what became of it is not known: {error}") from error


def refused(known: References, write: Write, text: str) -> tuple[RefusedPart, ...]:
    """All fields of an update that was refused: Zammad says only in words which it was. The note goes alone."""
    body: Row = write.request.get("fields", {})
    names = zip(body, common_names(known, body), strict=True)
    return tuple(RefusedPart(field=common, vendor_field=name, text=text) for name, common in names)


def receipt(client: Client, known: References, write: Write, row: Row, stands: Row, expects: str) -> Receipt:
    """The receipt of a write that was taken on `row`.

    If something stands otherwise than it was read or sent, somebody else was there, a human perhaps: the revision is
    the one before, so that the next write of the chain will not meet it, and is decided afresh.
    """
    told = list(ours(entries(client, write.ref.id), known.me, moment(expects)))
    body: Row = write.request.get("fields", {})
    beside = [
        f"{name} changed from {row.get(name)} to {stands.get(name)} in the moment of the write"
        for name in WATCHED
        if name not in body and stands.get(name) != row.get(name) and not opened(write, name)
    ]
    more = int(stands.get("article_count") or 0) - int(row.get("article_count") or 0)
    beside += ["somebody wrote in the moment of the write"] if more > ("article" in write.request) else []
    lost = tuple(not_taken(known, write, stands, told))
    said = [f"article-{each['o_id']}" for each in told if each.get("object") == "Ticket::Article"]
    return Receipt(
        key=write.key,
        revision=expects if beside or lost else str(stands["updated_at"]),
        at=instant(stands["updated_at"]),
        facts=(*(said if "article" in write.request else ()), *facts(write, told)),
        changed=changed(known, write, stands),
        not_taken=lost,
        remarks=tuple(beside),
    )


def opened(write: Write, name: str) -> bool:
    """Whether a change of state is the doing of our own reply, which opens a new ticket."""
    return name == "state_id" and write.request.get("article", {}).get("internal") is False


def facts(write: Write, told: Iterable[Row]) -> tuple[str, ...]:
    """Our entries in the history that this write made, by their ids there."""
    if "tag" in write.request:
        kind = "added" if write.request["add"] else "removed"
        wanted = (kind, "tag", write.request["tag"])
        found = [
            each for each in told if (each.get("type"), each.get("attribute"), each.get("value_to")) == wanted
        ]
        return tuple(f"history-{each['id']}" for each in found[-1:])
    names = {name.removesuffix("_id") for name in write.request.get("fields", {})}
    names |= {"state"} if opened(write, "state_id") else set()
    return tuple(
        f"history-{each['id']}"
        for each in told
        if each.get("object") == "Ticket" and each.get("attribute") in names
    )


def changed(known: References, write: Write, stands: Row) -> tuple[tuple[str, Any, Any], ...]:
    """What holds otherwise than before, by common names."""
    if "tag" in write.request:
        before = tuple(write.request["before"])
        return (("tags", before, tuple(sorted({*before} ^ {write.request["tag"]}))),)
    now = values(known, stands)
    said: Mapping[str, Any] = write.request.get("before", {})
    before_now = (
        (name, tuple(was) if isinstance(was, list) else was, now[name]) for name, was in said.items()
    )
    return tuple((name, revived(name, was), is_now) for name, was, is_now in before_now if was != is_now)


def revived(name: str, value: Any) -> Any:
    """A value that was kept as JSON, as it was."""
    return Priority(value) if name == "priority" and value is not None else value


def not_taken(known: References, write: Write, stands: Row, told: Iterable[Row]) -> Iterator[NotTaken]:
    """What does not stand as we wrote it."""
    why = "a trigger or a rule of the account may have changed it at once"
    if "tag" in write.request:
        if not facts(write, told):
            wanted = changed(known, write, stands)[0]
            yield NotTaken(
                field="tags", wanted=wanted[2], found=wanted[1], why="Zammad's history does not tell of it"
            )
        return
    body: Row = write.request.get("fields", {})
    wanted_now, now = values(known, {**stands, **body}), values(known, stands)
    for name in common_names(known, body):
        if now[name] != wanted_now[name]:
            yield NotTaken(field=name, wanted=wanted_now[name], found=now[name], why=why)


def find_written(client: Client, known: References, write: Write) -> Receipt | None:
    """Look for the article, else for the tag, else for the fields. Raises Gone."""
    row = fetch(client, write.ref).row()
    number = write.ref.id
    said: tuple[str, ...] = ()
    if "article" in write.request:
        articles = client.get(f"/ticket_articles/by_ticket/{number}").rows()
        try:
            said = tuple(f"article-{each['id']}" for each in articles if is_it(each, write, known.me))[:1]
        except UNREADABLE as error:
            raise Unreadable(f"an article of {write.ref} cannot be read; {write.key} may be it") from error
        found = bool(said)
    elif "tag" in write.request:
        tags = client.get("/tags", object="Ticket", o_id=number).row().get("tags", ())
        found = (write.request["tag"] in tags) is write.request["add"]
    else:
        found = all(row.get(name) == value for name, value in write.request["fields"].items())
    if not found:
        return None
    told = list(ours(entries(client, number), known.me, moment(write.expects)))
    return Receipt(
        key=write.key,
        revision=str(row["updated_at"]),
        at=instant(row["updated_at"]),
        facts=(*said, *facts(write, told)),
        changed=changed(known, write, row),
    )


def is_it(each: Row, write: Write, me: str) -> bool:
    """Whether an article is this write: by our mark, else by its very words if it is newer than the decision."""
    wanted: Row = write.request["article"]
    if ident(each["created_by_id"]) != me or each["internal"] is not wanted["internal"]:
        return False
    if (found := mark(each)) is not None:
        return found == write.key
    new = moment(each["created_at"]) > moment(write.expects)
    return new and same(plain(each), str(wanted["body"]))
