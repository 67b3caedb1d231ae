"""The adapter: one table of one ServiceNow instance."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from adapters.base import (
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
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
from adapters.http import UNREADABLE
from adapters.servicenow import (
    answers,
    delivery,
    feed,
    history,
    people,
    probe,
    webhooks,
    writes,
)
from adapters.servicenow.answers import OddValue, Row, label, number, raw, text
from adapters.servicenow.client import LONG, Client, Listing, check_credentials, legible
from adapters.servicenow.feed import fetch
from adapters.servicenow.people import AuthorClassifier, IdentityCache, requester_column
from adapters.servicenow.profile import equals, profile
from adapters.servicenow.ticket import SLA_COLUMNS, read_targets, read_ticket
from policies.model import Directory, Instant, Need, Target, Ticket, TicketRef

OPENING = frozenset({"created", "requester"})
"""Without them nobody can say when the conversation began, or who of those in it waits."""


class ServiceNow:
    """One account of ServiceNow, as `adapters.base.Adapter` asks for it."""

    name = "servicenow"
    capabilities = Capabilities(
        actions=frozenset({"assign", "priority", "put_back", "tags", "set", "follow", "note", "reply"}),
        settle=2,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check_credentials(account)
        self._profile = profile(account)
        self._secret = webhooks.secret(account)
        self._client = Client(account, gate, self._profile.timeout)
        self._identities = IdentityCache(self._profile, self._client)
        self._rota = people.Rota(self._client)

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic."""
        name = self._profile.account.name
        if self._secret is None:
            raise NotAuthentic(f"account {name} has no webhook secret; set webhook.secret")
        return webhooks.decode(self._profile, self._secret, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of what changed, in the order of `sys_updated_on` and `sys_id`."""
        with legible():
            return feed.poll(self._client, self._profile, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of the active records."""
        with legible():
            return feed.census(self._client, self._profile, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, and one more for the journal, the audit and the targets that `needs` asks for.

        A history that ServiceNow does not show us, or that has a row nobody can read, is hidden and not loaded; the
        others come all the same. `read_at` is 0 if the answer has no `Date`.
        """
        answer = fetch(self._client, self._profile, ref)
        row = {"sys_id": ref.id, **answer.row()}
        try:
            bare = read_ticket(self._profile, row, read_at=answer.at)
        except UNREADABLE as error:
            raise Unreadable(f"ServiceNow's answer about {ref} cannot be read ({error})") from error
        if bare.ref.id.casefold() != ref.id.casefold():
            raise Unreadable(f"ServiceNow answered with {bare.ref} where {ref} was asked for")
        entries = known(lambda: self._entries(ref, row)) if Need.MESSAGES in needs else None
        audit = known(lambda: self._audit(ref, row)) if Need.CHANGES in needs else None
        authors = known(lambda: self._authors(row, [*(entries or ()), *(audit or ())]))
        messages = changes = promised = None
        if entries is not None and authors is not None and not OPENING & bare.hidden:
            messages = known(lambda: history.read_messages(bare, entries, authors))
        if audit is not None and authors is not None:
            changes = known(lambda: history.read_changes(self._profile, row, audit, authors))
        if Need.TARGETS in needs:
            promised = known(lambda: self._targets(ref))
        read = {Need.MESSAGES: messages, Need.CHANGES: changes, Need.TARGETS: promised}
        unknown = {need for need in needs & read.keys() if read[need] is None}
        whole = replace(
            bare,
            messages=messages or (),
            changes=changes or (),
            targets=promised or (),
            loaded=needs - unknown,
            hidden=bare.hidden | {need.value for need in unknown},
        )
        return replace(whole, counts=history.count_history(whole))

    def _entries(self, ref: TicketRef, row: Row) -> list[Row]:
        """The journal. An instance that hides it answers an empty list; the record's own text tells."""
        where = {"element_id": [ref.id], "element": answers.ELEMENTS}
        found = whole_of(self._client.every(answers.TABLE, where, answers.COLUMNS))
        if not found and number(row, "sys_mod_count") != 0:
            shown = self._client.record(self._profile.name, ref.id, answers.ELEMENTS).row()
            if any(raw(shown, name) is None or label(shown, name) for name in answers.ELEMENTS):
                raise NotAllowed(
                    f"ServiceNow hides {answers.TABLE} from us. Let Uptier's user read it",
                    f"read {answers.TABLE}",
                )
        return found

    def _audit(self, ref: TicketRef, row: Row) -> list[Row]:
        """The audit of the columns that policies know. It is often closed to us, and then often an empty list: of a
        record that has changed, it is only believed if it shows us anything of that record. What is limited for
        long is not waited for: the audit is nice to have."""
        where = {"documentkey": [ref.id], "fieldname": history.audited(self._profile)}
        closed = NotAllowed(
            f"ServiceNow hides {history.AUDIT} from us. Let Uptier's user read it", f"read {history.AUDIT}"
        )
        try:
            found = whole_of(self._client.every(history.AUDIT, where, history.AUDITED))
            if not found and number(row, "sys_mod_count") != 0:
                query = equals("documentkey", ref.id)
                other = self._client.listed(history.AUDIT, query, ("sys_id", "documentkey"), limit=1).rows()
                if not any(text(each, "documentkey") == ref.id for each in other):
                    raise closed
        except TryLater as error:
            if error.wait > LONG:
                raise closed from error
            raise
        return found

    def _targets(self, ref: TicketRef) -> tuple[Target, ...]:
        """The SLA records of the ticket."""
        return read_targets(whole_of(self._client.every("task_sla", {"task": [ref.id]}, SLA_COLUMNS)))

    def _authors(self, row: Row, facts: list[Row]) -> AuthorClassifier:
        """Who is who among those who stand in these facts."""
        names = {name for each in facts if (name := author(each))}
        requester = requester_column(self._profile, row)
        return AuthorClassifier(
            bot=self._identities.names() if names else frozenset(),
            requester=text(row, requester) if requester else None,
            users=self._identities.ids(names),
            is_staff=self._identities.is_staff,
        )

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One PATCH for everything, and one more for each further note or reply."""
        return writes.prepare_write(self._profile, ticket, actions, key)

    def send(self, write: Write, expects: str) -> Receipt:
        """One PATCH, right after a look at the record: ServiceNow itself refuses no stale write."""
        with legible():
            return delivery.send(self._client, self._profile, self._identities, write, expects)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for our words in the journal, or at the record's columns."""
        with legible():
            return delivery.find_written(self._client, self._profile, self._identities, write)

    def directory(self) -> Directory:
        """Active groups, their members, and who is on call where the instance knows."""
        with legible():
            return people.read_directory(self._profile, self._client, self._rota)

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, rights on each table, columns, states and choices, tags, priority, webhook."""
        return probe.probe(self._profile, self._client, needed)


def author(fact: Row) -> str:
    """The user name that is stamped on a fact; empty where it cannot be read, which its own history says."""
    try:
        return text(fact, "sys_created_by") or text(fact, "user")
    except OddValue:
        return ""


T = TypeVar("T")


def known(ask: Callable[[], T]) -> T | None:
    """What `ask` finds out; None if ServiceNow does not show it to us, or shows something that cannot be read."""
    try:
        return ask()
    except NotAllowed:
        return None
    except UNREADABLE:
        return None


def whole_of(listing: Listing) -> list[Row]:
    """The rows of a history. OddValue if one of them could not be read: the rest would tell another story."""
    if listing.odd:
        raise OddValue(f"{listing.odd} rows cannot be read")
    return listing.rows
