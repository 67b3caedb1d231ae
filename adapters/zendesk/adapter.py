"""The adapter: one Zendesk account."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from adapters.base import (
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
    Gone,
    HookRequest,
    NotAllowed,
    NotAuthentic,
    Page,
    Prepared,
    Receipt,
    TryLater,
    Unreadable,
    VendorAction,
    Write,
)
from adapters.http import check_auth, check_url
from adapters.zendesk import feed, history, people, probe, webhooks, writes
from adapters.zendesk.answers import Odd, Row, ident, named
from adapters.zendesk.client import Answer, Client, credentials
from adapters.zendesk.people import (
    NOBODY,
    AuthorClassifier,
    IdentityCache,
    References,
    Rows,
    Sources,
    by_id,
    references_in,
)
from adapters.zendesk.ticket import is_chat, maps_labels, metric_set, ticket
from adapters.zendesk.vendor import VENDOR
from policies.model import (
    FROM_HELPDESK,
    Counts,
    Directory,
    Instant,
    Message,
    Need,
    Seconds,
    Ticket,
    TicketRef,
)

PEOPLE = "users,groups,organizations"
SIDES = f"{PEOPLE},metric_sets,slas"
HISTORY = frozenset({Need.MESSAGES, Need.CHANGES})
PATIENCE: Seconds = 120
"""A history that is to be had sooner is waited for; one that Zendesk holds back for longer is hidden meanwhile."""


class Zendesk:
    """One account of Zendesk Support, as `adapters.base.Adapter` asks for it."""

    name = "zendesk"
    capabilities = Capabilities(
        actions=frozenset({"assign", "priority", "put_back", "tags", "set", "follow", "note", "reply"}),
        metrics=frozenset({"first_reply", "next_reply", "resolution"}),
        settle=2,
        conditional_write=True,
        hidden_mark=True,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check(account)
        self._account = account
        self._client = Client(account, gate, credentials(account))
        self._secret = webhook_secret(account)
        self._identities = IdentityCache(
            Sources(
                me=lambda: people.me(account, self._client.session),
                person=lambda key: people.one_person(self._client, key),
                statuses=lambda: people.status_labels(self._client),
                targets=lambda: people.has_targets(self._client),
            )
        )

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic. No event at all where it is about something else than
        tickets."""
        if self._secret is None:
            raise NotAuthentic(f"account {self._account.name} has no webhook secret; set webhook.secret")
        return webhooks.decode(self._account.name, self._secret, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of the cursor export. `since` must be over a minute old: Zendesk takes no later one."""
        return feed.poll(self._client, self._references, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of open tickets. Search rows come without people, and say so by `partial`."""
        return feed.census(self._client, self._references, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, and one more for each hundred comments or audits that `needs` asks for; one for each person
        whom the answer does not show and nobody has asked for yet.

        `read_at` is 0 if the answer has no `Date`. A history that Zendesk does not show, or of which a row cannot be
        read, is `hidden`.
        """
        if not ref.id.isdecimal():
            raise Gone(f"{ref} is not a Zendesk ticket; Zendesk's ids are whole numbers")
        answer = self._one(ref)
        row = answer.body.get("ticket")
        if not isinstance(row, dict) or named(row) != ref.id:
            raise Unreadable(f"Zendesk's answer to {ref} does not hold that ticket")
        if row.get("status") == "deleted":
            raise Gone(f"{ref} is deleted")
        try:
            people = self._with_strangers(self._references(answer), row)
            bare = ticket(row, people, read_at=answer.at, metrics=metric_set(answer.body, row))
        except Odd as error:
            raise Unreadable(f"{ref} cannot be read: {error}") from error
        bare = replace(bare, loaded=needs)
        if Need.TARGETS in needs and row.get("slas") is None and self._identities.has_targets():
            bare = replace(bare, hidden=bare.hidden | {"targets"})
        return self._with_history(bare, people.users, chat=is_chat(row)) if needs & HISTORY else bare

    def _one(self, ref: TicketRef) -> Answer:
        """The ticket with its side-loads. Where one of those is refused, as on a plan without it, the rest of them
        still tells what it can."""
        try:
            return self._client.get(writes.place(ref), {"include": SIDES})
        except NotAllowed:
            return self._client.get(writes.place(ref), {"include": PEOPLE})

    def _with_strangers(self, people: References, row: Row) -> References:
        """These with the requester and the assignee, each asked for by itself where the answer does not show them;
        nobody is known by an id alone."""
        users = dict(people.users)
        for key in {ident(row.get("requester_id")), ident(row.get("assignee_id"))} - {None}:
            if key is None or not people.lacks(key) or people.agent(key):
                continue
            try:
                users[key] = self._identities.person(key) or {"id": key, **NOBODY}
            except NotAllowed:
                continue
        return replace(people, users=users)

    def _with_history(self, bare: Ticket, users: Rows, *, chat: bool) -> Ticket:
        """The ticket with the messages, changes and counts its `loaded` names; what cannot be told is hidden."""
        wants_messages, wants_changes = Need.MESSAGES in bare.loaded, Need.CHANGES in bare.loaded
        comments = self._rows(bare.ref, "comments") if wants_messages else ()
        audits = self._rows(bare.ref, "audits") if wants_changes or chat else ()
        known = {**users, **by_id(self._authors(comments)), **by_id(self._authors(audits))}
        authors = AuthorClassifier(bot=self._identities.bot(), users=known, role_of=self._identities.role_of)
        spoken = self._chat(audits, authors, chat=chat)
        whole = bare
        if wants_messages:
            whole = self._with_messages(whole, comments, spoken, authors)
        if wants_changes:
            whole = self._with_changes(whole, audits, spoken, authors)
        return whole

    def _rows(self, ref: TicketRef, name: str) -> tuple[Answer, ...] | None:
        """All pages of a list below the ticket; None where Zendesk does not show it to us, now or at all."""
        try:
            return tuple(self._client.every(f"{writes.place(ref)}/{name}", name, {"include": "users"}))
        except (NotAllowed, Gone):  # the ticket itself was there just now
            return None
        except TryLater as error:
            if error.wait <= PATIENCE:
                raise
            return None

    @staticmethod
    def _authors(pages: Iterable[Answer] | None) -> list[Any]:
        """The people whom a list shows beside its rows."""
        found = [page.body.get("users") for page in pages or ()]
        return [row for users in found if isinstance(users, list) for row in users]

    def _chat(
        self, audits: Iterable[Answer] | None, authors: AuthorClassifier, *, chat: bool
    ) -> tuple[Message, ...] | None:
        """What was said in the ticket's chats: nothing where there is none, None where that is not told."""
        if audits is None:
            return None if chat else ()
        found = rows(audits, "audits")
        try:
            if not chat and not history.has_chat(found):
                return ()
            return history.chat_messages(found, authors)
        except (Odd, NotAllowed):
            return None

    def _with_messages(
        self,
        bare: Ticket,
        comments: Iterable[Answer] | None,
        spoken: tuple[Message, ...] | None,
        authors: AuthorClassifier,
    ) -> Ticket:
        """The ticket with its comments and chats in one order."""
        unknown = replace(bare, hidden=bare.hidden | {"messages"})
        if comments is None or spoken is None:
            return unknown
        found = rows(comments, "comments")
        try:
            told = history.messages(found, authors)
        except (Odd, NotAllowed):
            return unknown
        return replace(bare, messages=history.with_chat(told, found, spoken) if spoken else told)

    def _with_changes(
        self,
        bare: Ticket,
        audits: Iterable[Answer] | None,
        spoken: tuple[Message, ...] | None,
        authors: AuthorClassifier,
    ) -> Ticket:
        """The ticket with what its audits changed, and what that comes to."""
        unknown = replace(bare, hidden=bare.hidden | {"changes"}, counts=Counts())
        if audits is None:
            return unknown
        requester = bare.requester.id if bare.requester else None
        found, account = rows(audits, "audits"), self._mapped()
        try:
            return replace(
                bare,
                changes=history.changes(found, authors, account),
                counts=history.counts(found, authors, account, requester, chat=spoken),
            )
        except (Odd, NotAllowed):
            return unknown

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One PUT a comment; the first carries all else."""
        return writes.prepare(self._account, ticket, actions, key, self._identities.choices)

    def send(self, write: Write, expects: str) -> Receipt:
        """One PUT, which Zendesk refuses if the ticket's `updated_at` is not `expects`."""
        return writes.send(self._client, self._account, write, expects)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for the write's key in the ticket's audits."""
        return writes.find_written(self._client, self._account, write)

    def directory(self) -> Directory:
        """Groups and agents through zenpy; availability and load are not told."""
        found = people.read_directory(self._account, self._client.session)
        self._identities.refresh(found, people.choices(self._account, self._client.session))
        return found

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, custom fields and their values, statuses, plan, webhook secret, and what is hidden."""
        return probe.probe(self._account, self._client, needed, self._sample)

    def _sample(self) -> Ticket | None:
        """An open ticket with all that policies may need, None where there is no open ticket."""
        page = self.census(None)
        return self.load(page.tickets[0].ref, FROM_HELPDESK) if page.tickets else None

    def _references(self, answer: Answer) -> References:
        """Who is who in an answer."""
        account = self._mapped()
        labels = self._identities.statuses() if maps_labels(self._account) else None
        return references_in(account, answer.body, self._identities.directory, statuses=labels)

    def _mapped(self) -> Account:
        """The account, with the labels in its `statuses` found out as the numbers that rows and audits carry."""
        if not maps_labels(self._account):
            return self._account
        labels = self._identities.statuses() or {}
        numbers = {key: self._account.counts_as(key, label) for key, label in labels.items()}
        known = {key: status for key, status in numbers.items() if status is not None}
        return replace(self._account, statuses={**self._account.statuses, **known})


def rows(pages: Iterable[Answer], name: str) -> list[Any]:
    """What stands in the lists of all pages, in order."""
    return [row for page in pages for row in page.rows(name)]


def check(account: Account) -> None:
    """Raise ValueError for a setting that cannot work."""
    check_url(account, "https://YOURS.zendesk.com")
    if "." not in urlsplit(account.url).netloc:
        raise ValueError(
            f"account {account.name}: the host in url {account.url!r} needs a dot; for this machine: 127.0.0.1"
        )
    check_auth(account, VENDOR.auth)


def webhook_secret(account: Account) -> str | None:
    """The webhook's signing secret, or None without webhooks. The public test secret is refused."""
    reference = account.webhook.get("secret")
    if not reference:
        return None
    secret = account.secret(reference)
    if not secret or secret == webhooks.PUBLIC_SECRET:
        raise ValueError(
            f"account {account.name}: webhook.secret is empty or Zendesk's public test secret; "
            "show the signing secret of the webhook in Zendesk's Admin Center and store that"
        )
    return secret
