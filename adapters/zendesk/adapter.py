"""The adapter: one Zendesk account."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from adapters.base import (
    ACTION_KINDS,
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
    Survey,
    Unreadable,
    VendorAction,
    Write,
)
from adapters.http import check_auth, check_url
from adapters.zendesk import feed, history, people, probe, webhooks, writes
from adapters.zendesk.answers import Odd, ident, named
from adapters.zendesk.business_rules import organizations_of
from adapters.zendesk.client import Answer, Client, credentials
from adapters.zendesk.hooks import ZendeskHooks
from adapters.zendesk.people import (
    NOBODY,
    SYSTEM,
    IdentityCache,
    References,
    by_id,
)
from adapters.zendesk.ticket import CHATS, STATUSES, read_ticket
from adapters.zendesk.vendor import VENDOR
from policies.model import (
    FROM_HELPDESK,
    Directory,
    Instant,
    Need,
    Ticket,
    TicketRef,
)

LARGEST = 100
"""Ids that one request may name."""

PEOPLE = "users,groups,organizations"
SIDES = f"{PEOPLE},metric_sets,slas"
HISTORY = frozenset({Need.MESSAGES, Need.CHANGES})


class Zendesk:
    """One account of Zendesk Support, as `adapters.base.Adapter` asks for it."""

    name = "zendesk"
    capabilities = Capabilities(
        actions=ACTION_KINDS,
        settle=1,
        hidden_mark=True,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check(account)
        self._account = account
        self._client = Client(account, gate, credentials(account))
        self._secret = webhook_secret(account)
        self._identities = IdentityCache(
            self._client, lambda: people.ticket_fields(account, self._client.session)
        )
        self.hooks = ZendeskHooks(self._client)

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
        """A page of open tickets. Search rows come without people, which are `hidden`."""
        return feed.census(self._client, self._references, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, and one more for each hundred comments or audits that `needs` asks for; one for each person
        whom the answer does not show and nobody has asked for yet.

        `read_at` is 0 if the answer has no `Date`. A history that Zendesk does not show, or of which a row cannot be
        read, is `hidden`.
        """
        if not ref.id.isdecimal():
            raise Gone(f"{ref} is not a Zendesk ticket; Zendesk's ids are whole numbers")
        path = f"/tickets/{ref.id}"
        try:
            answer = self._client.get(path, {"include": SIDES})
        except (
            NotAllowed
        ):  # of one of the side-loads, as on a plan without it; the rest still tells what it can
            answer = self._client.get(path, {"include": PEOPLE})
        row = answer.body.get("ticket")
        if not isinstance(row, dict) or named(row) != ref.id:
            raise Unreadable(f"Zendesk's answer to {ref} does not hold that ticket")
        if row.get("status") == "deleted":
            raise Gone(f"{ref} is deleted")
        try:
            people = self._references(answer)
            users = dict(people.users)
            for key in {ident(row.get("requester_id")), ident(row.get("assignee_id"))} - {None, SYSTEM}:
                if key is None or key in users or people.agent(key):
                    continue
                with suppress(NotAllowed):  # nobody is known by an id alone, so each is asked for by itself
                    users[key] = self._identities.person(key) or {"id": key, **NOBODY}
            people = replace(people, users=users)
            bare = read_ticket(row, people, read_at=answer.at)
        except Odd as error:
            raise Unreadable(f"{ref} cannot be read: {error}") from error
        bare = replace(bare, loaded=needs)
        if Need.TARGETS in needs and row.get("slas") is None and self._identities.has_targets():
            bare = replace(bare, hidden=bare.hidden | {"targets"})
        if not needs & HISTORY:
            return bare
        chat = row.get("from_messaging_channel") is True or bare.channel in CHATS
        return history.add_history(
            self._client, self._identities, people.account, bare, people.users, chat=chat
        )

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One PUT a comment; the first carries all else."""
        return writes.prepare_write(self._account, ticket, actions, key, self._identities.choices)

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:  # noqa: ARG002 (the port's)
        """One PUT, which Zendesk refuses if the ticket's `updated_at` is not `expects`."""
        return writes.send(self._client, self._account, write, expects, self._references)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for the write's key in the ticket's audits."""
        return writes.find_written(self._client, self._account, write)

    def directory(self) -> Directory:
        """Groups and agents through zenpy; availability and load are not told."""
        found = people.read_directory(self._account, self._client.session)
        self._identities.refresh(found)
        return found

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, custom fields and their values, statuses, plan, webhook secret, and what is hidden."""
        return probe.probe(self._account, self._client, self._identities, needed, self._sample)

    def survey(self) -> Survey:
        """Custom fields, custom statuses and schedules."""
        return probe.survey(self._account, self._client, self._identities)

    def export_rules(self) -> Mapping[str, Any]:
        """Triggers and automations by their pages, SLA policies where the plan has them, and who and what they name."""
        found: dict[str, Any] = {
            name: [row for page in self._client.every(f"/{name}", name, {}) for row in page.rows(name)]
            for name in ("automations", "triggers")
        }
        with suppress(NotAllowed):
            found["sla_policies"] = self._client.get("/slas/policies").rows("sla_policies")
        with suppress(NotAllowed):
            found["custom_statuses"] = self._client.get("/custom_statuses").rows("custom_statuses")
        directory = self.directory()
        agents = [agent.person for agent in directory.agents]
        return {
            **found,
            "groups": [{"id": group.id, "name": group.name} for group in directory.groups],
            "users": [{"id": one.id, "email": one.address, "name": one.name} for one in agents],
            "ticket_fields": people.ticket_fields(self._account, self._client.session),
            "organizations": self._organizations_in(found),
        }

    def _organizations_in(self, found: Mapping[str, Any]) -> list[Any]:
        """The organizations that these rules name."""
        named = sorted(organizations_of(found))
        pages = [named[start : start + LARGEST] for start in range(0, len(named), LARGEST)]
        return [
            row
            for page in pages
            for row in self._client.get("/organizations/show_many", {"ids": ",".join(page)}).rows(
                "organizations"
            )
        ]

    def _sample(self) -> Ticket | None:
        """An open ticket with all that policies may need, None where there is no open ticket."""
        page = self.census(None)
        return self.load(page.tickets[0].ref, FROM_HELPDESK) if page.tickets else None

    def _references(self, answer: Answer) -> References:
        """Who is who in an answer. The labels in the account's `statuses` are found out as the numbers that rows and
        audits carry."""
        account, metrics = self._account, answer.body.get("metric_sets")
        labels: Mapping[str, str] | None = {}
        if any(not key.isdigit() and key.casefold() not in STATUSES for key in account.statuses):
            labels = self._identities.statuses()
            mapped = {key: account.counts_as(key, label) for key, label in (labels or {}).items()}
            known = {key: status for key, status in mapped.items() if status is not None}
            account = replace(account, statuses={**account.statuses, **known})
        return References(
            account=account,
            users=by_id(answer.body.get("users")),
            groups=by_id(answer.body.get("groups")),
            organizations=by_id(answer.body.get("organizations")),
            directory=self._identities.directory,
            statuses=labels,
            metrics={
                str(each.get("ticket_id")): each
                for each in (metrics if isinstance(metrics, list) else ())
                if isinstance(each, dict)
            },
        )


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
