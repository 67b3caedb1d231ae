"""The adapter: one table of one ServiceNow instance."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from adapters.base import (
    ACTION_KINDS,
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
    Survey,
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
    hooks,
    people,
    probe,
    webhooks,
    writes,
)
from adapters.servicenow.answers import OddValue, Row, label, number, raw, text
from adapters.servicenow.client import LONG, Client, Listing, check_credentials, legible
from adapters.servicenow.feed import check_id, fetch
from adapters.servicenow.people import AuthorClassifier, IdentityCache, requester_column
from adapters.servicenow.profile import equals, profile
from adapters.servicenow.ticket import SLA_COLUMNS, read_targets, read_ticket
from adapters.servicenow.writes import SKEW
from policies.model import Directory, Instant, Need, Target, Ticket, TicketRef

OPENING = frozenset({"created", "requester"})
"""Without them nobody can say when the conversation began, or who of those in it waits."""


def closed() -> NotAllowed:
    """The audit is not shown to us."""
    return NotAllowed(
        f"ServiceNow hides {history.AUDIT} from us. Let Uptier's user read it", f"read {history.AUDIT}"
    )


class ServiceNow:
    """One account of ServiceNow, as `adapters.base.Adapter` asks for it."""

    name = "servicenow"
    capabilities = Capabilities(
        actions=ACTION_KINDS,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        check_credentials(account)
        self._profile = profile(account)
        self._secret = webhooks.secret(account)
        self._client = Client(account, gate, self._profile.timeout)
        self._identities = IdentityCache(self._profile, self._client)
        self._rota = people.Rota(self._client)
        self._latest = delivery.Latest()

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

        The record comes last, so that nothing lies between it and a write. If it changed while its histories were read,
        or so shortly before that it may have, they are read once more. A history that ServiceNow does not show us, or
        that has a row nobody can read, is hidden and not loaded; the others come all the same. `read_at` is 0 if the
        answer has no `Date`.
        """
        check_id(ref)
        began = self._client.now
        entries, audit = self._histories(ref, needs)
        promised = known(lambda: self._targets(ref)) if Need.TARGETS in needs else None
        answer = fetch(self._client, self._profile, ref)
        row = {"sys_id": ref.id, **answer.row()}
        try:
            bare = read_ticket(self._profile, row, read_at=answer.at)
        except UNREADABLE as error:
            raise Unreadable(f"ServiceNow's answer about {ref} cannot be read ({error})") from error
        if bare.ref.id.casefold() != ref.id.casefold():
            raise Unreadable(f"ServiceNow answered with {bare.ref} where {ref} was asked for")
        stood = bare.updated + SKEW < began or not needs & {Need.MESSAGES, Need.CHANGES}
        counted = raw(row, "sys_mod_count") is not None
        self._latest.keep(ref, row if stood and counted else None)
        if not stood:
            entries, audit = self._histories(ref, needs)
        entries = known(lambda: self._believed_entries(ref, row, entries))
        audit = known(lambda: self._believed_audit(ref, row, audit))
        authors = known(lambda: self._authors(row, [*(entries or ()), *(audit or ())]))
        messages = changes = None
        if entries is not None and authors is not None and not OPENING & bare.hidden:
            messages = known(lambda: history.read_messages(bare, entries, authors))
        if audit is not None and authors is not None:
            changes = known(lambda: history.read_changes(self._profile, row, audit, authors))
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

    def _histories(self, ref: TicketRef, needs: frozenset[Need]) -> tuple[list[Row] | None, list[Row] | None]:
        """The journal and the audit, as far as they are needed and shown."""
        entries = known(lambda: self._entries(ref)) if Need.MESSAGES in needs else None
        return entries, known(lambda: self._audit(ref)) if Need.CHANGES in needs else None

    def _entries(self, ref: TicketRef) -> list[Row]:
        where = {"element_id": [ref.id], "element": answers.ELEMENTS}
        return whole_of(self._client.every(answers.TABLE, where, answers.COLUMNS))

    def _believed_entries(self, ref: TicketRef, row: Row, found: list[Row] | None) -> list[Row] | None:
        """The journal. An instance that hides it answers an empty list; the record's own text tells."""
        if found == [] and number(row, "sys_mod_count") != 0:
            shown = self._client.record(self._profile.name, ref.id, answers.ELEMENTS).row()
            if any(raw(shown, name) is None or label(shown, name) for name in answers.ELEMENTS):
                raise NotAllowed(
                    f"ServiceNow hides {answers.TABLE} from us. Let Uptier's user read it",
                    f"read {answers.TABLE}",
                )
        return found

    def _audit(self, ref: TicketRef) -> list[Row]:
        """The audit of the columns that policies know. What is limited for long is not waited for: the audit is nice to
        have."""
        where = {"documentkey": [ref.id], "fieldname": history.audited(self._profile)}
        try:
            return whole_of(self._client.every(history.AUDIT, where, history.AUDITED))
        except TryLater as error:
            if error.wait > LONG:
                raise closed() from error
            raise

    def _believed_audit(self, ref: TicketRef, row: Row, found: list[Row] | None) -> list[Row] | None:
        """The audit is often closed to us, and then often an empty list: of a record that has changed, it is only
        believed if it shows us anything of that record."""
        if found == [] and number(row, "sys_mod_count") != 0:
            query = equals("documentkey", ref.id)
            try:
                other = self._client.listed(history.AUDIT, query, ("sys_id", "documentkey"), limit=1).rows()
            except TryLater as error:
                if error.wait > LONG:
                    raise closed() from error
                raise
            if not any(text(each, "documentkey") == ref.id for each in other):
                raise closed()
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

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:
        """One PATCH, right after a look at the record: ServiceNow itself refuses no stale write. For a `fresh` one that
        is the look that decided, if the record was then read last."""
        before = self._latest.take(write.ref, expects) if fresh else None
        with legible():
            made, after = delivery.send(self._client, self._profile, self._identities, write, expects, before)
        self._latest.keep(write.ref, after)
        return made

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for our words in the journal, or at the record's columns."""
        with legible():
            return delivery.find_written(self._client, self._profile, self._identities, write)

    def directory(self) -> Directory:
        """Active groups, their members, and who is on call where the instance knows."""
        with legible():
            return people.read_directory(self._profile, self._client, self._rota)

    def hook_set_up(self, address: str, webhook: Mapping[str, str]) -> str:
        """Who sets it up is a person."""
        user = str(self._profile.account.auth.get("user") or hooks.BOT)
        return hooks.set_up(self._profile, user, address, webhook)

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, rights on each table, columns, states and choices, tags, priority, webhook."""
        return probe.probe(self._profile, self._client, needed)

    def survey(self) -> Survey:
        """The states of the table, by their labels."""
        return probe.survey(self._profile, self._client)


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
