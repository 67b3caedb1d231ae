"""Conversations as messages, what `stats` remembers of the status as changes, and how the customer rated the ticket.

Freshdesk tells no history of a ticket's fields, and nobody who changed one. Everything here carries a stamp
only, so the stamp orders all of it, and Freshdesk's own order what fell into one second.
https://developers.freshdesk.com/api/#list_all_ticket_notes

Two scales are met: -103 to 103, 100 in the middle, and on older surveys 1 (happy), 2 and 3 (unhappy).
https://developers.freshdesk.com/api/#satisfaction-ratings
"""

from collections.abc import Iterable
from typing import Any

from adapters.base import AccessLost, HelpdeskError
from adapters.freshdesk.answers import code
from adapters.freshdesk.client import Client, Row
from adapters.freshdesk.people import References, ident
from adapters.freshdesk.ticket import (
    OUTBOUND,
    OVER,
    Exchange,
    instant,
    is_told,
    mark,
    meaning,
    number,
    plain,
    same,
    stats,
)
from adapters.http import status_behind
from policies.model import Act, Change, Counts, Instant, Message, Satisfaction, Status, Ticket, Value, Who

SURVEY = 6  # a conversation's source: a rating, which asks nobody for an answer
WITHIN_A_SECOND = 1000
"""How many facts of one second keep their order. A change of status comes after all messages of its second."""


ENTERED = {
    "reopened_at": Status.OPEN,
    "pending_since": Status.PENDING,
    "resolved_at": Status.SOLVED,
    "closed_at": Status.CLOSED,
}
"""What `stats` remembers of the status beside its last change."""


def is_whole(row: Row, conversations: Iterable[Any]) -> bool:
    """Whether all that was said can be read, the description with its time and its author included. If not, what can be
    read would tell of somebody who waits, or who was answered, what is not so."""
    opening = {"description", "description_text"} & row.keys() and {"requester_id", "source"} <= row.keys()
    return (
        bool(opening) and instant(row.get("created_at")) is not None and all(map(is_message, conversations))
    )


def is_message(each: Any) -> bool:
    """Whether a conversation has all that tells who said it to whom, and when."""
    return (
        isinstance(each, dict)
        and ident(each.get("id")) is not None
        and instant(each.get("created_at")) is not None
        and isinstance(each.get("private"), bool)
        and isinstance(each.get("incoming"), bool)
        and "user_id" in each
        and (each["user_id"] is None or ident(each["user_id"]) is not None)
        and all(isinstance(each.get(name), str | None) for name in ("body", "body_text"))
        and ("body" in each or "body_text" in each)
        and (each.get("automation_id") is None or ident(each["automation_id"]) is not None)
        and all(isinstance(each.get(name), bool | None) for name in ("auto_response", "deleted"))
        and isinstance(each.get("source"), int | None)
    )


def read_messages(row: Row, conversations: Iterable[Any], bot: str) -> tuple[Message, ...]:
    """The ticket's description, which is no conversation, and all that was said since, oldest first, without
    what cannot be read.

    Who typed the description is not told: the requester, as far as we know. `incoming` is Freshdesk's word for "not
    from us". A rating is kept but asks nobody for an answer, so it is not public.
    """
    said = [each for each in conversations if is_message(each) and each.get("deleted") is not True]
    said.sort(key=lambda each: instant(each.get("created_at")) or 0)
    made: list[Message] = []
    created, body = instant(row.get("created_at")), plain(row.get("description"), row.get("description_text"))
    if created is not None and (body or row.get("description") is not None) and not is_repeated(row, said):
        outbound = number(row.get("source")) == OUTBOUND
        act = Act(
            sequence=created * WITHIN_A_SECOND,
            id=f"ticket-{row['id']}",
            at=created,
            who=Who.AGENT if outbound else Who.CUSTOMER,
            person=None if outbound else ident(row.get("requester_id")),
        )
        made.append(Message(act=act, public=True, body=body))
    ranks: dict[Instant, int] = {each.act.at: 1 for each in made}
    for each in said:
        at = instant(each.get("created_at")) or 0
        rank = ranks.get(at, 0)
        ranks[at] = rank + 1
        made.append(message(each, at, at * WITHIN_A_SECOND + min(rank, WITHIN_A_SECOND - 2), bot))
    return tuple(made)


