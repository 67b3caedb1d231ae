"""The adapter: one Freshdesk account."""

from collections.abc import Mapping
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
    Survey,
    Unreadable,
    VendorAction,
    Write,
)
from adapters.freshdesk import feed, history, hooks, people, probe, webhooks, writes
from adapters.freshdesk.client import Client, Row, fetch
from adapters.freshdesk.people import IdentityCache, References, requester
from adapters.freshdesk.ticket import OUTBOUND, number, read_ticket, stats, updated_in
from adapters.freshdesk.vendor import VENDOR
from adapters.http import UNREADABLE, check_auth, check_url
from policies.model import Counts, Directory, Instant, Need, Ticket, TicketRef

SIDES = "company,stats"


class Freshdesk:
    """One account of Freshdesk, as `adapters.base.Adapter` asks for it."""

    name = "freshdesk"
    capabilities = Capabilities(
        actions=frozenset({"assign", "priority", "put_back", "tags", "set", "note", "reply"}),
        settle=1,
        revision_stamp=updated_in,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check_url(account, "https://YOURS.freshdesk.com")
        check_auth(account, VENDOR.auth)
        self._account = account
        self._trusted = webhooks.trusted(account)
        self._client = Client(account, gate)
        self._identities = IdentityCache(account, self._client)

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic."""
        return webhooks.decode(self._account.name, self._trusted, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of the list of tickets, or of those of deleted ones and of spam. Rows know their requester by
        id only, and hide the rest of them."""
        return feed.poll(self._client, self._references, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of the open tickets among all that are not archived, in rows likewise."""
        return feed.census(self._client, self._references, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, one for the requester once an hour, and one more for each hundred messages and for the rating
        that `needs` asks for.

        `read_at` is 0 if the answer has no `Date`. A deleted ticket, spam and an archived one are Gone. What cannot be
        read beside the ticket itself is `hidden`.
        """
        answer = fetch(self._client, ref, SIDES)
        row, at = answer.row(), answer.at
        self._identities.naming(row, at)
        identities = self._identities
        asked = requester(
            lambda key: identities.contact(key, at), self._account, row, lambda key: identities.agent(key, at)
        )
        try:
            references = replace(self._references([row]), requester=asked)
            bare = read_ticket(row, references, read_at=at)
            asked_later = stats(row).get("requester_responded_at") is not None
            outbound = Need.TARGETS in needs and number(row.get("source")) == OUTBOUND and asked_later
            said = self._said(ref) if Need.MESSAGES in needs or outbound else None
            if said is not None:
                bare = read_ticket(row, references, read_at=at, said=history.exchange(said))
            return self._with_history(replace(bare, loaded=needs), row, references, said or [], needs)
        except UNREADABLE as error:
            raise Unreadable(f"Freshdesk's answer for {ref} cannot be read: {error}") from error

    def _with_history(
        self, bare: Ticket, row: Row, references: References, said: list[Any], needs: frozenset[Need]
    ) -> Ticket:
        """The ticket with what `needs` names."""
        hidden = set(bare.hidden)
        if Need.CHANGES in needs:
            changes, known = history.read_changes(row, references)
            bare = replace(bare, changes=changes)
            hidden |= set() if known else {"changes"}
        if Need.MESSAGES in needs:
            bare = replace(bare, messages=history.read_messages(row, said, self._identities.bot()))
            whole = history.is_whole(row, said)
            bare = replace(bare, counts=history.count_replies(bare) if whole else Counts())
            hidden |= set() if whole else {"messages", "phrases", "replies"}
        if Need.RATING in needs:
            rating, known = history.read_rating(self._client, f"/tickets/{bare.ref.id}")
            bare = replace(bare, satisfaction=rating)
            hidden |= set() if known else {"satisfaction"}
        return replace(bare, hidden=frozenset(hidden))

    def _said(self, ref: TicketRef) -> list[Any]:
        """All conversations of a ticket, whatever they are; one that cannot be read if all are refused to us."""
        try:
            return self._client.every(f"/tickets/{ref.id}/conversations")
        except NotAllowed:
            return [None]

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """An update, then a request for each note, then one for each reply."""
        return writes.prepare_write(self._account, self._identities.known_form(), ticket, actions, key)

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:
        """One request, right after a look at the ticket: Freshdesk itself refuses no stale write. A private note on a
        `fresh` one needs no look."""
        return writes.send(self._client, self._account, write, expects, self._references, fresh=fresh)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks at the ticket's fields, or through all its conversations."""
        return writes.find_written(self._client, self._account, write)

    def directory(self) -> Directory:
        """Groups, agents, and who is in which."""
        found = people.read_directory(self._account, self._client)
        self._identities.renew(found)
        return found

    def hook_set_up(self, address: str, webhook: Mapping[str, str]) -> str:
        """Who sets it up is a person."""
        return hooks.set_up(address, webhook)

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, lists, fields with their values, statuses, SLA, webhook and its rule."""
        return probe.probe(self._account, self._client, needed)

    def survey(self) -> Survey:
        """Custom fields, statuses and business hours."""
        return probe.survey(self._account, self._client)

    def _references(self, rows: list[Row]) -> References:
        """What these rows are read with."""
        form = self._identities.form(*(row.get("status") for row in rows))
        identities = self._identities
        return References(
            account=self._account, form=form, directory=identities.directory, nobody=identities.nobody
        )
