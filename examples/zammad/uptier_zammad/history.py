"""Articles as messages, and the history as changes.

Articles: https://docs.zammad.org/en/latest/api/ticket/articles.html. The history has no page of its own; that it is
there say https://github.com/zammad/zammad-documentation/issues/325 and zammad/zammad: app/models/history.rb,
app/models/concerns/has_history.rb.
"""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from adapters.base import TryLater, count_changes
from adapters.http import UNSAID
from policies.model import Act, Change, Counts, Message, Ticket, Value, Who
from uptier_zammad.client import Client, Row
from uptier_zammad.people import NOBODY, References, ident
from uptier_zammad.ticket import moment, value_of

MARK = "uptier"
"""The key in an article's `preferences` that holds the key of our write. Documentation shows the field and does not say
that others may use it; the source keeps what is sent. (zammad/zammad:
app/controllers/concerns/creates_ticket_articles.rb)"""

RELATIONS = {"state": "status", "priority": "priority", "group": "group", "owner": "assignee"}
BREAK = re.compile(r"<br ?/?>|</(?:p|div|li)>", re.IGNORECASE)
ELEMENT = re.compile(r"<[^>]*>")
SENDERS = {"Customer": Who.CUSTOMER, "Agent": Who.AGENT, "System": Who.AUTOMATION}


def plain(article: Row) -> str:
    """What an article says, without markup."""
    body = str(article.get("body") or "")
    if "html" in str(article.get("content_type")):
        body = html.unescape(ELEMENT.sub("", BREAK.sub("\n", body)))
    return body.strip()


def mark(article: Row) -> str | None:
    """The key of our write, if the article has it."""
    preferences = article.get("preferences")
    found = preferences.get(MARK) if isinstance(preferences, dict) else None
    return found if isinstance(found, str) else None


def messages(articles: Iterable[Row], me: str) -> tuple[Message, ...]:
    """What was said, oldest first. Raises LookupError, TypeError or ValueError for what cannot be read."""
    made = []
    for each in sorted(articles, key=lambda each: (moment(each["created_at"]), int(each["id"]))):
        at, author = moment(each["created_at"]), ident(each["created_by_id"])
        who = Who.BOT if author == me else SENDERS.get(each["sender"], Who.AUTOMATION)
        act = Act(
            sequence=at,
            id=f"article-{each['id']}",
            at=at // 1000,
            who=who,
            person=ident(each.get("origin_by_id")) or author,
            mark=mark(each) if who is Who.BOT else None,
        )
        preferences = each.get("preferences")
        automatic = isinstance(preferences, dict) and preferences.get("is-auto-response") is True
        made.append(
            Message(act=act, public=each["internal"] is False, body=plain(each), auto_reply=automatic)
        )
    return tuple(made)


def entries(client: Client, number: str) -> list[Row]:
    """The ticket's history, oldest first."""
    found = client.get(f"/ticket_history/{number}").row().get("history")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TryLater("Zammad's history of a ticket is not a list", UNSAID)
    return sorted(found, key=lambda each: (moment(each["created_at"]), int(each["id"])))


def changes(
    told: Iterable[Row], known: References, bare: Ticket, said: Iterable[Message]
) -> tuple[Change, ...]:
    """What happened to the fields. Tags are told one by one, and put together to what was on the ticket."""
    customers = {each.act.person for each in said if each.act.who is Who.CUSTOMER}
    customers |= {bare.requester.id} if bare.requester else set()
    custom = {there: f"custom.{name}" for name, there in known.account.custom_fields().items()}
    tags: tuple[str, ...] = ()
    made = []
    for each in told:
        name, before, after = str(each.get("attribute")), each.get("value_from"), each.get("value_to")
        if each.get("object") != "Ticket" or each.get("type") not in ("updated", "added", "removed"):
            continue
        if name == "tag":
            held = {*tags} | {str(after)} if each["type"] == "added" else {*tags} - {str(after)}
            pair: tuple[Value, Value] = (tags, tuple(sorted(held)))
            tags = tuple(sorted(held))
        elif name in RELATIONS:
            pair = (
                related(known, name, each.get("id_from"), bare),
                related(known, name, each.get("id_to"), bare),
            )
        elif name in custom:
            pair = (value_of(before), value_of(after))
        else:
            continue
        field = "tags" if name == "tag" else RELATIONS.get(name) or custom[name]
        made.append(Change(act=act(each, known, customers), field=field, before=pair[0], after=pair[1]))
    return tuple(made)


def act(entry: Row, known: References, customers: set[str | None]) -> Act:
    """When an entry was made, and who made it."""
    at, author = moment(entry["created_at"]), ident(entry["created_by_id"])
    if author in (known.me, NOBODY):
        who = Who.BOT if author == known.me else Who.AUTOMATION
    else:
        who = Who.CUSTOMER if author in customers and not known.is_agent(author) else Who.AGENT
    return Act(sequence=at, id=f"history-{entry['id']}", at=at // 1000, who=who, person=author)


def related(known: References, name: str, key: Any, bare: Ticket) -> Value:
    """The common value behind an id in the history. A state counts as it does in the ticket's present group."""
    found = ident(key)
    if found is None or (name == "owner" and found == NOBODY):
        return None
    if name == "state":
        return known.status(found, bare.group.id if bare.group else None)
    return known.priorities.get(found) if name == "priority" else found


def counts(bare: Ticket) -> Counts:
    """What people did, from a ticket whose messages and changes are read."""
    requester = bare.requester.id if bare.requester else None
    replies = (
        each.public and each.act.who is Who.AGENT and not each.auto_reply and each.act.person != requester
        for each in bare.messages[1:]
    )
    return count_changes(bare.changes, sum(replies))


def ours(told: Iterable[Row], me: str, since: int) -> Iterator[Row]:
    """The entries that our user made after this moment."""
    return (
        each for each in told if ident(each["created_by_id"]) == me and moment(each["created_at"]) > since
    )
