"""Comments and audits as messages, changes and counts, in Zendesk's order.

A comment names its audit, and the audit's id is the name under which a receipt knows our own acts. It does not order
them: ids are given out in blocks, and of two audits some minutes apart the later one may have the smaller id. So the
stamp orders, and the id what fell into one second. (facetoe/zenpy:
tests/test_api/betamax/TestTicketAudits.test_values.json, a ticket deleted at 00:19 and restored at 00:25)

One row that cannot be read makes its list Odd: what it may have said decides who answered last, so the history is then
hidden, never told without it.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import Any, TypeVar

from adapters.base import Account, Gone, NotAllowed, TryLater, count_changes
from adapters.zendesk.answers import (
    NUMBER,
    Odd,
    Row,
    ident,
    instant,
    key_of,
    moment,
    shown,
    text,
    texts,
    value,
)
from adapters.zendesk.client import Client
from adapters.zendesk.people import (
    SYSTEM,
    AuthorClassifier,
    IdentityCache,
    Rows,
    by_id,
    channel_of,
    is_automatic,
)
from adapters.zendesk.ticket import CHATS, PRIORITIES, STATUSES
from policies.model import (
    Act,
    Change,
    Counts,
    Instant,
    Message,
    Need,
    Seconds,
    Status,
    Ticket,
    TicketRef,
    Value,
    Who,
)

NAMES = {
    "status": "status",
    "priority": "priority",
    "group_id": "group",
    "assignee_id": "assignee",
    "tags": "tags",
}
CUSTOM_STATUS = "custom_status_id"
SETTING = ("Create", "Change")
"""Events that set a field."""

SPACE = "uptier"
"""Our name in `metadata.custom`, the place no reader of the ticket sees."""
PATIENCE: Seconds = 120
"""A history that is to be had sooner is waited for; one that Zendesk holds back for longer is hidden meanwhile."""

COMMENT = "Comment"
VOICEMAIL = "voicemail"
OTHER_WORDS = ("comment", "tweet")
"""What the type of an event has in it that says something in another way, or changes what was said."""

CHAT_STARTED = "ChatStartedEvent"
WORDS = ("message", "text", "body", "content")
TIMES = ("timestamp", "created_at", "time", "sent_at", "received_at")
KINDS = ("actor_type", "author_type", "sender_type", "role")
IDS = ("actor_id", "author_id", "sender_id", "user_id")
CUSTOMERS, STAFF = ("visitor", "end-user", "end_user", "customer", "user"), ("agent", "admin")
MACHINES = ("system", "trigger", "bot", "business")


def mark(row: Row) -> str | None:
    """The key of our write in an audit's or a comment's metadata, if it is there."""
    found: Any = row
    for step in ("metadata", "custom", SPACE, "write"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def act(row: Row, key: str, who: Who) -> Act:
    """The act behind a comment or an audit; `key` is the audit's id, which stands for its place until `in_time`."""
    author = ident(row.get("author_id"))
    return Act(
        sequence=int(key),
        id=key,
        at=moment(row, "created_at"),
        who=who,
        person=None if author == SYSTEM else author,
        mark=mark(row) if who is Who.BOT else None,
    )


def told(row: Any, *keys: str) -> Row:
    """The row, if it has these keys, which Zendesk always sends, and says how it came about."""
    if not isinstance(row, dict):
        raise Odd(f"{shown(row)} stands in a list of rows")
    for key in (*keys, "author_id", "metadata", "via"):
        if key not in row:
            raise Odd(f"{key} is missing")
    if channel_of(row["via"]) is None or not isinstance(row["metadata"], dict | None):
        raise Odd("it does not tell how it came about")
    return row