def message(each: Row, at: Instant, sequence: int, bot: str | None) -> Message:
    """One conversation."""
    author, incoming = ident(each.get("user_id")), each.get("incoming") is True
    who = Who.BOT if author == bot else Who.CUSTOMER if incoming else Who.AGENT
    if each.get("automation_id") is not None or (author is None and not incoming):
        who = Who.AUTOMATION
    act = Act(
        sequence=sequence,
        id=str(each["id"]),
        at=at,
        who=who,
        person=author,
        mark=mark(each.get("body")) if who is Who.BOT else None,
    )
    return Message(
        act=act,
        public=each.get("private") is False and each.get("source") != SURVEY,
        body=plain(each.get("body"), each.get("body_text")),
        auto_reply=each.get("automation_id") is not None or each.get("auto_response") is True,
    )


def own_message(each: Row, at: Instant) -> Message:
    """What we have just said, in front of all else of its second: nothing of that second is taken for older."""
    return message(each, at, at * WITHIN_A_SECOND - 1, ident(each.get("user_id")))


def is_repeated(row: Row, said: list[Row]) -> bool:
    """Whether the first conversation is the description once more, as on tickets out of a web chat."""
    if not said or said[0].get("incoming") is not True:
        return False
    soon = (instant(said[0].get("created_at")) or 0) - (instant(row.get("created_at")) or 0) <= 1
    first = plain(said[0].get("body"), said[0].get("body_text"))
    return soon and same(first, plain(row.get("description"), row.get("description_text")))


def exchange(conversations: Iterable[Any]) -> Exchange | None:
    """When somebody outside asked and an agent answered, ratings and what machines sent aside; None where not all of it
    can be read."""
    asked, answered = list[Instant](), list[Instant]()
    for each in conversations:
        if not is_message(each):
            return None
        machine = each.get("automation_id") is not None or each.get("auto_response") is True
        if not (machine or each["private"] or each.get("source") == SURVEY or each.get("deleted") is True):
            (asked if each["incoming"] else answered).append(instant(each["created_at"]) or 0)
    return Exchange(
        first=min(asked, default=None), last=max(asked, default=None), answered=max(answered, default=None)
    )


def read_changes(row: Row, references: References) -> tuple[tuple[Change, ...], bool]:
    """The last time each thing happened to the status, oldest first, and whether the row tells all of them. Who did it
    is told of none. Of one second the last one counts, and the present status is the last."""
    told = stats(row)
    last = instant(told.get("status_updated_at"))
    stamps = [(instant(told.get(name)), status) for name, status in ENTERED.items()]
    found = [(at, status) for at, status in stamps if at is not None and (last is None or at < last)]
    if last is not None:
        found.append((last, meaning(row, references).status))
    seen = dict(sorted(found, key=lambda each: each[0]))
    reopened = instant(told.get("reopened_at"))
    made: list[Change] = []
    before: Value = None
    for at, after in seen.items():
        if at == reopened and before not in OVER:
            before = Status.SOLVED
        if before != after:
            sequence = at * WITHIN_A_SECOND + WITHIN_A_SECOND - 1
            act = Act(sequence=sequence, id=f"status-{at}", at=at, who=Who.AUTOMATION)
            made.append(Change(act=act, field="status", before=before, after=after))
        before = after
    return tuple(made), all(is_told(told, name) for name in ("status_updated_at", *ENTERED))


def count_replies(ticket: Ticket) -> Counts:
    """How many public replies agents gave. Reopenings and moves are not told: they stay unknown."""
    requester = ticket.requester.id if ticket.requester else None
    opening = f"ticket-{ticket.ref.id}"
    replies = (
        each.public and not each.auto_reply and each.act.who is Who.AGENT and each.act.person != requester
        for each in ticket.messages
        if each.act.id != opening
    )
    return Counts(replies=sum(replies))


GOOD = frozenset({1, 101, 102, 103})
BAD = frozenset({3, -101, -102, -103})


def read_rating(client: Client, ticket: str) -> tuple[Satisfaction | None, bool]:
    """The newest rating of the ticket at this path, and whether that is known. Plans without surveys have none;
    whatever else keeps ratings from us, the ticket does not wait for them."""
    try:
        entries = client.every(f"{ticket}/satisfaction_ratings")
    except AccessLost:
        raise
    except HelpdeskError as error:
        return None, status_behind(error) == 404 or code(error) == "require_feature"
    rows = [
        each for each in entries if isinstance(each, dict) and instant(each.get("created_at")) is not None
    ]
    return newest(rows), len(rows) == len(entries)


def newest(rows: Iterable[Row]) -> Satisfaction | None:
    """What the last answer says; None if nobody answered, or neither good nor bad."""
    answers = sorted(rows, key=lambda row: instant(row.get("created_at")) or 0)
    given = answers[-1].get("ratings") if answers else None
    value = number(given.get("default_question")) if isinstance(given, dict) else None
    if value in GOOD:
        return Satisfaction.GOOD
    return Satisfaction.BAD if value in BAD else None
