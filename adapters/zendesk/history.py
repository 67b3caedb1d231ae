"""Comments and audits as messages, changes and counts, in Zendesk's order.

Audit ids grow within a ticket and a comment names its audit, so the audit's id orders both, and is the name
under which a receipt knows our own acts. https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/
"""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.base import Account
from adapters.zendesk.people import SYSTEM, Authors, Row, by_rule, ident
from adapters.zendesk.ticket import PRIORITIES, STATUSES, field_ids, instant, value
from policies.counts import is_reopening, moves_of
from policies.model import Act, Change, Counts, Message, Value, Who

NAMES = {
    "status": "status",
    "priority": "priority",
    "group_id": "group",
    "assignee_id": "assignee",
    "tags": "tags",
}
SPACE = "uptier"
"""Our name in `metadata.custom`, the place no reader of the ticket sees."""


def mark(row: Row) -> str | None:
    """The key of our write in an audit's or a comment's metadata, if it is there."""
    found: Any = row
    for step in ("metadata", "custom", SPACE, "write"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def act(row: Row, key: Any, who: Who) -> Act:
    """The act behind a comment or an audit; `key` is the audit's id."""
    author = ident(row.get("author_id"))
    return Act(
        sequence=int(key),
        id=str(key),
        at=instant(row.get("created_at")) or 0,
        who=who,
        person=None if author == SYSTEM else author,
        mark=mark(row) if who is Who.BOT else None,
    )


def messages(comments: Iterable[Row], authors: Authors) -> tuple[Message, ...]:
    """All comments, oldest first. Only what a trigger or automation sent counts as an auto-reply."""
    made = (message(row, authors) for row in comments)
    return tuple(sorted(made, key=lambda each: each.act.sequence))


def message(row: Row, authors: Authors) -> Message:
    """One comment. Without `public` it counts as internal, which answers nobody."""
    via = row.get("via")
    who = authors.wrote(row.get("author_id"), via)
    return Message(
        act=act(row, row.get("audit_id") or row["id"], who),
        public=row.get("public") is True,
        body=row.get("plain_body") or row.get("body") or "",
        auto_reply=by_rule(via),
    )


def changes(audits: Iterable[Row], authors: Authors, account: Account) -> tuple[Change, ...]:
    """What the audits changed, oldest first; within one audit in its own order."""
    ordered = sorted(audits, key=lambda audit: int(audit["id"]))
    return tuple(change for audit in ordered for change in changes_of(audit, authors, account))


def changes_of(audit: Row, authors: Authors, account: Account) -> Iterator[Change]:
    """The field changes of one audit. An event has its own `via` only where it differs."""
    names = NAMES | {key: f"custom.{name}" for name, key in field_ids(account).items()}
    for event in audit.get("events") or ():
        name = names.get(str(event.get("field_name")))
        if name is None or event.get("type") not in ("Create", "Change"):
            continue
        who = authors.changed(audit.get("author_id"), event.get("via") or audit.get("via"))
        yield Change(
            act=act(audit, audit["id"], who),
            field=name,
            before=common(name, event.get("previous_value")),
            after=common(name, event.get("value")),
        )


def common(name: str, raw: Any) -> Value:
    """An audit's value, which is text even for ids, as the common one."""
    if name == "status":
        return STATUSES.get(str(raw)) or ident(raw)
    if name == "priority":
        return PRIORITIES.get(str(raw))
    if name == "tags":
        return tuple(sorted(raw.split() if isinstance(raw, str) else raw or ()))
    return value(raw) if name.startswith("custom.") else ident(raw)


def counts(audits: Iterable[Row], authors: Authors, account: Account, requester: str | None) -> Counts:
    """What people did (rule 5). Zendesk's own counters include triggers and us, so they are not asked."""
    ordered = sorted(audits, key=lambda audit: int(audit["id"]))
    changed = [change for audit in ordered for change in changes_of(audit, authors, account)]
    reassignments, bounces = moves_of(changed, "assignee")
    group_moves, group_bounces = moves_of(changed, "group")
    return Counts(
        replies=sum(replies_in(audit, authors, requester) for audit in ordered[1:]),
        reopens=sum(map(is_reopening, changed)),
        reassignments=reassignments,
        bounces=bounces,
        group_moves=group_moves,
        group_bounces=group_bounces,
    )


def replies_in(audit: Row, authors: Authors, requester: str | None) -> int:
    """How many public comments of one audit an agent wrote who is not the requester."""
    spoken = [event for event in audit.get("events") or () if event.get("type") == "Comment"]
    public = [{**audit, **event} for event in spoken if event.get("public") is True]
    return sum(
        ident(comment.get("author_id")) != requester
        and authors.wrote(comment.get("author_id"), comment.get("via")) is Who.AGENT
        for comment in public
    )