def read_messages(comments: Iterable[Any], authors: AuthorClassifier) -> tuple[Message, ...]:
    """All comments, oldest first; each must say whether it is public. What a rule, a merge or a mail program sent
    counts as an auto-reply, and what a customer left on the answering machine as said to us. Raises Odd."""
    made: list[Message] = []
    for each in comments:
        row = told(each, "audit_id")
        if not isinstance(row.get("public"), bool):
            raise Odd(f"public is {shown(row.get('public'))}")
        if "plain_body" not in row and "body" not in row:
            raise Odd("it has no text")
        who = authors.classify(row["author_id"], row["via"], Who.CUSTOMER)
        made.append(
            Message(
                act=act(row, ident(row.get("audit_id")) or key_of(row), who),
                public=row["public"] or (who is Who.CUSTOMER and is_voicemail(row)),
                body=text(row, "plain_body") or text(row, "body"),
                auto_reply=is_automatic(row),
            )
        )
    return tuple(sorted(made, key=when))


def is_voicemail(row: Row) -> bool:
    """Whether this is a recording of a caller whom nobody answered, which Zendesk keeps as a private comment.
    (airbytehq/airbyte: source-zendesk-support/integration_tests/expected_records.txt, tickets 142 to 145)"""
    source, call = row["via"].get("source"), row.get("data")
    return (isinstance(source, dict) and source.get("rel") == VOICEMAIL) or (
        isinstance(call, dict) and call.get("recording_type") == VOICEMAIL
    )


def said_in(audits: Iterable[Any]) -> list[Row] | None:
    """The comments that these audits made, as the list of comments shows them; None where audits do not tell them all:
    a comment of a kind of its own (a call, a post elsewhere), one that was made private or redacted since, or one that
    does not say whether it is public.
    https://developer.zendesk.com/documentation/ticketing/reference-guides/ticket-audit-events-reference/
    """
    found: list[Row] = []
    for audit in in_order(audits):
        for event in events_of(audit):
            kind = event["type"].casefold()
            if kind != COMMENT.casefold():
                if any(word in kind for word in OTHER_WORDS):
                    return None
                continue
            about = {name: audit.get(name) for name in ("author_id", "via", "metadata", "created_at")}
            row: Row = {**about, **event, "audit_id": audit["id"]}
            if not isinstance(row.get("public"), bool) or not ("plain_body" in row or "body" in row):
                return None
            found.append(row)
    return found


def with_chat(
    comments: tuple[Message, ...], rows: Iterable[Row], said: tuple[Message, ...]
) -> tuple[Message, ...]:
    """Comments and what was said in chats, in one order. A transcript, which comes as one more comment after the
    chat has ended, says nothing new and so counts as nothing."""
    by_chat = {ident(row.get("audit_id")) or key_of(row) for row in rows if channel_of(row["via"]) in CHATS}
    told_twice = [replace(each, auto_reply=True) if each.act.id in by_chat else each for each in comments[1:]]
    return tuple(sorted((*comments[:1], *told_twice, *said), key=when))


when = attrgetter("act.at", "act.sequence")
"""The place of what was said or changed: its stamp, and its id where two have the same."""

F = TypeVar("F", Message, Change)


def in_time(
    messages: tuple[Message, ...], changes: tuple[Change, ...]
) -> tuple[tuple[Message, ...], tuple[Change, ...]]:
    """Both with sequences that grow with time. One keeps the number of its audit unless an earlier one is greater; what
    one audit did keeps one place."""
    acts = [*(each.act for each in messages), *(each.act for each in changes)]
    first: dict[str, tuple[Instant, int]] = {}
    for one in acts:
        first[one.id] = min(first.get(one.id, (one.at, one.sequence)), (one.at, one.sequence))
    places: dict[tuple[Instant, int], int] = {}
    last = -1
    for place in sorted(set(first.values())):
        last = places[place] = max(place[1], last + 1)
    if all(one.sequence == places[first[one.id]] for one in acts):
        return messages, changes  # as on most tickets: each is in its place already

    def placed(fact: F) -> F:
        place = places[first[fact.act.id]]
        return fact if fact.act.sequence == place else replace(fact, act=replace(fact.act, sequence=place))

    told = tuple(map(placed, messages)), tuple(map(placed, changes))
    return tuple(sorted(told[0], key=attrgetter("act.sequence"))), told[1]


