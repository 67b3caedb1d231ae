"""The adapter: one Zendesk account."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from adapters.base import (
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
    Gone,
    HookRequest,
    NotAuthentic,
    Page,
    Prepared,
    Receipt,
    VendorAction,
    Write,
)
from adapters.zendesk import credentials, directory, feed, history, hooks, probe, writes
from adapters.zendesk.people import Authors, Cast, Row, Rows, by_id, cast
from adapters.zendesk.roster import Roster
from adapters.zendesk.session import Answer, Line, ask_for_token, legible
from adapters.zendesk.ticket import metric_set, ticket
from policies.model import Directory, Instant, Need, Ticket, TicketRef

SIDES = "users,groups,organizations,metric_sets,slas"
HISTORY = frozenset({Need.MESSAGES, Need.CHANGES})


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
        self._line = Line(account, gate, credentials.credentials(account, partial(ask_for_token, account)))
        self._secret = webhook_secret(account)
        self._roster = Roster(
            me=lambda: directory.me(account, self._line.session),
            staff=lambda: directory.staff(account, self._line.session),
        )

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic."""
        if self._secret is None:
            raise NotAuthentic(f"account {self._account.name} has no webhook secret; set webhook.secret")
        return hooks.decode(self._account.name, self._secret, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of the cursor export. `since` must be over a minute old: Zendesk takes no later one."""
        return feed.poll(self._line, self._cast, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of open tickets. Search rows come without people, and say so by `partial`."""
        return feed.census(self._line, self._cast, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, and one more for each hundred comments or audits that `needs` asks for.

        `read_at` is 0 if the answer has no `Date`.
        """
        if not ref.id.isdecimal():
            raise Gone(f"{ref} is not a Zendesk ticket; Zendesk's ids are whole numbers")
        answer = self._line.get(writes.place(ref), {"include": SIDES})
        row = answer.row("ticket")
        if row.get("status") == "deleted":
            raise Gone(f"{ref} is deleted")
        with legible():
            bare = ticket(row, self._cast(answer), read_at=answer.at, metrics=metric_set(answer.body, row))
        bare = replace(bare, loaded=needs)
        return self._with_history(bare, by_id(answer.body.get("users"))) if needs & HISTORY else bare

    def _with_history(self, bare: Ticket, users: Rows) -> Ticket:
        """The ticket with the messages, changes and counts its `loaded` names."""
        comments = self._pages(bare, Need.MESSAGES, "comments", "users")
        audits = rows(self._pages(bare, Need.CHANGES, "audits", ""), "audits")
        known = dict(users)
        for page in comments:
            known |= by_id(page.body.get("users"))
        authors = Authors(bot=self._roster.bot(), users=known, is_staff=self._roster.is_staff)
        requester = bare.requester.id if bare.requester else None
        with legible():
            whole = replace(bare, messages=history.messages(rows(comments, "comments"), authors))
            if Need.CHANGES not in bare.loaded:
                return whole
            return replace(
                whole,
                changes=history.changes(audits, authors, self._account),
                counts=history.counts(audits, authors, self._account, requester),
            )

    def _pages(self, bare: Ticket, need: Need, name: str, include: str) -> list[Answer]:
        """All pages of a list below the ticket; none if it is not needed."""
        if need not in bare.loaded:
            return []
        return self._line.every(
            f"{writes.place(bare.ref)}/{name}", name, {"include": include} if include else {}
        )

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One PUT a comment; the first carries all else."""
        return writes.prepare(self._account, ticket, actions, key)

    def send(self, write: Write, expects: str) -> Receipt:
        """One PUT, which Zendesk refuses if the ticket's `updated_at` is not `expects`."""
        return writes.send(self._line, self._account, write, expects)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for the write's key in the ticket's audits."""
        return writes.find_written(self._line, self._account, write)

    def directory(self) -> Directory:
        """Groups and agents through zenpy; availability and load are not told."""
        self._roster.directory = directory.read(self._account, self._line.session)
        return self._roster.directory

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:  # noqa: ARG002
        """Credentials, custom fields, plan, webhook secret."""
        return probe.probe(self._account, self._line)

    def _cast(self, answer: Answer) -> Cast:
        """Who is who in an answer."""
        return cast(self._account, answer.body, self._roster.directory)


def rows(pages: Iterable[Answer], name: str) -> list[Row]:
    """The rows of all pages in order."""
    return [row for page in pages for row in page.rows(name)]


def check(account: Account) -> None:
    """Raise ValueError for a setting that cannot work."""
    url = urlsplit(account.url)
    place = f"account {account.name}"
    if url.scheme not in ("http", "https") or url.path.strip("/") or url.query or "@" in url.netloc:
        raise ValueError(f"{place}: url {account.url!r} should be https://YOURS.zendesk.com")
    if "." not in url.netloc:
        raise ValueError(f"{place}: the host in url {account.url!r} needs a dot; for this machine: 127.0.0.1")
    credentials.check(account)


def webhook_secret(account: Account) -> str | None:
    """The webhook's signing secret, or None without webhooks. The public test secret is refused."""
    reference = account.webhook.get("secret")
    if not reference:
        return None
    secret = account.secret(reference)
    if not secret or secret == hooks.PUBLIC_SECRET:
        raise ValueError(
            f"account {account.name}: webhook.secret is empty or Zendesk's public test secret; "
            "show the signing secret of the webhook in Zendesk's Admin Center and store that"
        )
    return secret
