"""The adapter: one Zammad."""

from dataclasses import replace
from typing import Any

from adapters.base import (
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
    HookRequest,
    NotAllowed,
    Page,
    Prepared,
    Receipt,
    Unreadable,
    VendorAction,
    Write,
)
from adapters.http import UNREADABLE, check_auth, check_url
from policies.model import Counts, Directory, Instant, Message, Need, Person, Priority, Ticket, TicketRef
from uptier_zammad import feed, history, probe, webhooks, writes
from uptier_zammad.client import Client, Row, fetch
from uptier_zammad.people import References, Roster, ident, person
from uptier_zammad.ticket import ticket, whole
from uptier_zammad.vendor import VENDOR


class Zammad:
    """One Zammad, as `adapters.base.Adapter` asks for it."""

    name = "zammad"
    capabilities = Capabilities(
        actions=frozenset({"assign", "priority", "put_back", "tags", "set", "note", "reply"}),
        settle=1,
        hidden_mark=True,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check_url(account, "https://support.YOURS.com")
        check_auth(account, VENDOR.auth)
        said = account.settings.get("priorities", {})
        if not isinstance(said, dict) or any(each not in tuple(Priority) for each in said.values()):
            example = '{ "3 high" = "urgent" }'
            raise ValueError(f"account {account.name}: priorities is {said!r}; write for example {example}")
        self._account = account
        self._secret = webhooks.secret(account)
        self._client = Client(account, gate)
        self._roster = Roster(account, self._client)

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic."""
        return webhooks.decode(self._account.name, self._secret, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of tickets by their last update. A deleted ticket leaves without a word; a merged one is told."""
        return feed.poll(self._client, self._roster.references, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of the open tickets, by their creation."""
        return feed.census(self._client, self._roster.references, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """Four requests, and one more for the changes. Nobody is asked for a rating: Zammad knows none."""
        answer = fetch(self._client, ref)
        row, known = answer.row(), self._roster.references(answer.row())
        articles = self._client.get(f"/ticket_articles/by_ticket/{ref.id}").rows()
        tags = self._client.get("/tags", object="Ticket", o_id=ref.id).row().get("tags")
        customer, locale = self._customer(row)
        try:
            bare = whole(ticket(row, known, read_at=answer.at), known, customer, locale, tags)
            said = history.messages(articles, known.me)
            bare = replace(bare, description=said[0].body if said else "", loaded=needs)
            bare = replace(bare, hidden=bare.hidden - {"description", "phrases"})
            return self._with_history(bare, said, known, needs)
        except UNREADABLE as error:
            raise Unreadable(f"Zammad's answer for {ref} cannot be read: {error}") from error

    def _customer(self, row: Row) -> tuple[Person | None, Any]:
        """The customer and their language; None for one whom we may not see."""
        key = ident(row.get("customer_id"))
        try:
            found = self._client.get(f"/users/{key}", expand="true").row() if key else {}
        except NotAllowed:
            found = {}
        preferences = found.get("preferences")
        return (
            person(found) if found else None,
            preferences.get("locale") if isinstance(preferences, dict) else None,
        )

    def _with_history(
        self, bare: Ticket, said: tuple[Message, ...], known: References, needs: frozenset[Need]
    ) -> Ticket:
        """The ticket with what `needs` names."""
        if Need.CHANGES in needs:
            told = history.entries(self._client, bare.ref.id)
            bare = replace(bare, changes=history.changes(told, known, bare, said))
            at = [each.act.at for each in bare.changes if each.field == "status"]
            bare = replace(bare, status_since=at[-1] if at else bare.created)
        counts = history.counts(replace(bare, messages=said))
        if Need.CHANGES not in needs:
            counts = replace(Counts(), replies=counts.replies)
        return replace(bare, messages=said if Need.MESSAGES in needs else (), counts=counts)

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """An update with the first note, then a request for each tag, then one for each further text."""
        return writes.prepare(self._roster.known(), ticket, actions, key)

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:  # noqa: ARG002 (the port's)
        """One request, right after a look at the ticket: Zammad itself refuses no stale write."""
        return writes.send(self._client, self._roster.references(), write, expects)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for our mark in the articles, for the tag, or at the fields."""
        return writes.find_written(self._client, self._roster.references(), write)

    def directory(self) -> Directory:
        """Groups and agents, with who is out of office; nobody's load is told."""
        return self._roster.renew()

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Token, groups, states, priorities, custom fields, and the webhook's secret."""
        return probe.probe(self._account, self._client, self._roster, self._secret, needed)