def read_chat(
    audits: Iterable[Any], authors: AuthorClassifier, *, certain: bool
) -> tuple[Message, ...] | None:
    """What was said in chats, out of the `history` of the audits' ChatStartedEvent; None where it is not all told:
    no message in such an event, one without its author or time, or no such event though it is `certain` that there was
    a chat. Raises Odd.

    What an entry looks like is not documented. Read are an author by kind or id, a time in seconds, milliseconds or
    as text, and a text. https://github.com/facetoe/zenpy/issues/663
    """
    began = (
        isinstance(event, dict) and event.get("type") == CHAT_STARTED
        for audit in audits
        if isinstance(audit, dict) and isinstance(audit.get("events"), list)
        for event in audit["events"]
    )
    if not certain and not any(began):
        return ()
    ordered = in_order(audits)
    places = [(moment(audit, "created_at"), int(key_of(audit))) for audit in ordered]
    chats = [
        (audit, event) for audit in ordered for event in events_of(audit) if event["type"] == CHAT_STARTED
    ]
    found: list[Message] = []
    for audit, event in chats:
        content = event.get("value")
        history = content.get("history") if isinstance(content, dict) else None
        if not isinstance(history, list):
            return None
        for number, entry in enumerate(history):
            if not isinstance(entry, dict):
                return None
            kind = entry.get("type")
            if words_of(entry) is None and not (isinstance(kind, str) and "message" in kind.casefold()):
                continue  # joining, leaving and rating say nothing
            said = spoken(entry, f"{key_of(audit)}-{number}", authors, places)
            if said is None:
                return None
            found.append(said)
    return tuple(sorted(found, key=lambda each: each.act.at)) or None


def words_of(entry: Row) -> str | None:
    """What an entry says; None where it has no text."""
    return next((entry[key] for key in WORDS if isinstance(entry.get(key), str)), None)


def spoken(
    entry: Row, name: str, authors: AuthorClassifier, places: Sequence[tuple[Instant, int]]
) -> Message | None:
    """One chat message, placed behind the last audit before it; None where author or time is not told."""
    by = entry["author"] if isinstance(entry.get("author"), dict) else {}
    at = next((when for key in TIMES if (when := clock(entry.get(key)))), None)
    kind = next((each for each in (*map(entry.get, KINDS), by.get("type"), by.get("role")) if each), "")
    author = next((each for each in (*map(entry.get, IDS), by.get("id")) if each is not None), None)
    person = str(author) if isinstance(author, str | int) and NUMBER.fullmatch(str(author)) else None
    who = speaker(str(kind).casefold(), person, authors)
    if at is None or who is None:
        return None
    before = bisect_right([when for when, _ in places], at)
    sequence = places[before - 1][1] + 1 if before else places[0][1]
    said = Act(sequence=sequence, id=name, at=at, who=who, person=person)
    return Message(act=said, public=True, body=words_of(entry) or "")


def speaker(kind: str, person: str | None, authors: AuthorClassifier) -> Who | None:
    """Who spoke in a chat; None where neither a kind nor an id tells."""
    if person is not None and person == authors.bot:
        return Who.BOT
    if kind in MACHINES:
        return Who.AUTOMATION
    if kind in CUSTOMERS or kind in STAFF:
        return Who.CUSTOMER if kind in CUSTOMERS else Who.AGENT
    return None if person is None else authors.classify(person, None, Who.CUSTOMER)


def clock(raw: Any) -> Instant | None:
    """A chat's time: text as everywhere, or a number of seconds or milliseconds."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 10**9 <= raw < 10**14:
        return raw if raw < 10**11 else raw // 1000
    return instant(raw)


def in_order(audits: Iterable[Any]) -> list[Row]:
    """The audits by their stamps, and of one second by their ids, oldest first. Raises Odd."""
    known = [told(audit) for audit in audits]
    return sorted(known, key=lambda audit: (moment(audit, "created_at"), int(key_of(audit))))


def events_of(audit: Row) -> list[Row]:
    """The events of an audit. Those of types not known here are Zendesk's to add; one without a type is Odd."""
    events = audit.get("events")
    if not isinstance(events, list) or not all(
        isinstance(event, dict) and isinstance(event.get("type"), str) for event in events
    ):
        raise Odd("its events cannot be read")
    return events


