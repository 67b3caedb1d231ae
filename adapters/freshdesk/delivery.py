"""Writes on the wire, and what is found of them afterwards.

Freshdesk has no conditional write. So the ticket is read once more in front of each write; what somebody does
between that and the write, a moment later, is noticed in the answer and remarked, not prevented.
https://developers.freshdesk.com/api/#update_ticket, #add_note_to_a_ticket, #reply_ticket
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.base import Account, HelpdeskError, OutcomeUnknown, Receipt, Stale, TryLater, Write
from adapters.freshdesk.lookup import fetch, place
from adapters.freshdesk.people import ident
from adapters.freshdesk.session import Line, Row, legible
from adapters.freshdesk.texts import mark, plain, same
from adapters.freshdesk.ticket import custom_fields, instant, revision, tags, updated_in, values
from adapters.freshdesk.writes import alike, touched, with_tags

LOOKED_AT = ("status", "priority", "group_id", "responder_id")


def send(line: Line, account: Account, write: Write, expects: str) -> Receipt:
    """Read the ticket again, and write once if it still is at the revision `expects`."""
    row = fetch(line, write.ref, "stats").row()
    with legible():
        found = revision(row)
    if found != expects:
        raise Stale(f"{write.ref} has changed since it was decided on")
    if "note" in write.request:
        return say(line, write, expects, "/notes", write.request["note"])
    if "reply" in write.request:
        return say(line, write, expects, "/reply", write.request["reply"])
    return update(line, account, write, row)


def update(line: Line, account: Account, write: Write, row: Row) -> Receipt:
    """PUT the fields. Sent tags replace all tags, so ours are joined to those just read.

    The answer may leave keys out; those hold what was read or sent.
    """
    body = dict(write.request.get("fields", {}))
    if wanted := write.request.get("tags"):
        if not isinstance(row.get("tags"), list):
            raise TryLater(f"Freshdesk did not tell the tags of {write.ref}", 0)
        body["tags"] = with_tags(tags(row), wanted.get("add", ()), wanted.get("remove", ()))
    answer = line.put(place(write.ref), body)
    after = answer.body
    if not isinstance(after, dict) or instant(after.get("updated_at")) is None:
        raise OutcomeUnknown(f"Freshdesk's answer to {write.key} has no ticket in it")
    with legible(writing=True):
        return updated(account, write, row, body, after)


def updated(account: Account, write: Write, row: Row, sent: Row, after: Row) -> Receipt:
    """The receipt of an update. An update leaves no fact with an id.

    If another field changed beside it, the revision is the one before: the next write of the chain will not
    meet it, and is decided afresh.
    """
    whole = {**row, **sent, "custom_fields": {**custom_fields(row), **custom_fields(sent)}, **after}
    before, now = values(account, row), values(account, whole)
    names, beside = touched(account, write.request), tuple(collisions(row, after, sent))
    return Receipt(
        key=write.key,
        revision=revision(row if beside else whole),
        at=instant(after.get("updated_at")) or 0,
        changed=tuple((name, before[name], now[name]) for name in names if before[name] != now[name]),
        remarks=(*beside, *overruled(after, sent)),
    )


def collisions(row: Row, after: Row, sent: Row) -> Iterator[str]:
    """What somebody changed between our look and our write, as far as the answer shows it."""
    for name in LOOKED_AT:
        if name not in sent and name in after and after[name] != row.get(name):
            yield f"{name} changed from {row.get(name)} to {after[name]} in the moment of the write"


def overruled(after: Row, sent: Row) -> Iterator[str]:
    """What came out otherwise than we wrote it."""
    for name in LOOKED_AT:
        if name in sent and name in after and after[name] != sent[name]:
            yield f"{name} is {after[name]} after the write, not {sent[name]}; a rule may have changed it"
    if "tags" in sent and "tags" in after and folded(tags(after)) != folded(sent["tags"]):
        yield f"the tags are {', '.join(tags(after))} after the write, not {', '.join(sent['tags'])}"


def folded(names: list[str]) -> set[str]:
    """Tags without their case."""
    return {name.casefold() for name in names}


def say(line: Line, write: Write, expects: str, below: str, body: Row) -> Receipt:
    """POST a note or a reply."""
    answer = line.post(place(write.ref) + below, body)
    made = answer.body
    if not isinstance(made, dict) or made.get("id") is None:
        raise OutcomeUnknown(f"Freshdesk's answer to {write.key} has no conversation in it")
    return written(write, made, revision_after(line, write, expects))


def revision_after(line: Line, write: Write, expects: str) -> str:
    """The revision a note or reply left behind. If more than the time of the update is other than before, it
    was not our note alone: the next write of the chain is then made to miss it, and is decided afresh."""
    try:
        row = fetch(line, write.ref, "stats").row()
        with legible():
            found = revision(row)
    except HelpdeskError:
        return expects  # what was said is said, whatever can be learned of the ticket now
    noted = "note" in write.request and found.partition(".")[2] != expects.partition(".")[2]
    return expects if noted else found


def find_written(line: Line, account: Account, write: Write) -> Receipt | None:
    """Look for a note or reply among the conversations, for fields on the ticket. Raises Gone."""
    answer = fetch(line, write.ref, "stats")
    row = answer.row()
    if "note" not in write.request and "reply" not in write.request:
        with legible():
            return found_on(account, write, row) if holds(row, write.request) else None
    bot = ident(line.get("/agents/me").row().get("id"))
    for each in line.every(place(write.ref) + "/conversations"):
        with legible():
            if ident(each.get("user_id")) == bot and is_it(each, write):
                return written(write, each, revision(row))
    return None


def holds(row: Row, request: Row) -> bool:
    """Whether all that an update was to bring about is there."""
    fields = dict(request.get("fields", {}))
    custom = custom_fields(fields)
    fields.pop("custom_fields", None)
    held = custom_fields(row)
    wanted: Mapping[str, Any] = request.get("tags", {})
    tagged = with_tags(tags(row), wanted.get("add", ()), wanted.get("remove", ()))
    return (
        all(alike(row.get(name), value) for name, value in fields.items())
        and all(alike(held.get(name), value) for name, value in custom.items())
        and tagged == tags(row)
    )


def found_on(account: Account, write: Write, row: Row) -> Receipt:
    """The receipt of an update that holds; what was there before, the write remembers."""
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