def read_changes(audits: Iterable[Any], authors: AuthorClassifier, account: Account) -> tuple[Change, ...]:
    """What the audits changed, oldest first; within one audit in its own order. Raises Odd."""
    ordered = in_order(audits)
    made = [change for audit in ordered for change in changes_of(audit, authors, account)]
    if account.statuses:
        made = [change for change in made if change.field != "status"]
        made += status_changes(ordered, authors, account)
        made.sort(key=when)
    return tuple(made)


def changes_of(audit: Row, authors: AuthorClassifier, account: Account) -> Iterator[Change]:
    """The field changes of one audit. An event has its own `via` only where it differs."""
    names = NAMES | {key: f"custom.{name}" for name, key in account.custom_fields().items()}
    for event in events_of(audit):
        if event["type"] not in SETTING:
            continue
        if not isinstance(event.get("field_name"), str) or "value" not in event:
            raise Odd("a change does not tell of which field")
        if name := names.get(event["field_name"]):
            via = event.get("via") or audit.get("via")
            yield Change(
                act=act(audit, key_of(audit), authors.classify(audit.get("author_id"), via, Who.AGENT)),
                field=name,
                before=common(name, event.get("previous_value")),
                after=common(name, event.get("value")),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The status after an audit that touched it: the category, the number of a custom status, and who did it."""

    category: str
    number: str
    act: Act

    def counts_as(self, account: Account) -> Status | str:
        """The common status, as the account's `statuses` say, else by the category."""
        mapped = account.counts_as(self.number, "") or account.counts_as("", self.category)
        return mapped or STATUSES.get(self.category) or self.category


def status_changes(ordered: Iterable[Row], authors: AuthorClassifier, account: Account) -> Iterator[Change]:
    """Changes of the common status where the account says what its own statuses count as: a ticket may enter another
    one within the same category. Zendesk's number is in `custom_status_id`."""
    steps: list[Step] = []
    for audit in ordered:
        set_now = [each for each in events_of(audit) if each["type"] in SETTING]
        events = [each for each in set_now if each["field_name"] in ("status", CUSTOM_STATUS)]
        for event in events[-1:]:
            after = {str(each["field_name"]): each["value"] for each in events}
            via = event.get("via") or audit.get("via")
            who = authors.classify(audit.get("author_id"), via, Who.AGENT)
            last = steps[-1] if steps else None
            number = after.get(CUSTOM_STATUS, last.number if last and "status" not in after else None)
            steps.append(
                Step(
                    category=str(after.get("status", last.category if last else "")),
                    number=ident(number) or "",
                    act=act(audit, key_of(audit), who),
                )
            )
    if steps:
        yield Change(act=steps[0].act, field="status", before=None, after=steps[0].counts_as(account))
    for before, step in pairwise(steps):
        if before.counts_as(account) != step.counts_as(account):
            was, now = before.counts_as(account), step.counts_as(account)
            yield Change(act=step.act, field="status", before=was, after=now)


def common(name: str, raw: Any) -> Value:
    """An audit's value, which is text even for ids, as the common one. Raises Odd."""
    if name == "status":
        return STATUSES.get(text({name: raw}, name)) or raw or None
    if name == "priority":
        word = text({name: raw}, name)
        if word not in ("", *PRIORITIES):
            raise Odd(f"priority is {shown(raw)}")
        return PRIORITIES.get(word)
    if name == "tags":
        return tuple(sorted(raw.split() if isinstance(raw, str) else texts({name: raw}, name)))
    return value(raw) if name.startswith("custom.") else ident(raw)


def count_audits(
    audits: Iterable[Any],
    changes: Sequence[Change],
    authors: AuthorClassifier,
    requester: str | None,
    *,
    chat: tuple[Message, ...] | None = (),
) -> Counts:
    """What people did (rule 5), with the `changes` that these audits made. `chat` is what was said in chats, None where
    that is not told, and so neither how many replies there were. A reply is a public comment, after the first, by an
    agent who is not the requester; the comments of a chat itself say nothing that `chat` does not. Raises Odd."""
    replies = sum(each.act.who is Who.AGENT and each.act.person != requester for each in chat or ())
    for audit in in_order(audits)[1:]:
        for event in events_of(audit):
            said: Row = {**audit, **event}
            replies += (
                event["type"] == "Comment"
                and said.get("public") is True
                and ident(said.get("author_id")) != requester
                and not is_automatic(said)
                and not (chat and channel_of(said.get("via")) in CHATS)
                and authors.classify(said.get("author_id"), said.get("via"), Who.CUSTOMER) is Who.AGENT
            )
    return count_changes(changes, None if chat is None else replies)


def read_list(client: Client, ref: TicketRef, name: str) -> tuple[list[Any], Rows] | None:
    """All rows of a list below the ticket, and the people whom it shows beside them; None where Zendesk does not show
    it to us, now or at all."""
    try:
        pages = client.every(f"/tickets/{ref.id}/{name}", name, {"include": "users"})
    except (NotAllowed, Gone):  # the ticket itself was there just now
        return None
    except TryLater as error:
        if error.wait <= PATIENCE:
            raise
        return None
    people: dict[str, Row] = {}
    for page in pages:
        people |= by_id(page.body.get("users"))
    return [row for page in pages for row in page.rows(name)], people


def add_history(
    client: Client, identities: IdentityCache, account: Account, bare: Ticket, users: Rows, *, chat: bool
) -> Ticket:
    """The ticket with the messages, changes and counts its `loaded` names; what cannot be told is hidden. Comments come
    with the audits that made them, where these are read and tell them all; else out of their own list. `chat` says that
    the conversation stands in chat events, not in comments."""
    wants_messages, wants_changes = Need.MESSAGES in bare.loaded, Need.CHANGES in bare.loaded
    audits = read_list(client, bare.ref, "audits") if wants_changes or chat else ([], {})
    comments: tuple[list[Any], Rows] | None = None
    if wants_messages and wants_changes and audits is not None and not chat:
        with suppress(Odd):
            comments = ([*spoken_of], {}) if (spoken_of := said_in(audits[0])) else None
    if wants_messages and comments is None:
        comments = read_list(client, bare.ref, "comments")
    known = {**users, **(comments[1] if comments else {}), **(audits[1] if audits else {})}
    authors = AuthorClassifier(bot=identities.bot(), users=known, role_of=identities.role_of)
    spoken: tuple[Message, ...] | None = () if audits is None and not chat else None
    with suppress(Odd, NotAllowed):
        spoken = read_chat(audits[0], authors, certain=chat) if audits is not None else spoken
    messages: tuple[Message, ...] | None = None
    with suppress(Odd, NotAllowed):
        if comments is not None and spoken is not None:
            messages = read_messages(comments[0], authors)
            messages = with_chat(messages, comments[0], spoken) if spoken else messages
    changes, counts = None, Counts()
    with suppress(Odd, NotAllowed):
        if wants_changes and audits is not None:
            requester = bare.requester.id if bare.requester else None
            changed = read_changes(audits[0], authors, account)
            counts = count_audits(audits[0], changed, authors, requester, chat=spoken)
            changes = changed
    said, changed_so = in_time(messages or (), changes or ())
    lacking = {"messages"} if wants_messages and messages is None else set[str]()
    lacking |= {"changes"} if wants_changes and changes is None else set()
    return replace(bare, messages=said, changes=changed_so, counts=counts, hidden=bare.hidden | lacking)
