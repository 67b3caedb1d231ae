"""The adapter: one table of one ServiceNow instance."""

from dataclasses import replace

from adapters.base import (
    AccessLost,
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
    HookRequest,
    NotAuthentic,
    Page,
    Prepared,
    Receipt,
    VendorAction,
    Write,
)
from adapters.servicenow import (
    credentials,
    delivery,
    directory,
    feed,
    history,
    hooks,
    journal,
    probe,
    targets,
    writes,
)
from adapters.servicenow.lookup import fetch
from adapters.servicenow.people import Authors, requester_column
from adapters.servicenow.profile import profile
from adapters.servicenow.refusals import Closed
from adapters.servicenow.roster import Roster
from adapters.servicenow.rows import Row, label, number, text
from adapters.servicenow.session import Line, legible
from adapters.servicenow.ticket import ticket
from policies.model import Directory, Instant, Need, Ticket, TicketRef


class ServiceNow:
    """One account of ServiceNow, as `adapters.base.Adapter` asks for it."""

    name = "servicenow"
    capabilities = Capabilities(
        actions=frozenset({"assign", "priority", "put_back", "tags", "set", "follow", "note", "reply"}),
        metrics=frozenset({"first_reply", "resolution"}),
        settle=2,
        target_start=True,
    )

    def __init__(self, account: Account, gate: Gate) -> None:
        credentials.check(account)
        self._profile = profile(account)
        self._secret = hooks.secret(account)
        self._line = Line(account, gate)
        self._roster = Roster(
            me=lambda: directory.me(account, self._line),
            staff=lambda: directory.staff(self._line),
            users=lambda names: directory.users(self._line, names),
            matrix=lambda: directory.matrix(self._profile, self._line),
        )

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Without a configured secret nothing is authentic."""
        name = self._profile.account.name
        if self._secret is None:
            raise NotAuthentic(f"account {name} has no webhook secret; set webhook.secret")
        return hooks.decode(name, self._profile.name, self._secret, request)

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """A page of what changed, in the order of `sys_updated_on` and `sys_id`."""
        return feed.poll(self._line, self._profile, cursor, since, limit)

    def census(self, cursor: str | None) -> Page:
        """A page of the active records."""
        return feed.census(self._line, self._profile, cursor)

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """One request, and one more for the journal, the audit and the targets that `needs` asks for.

        `read_at` is 0 if the answer has no `Date`.
        """
        answer = fetch(self._line, self._profile, ref)
        row = answer.row()
        with legible():
            bare = ticket(self._profile, row, read_at=answer.at)
        entries = self._entries(ref, row) if Need.MESSAGES in needs else []
        audit = self._audit(ref) if Need.CHANGES in needs else None
        promised = self._targets(ref) if Need.TARGETS in needs else []
        authors = self._authors(row, [*entries, *(audit or [])])
        with legible():
            told = needs if audit is not None else needs - {Need.CHANGES}
            whole = replace(bare, loaded=told, targets=targets.targets(promised))
            if Need.MESSAGES in needs:
                whole = replace(whole, messages=history.messages(whole, entries, authors))
            if audit is not None:
                whole = replace(whole, changes=history.changes(self._profile, row, audit, authors))
            return replace(whole, counts=history.counts(whole))

    def _entries(self, ref: TicketRef, row: Row) -> list[Row]:
        """The journal. An instance that hides it answers an empty list; the record's own text tells."""
        where = {"element_id": [ref.id], "element": journal.ELEMENTS}
        rows = self._line.every(journal.TABLE, where, journal.COLUMNS)
        if not rows and number(row, "sys_mod_count") != 0:
            shown = self._line.record(self._profile.name, ref.id, journal.ELEMENTS).row()
            if any(label(shown, name) for name in journal.ELEMENTS):
                raise AccessLost(f"ServiceNow hides {journal.TABLE} from us. Let Uptier's user read it")
        return rows

    def _audit(self, ref: TicketRef) -> list[Row] | None:
        """The audit of the columns that policies know; None where it is closed to us, as it often is: then the
        ticket comes without its changes, and what rests on them is missing."""
        where = {"documentkey": [ref.id], "fieldname": history.audited(self._profile)}
        try:
            return self._line.every(history.AUDIT, where, history.AUDITED)
        except Closed:
            return None

    def _targets(self, ref: TicketRef) -> list[Row]:
        """The SLA records of the ticket."""
        return self._line.every("task_sla", {"task": [ref.id]}, targets.COLUMNS)

    def _authors(self, row: Row, facts: list[Row]) -> Authors:
        """Who is who among those who stand in these facts."""
        names = {text(each, "sys_created_by") or text(each, "user") for each in facts} - {""}
        requester = requester_column(self._profile, row)
        return Authors(
            bot=self._roster.names() if names else frozenset(),
            requester=text(row, requester) if requester else None,
            users=self._roster.ids(names),
            is_staff=self._roster.is_staff,
        )

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One PATCH for everything, and one more for each further note or reply."""
        return writes.prepare(self._profile, ticket, actions, key)

    def send(self, write: Write, expects: str) -> Receipt:
        """One PATCH, right after a look at the record: ServiceNow itself refuses no stale write."""
        return delivery.send(self._line, self._profile, self._roster, write, expects)

    def find_written(self, write: Write) -> Receipt | None:
        """Looks for our words in the journal, or at the record's columns."""
        return delivery.find_written(self._line, self._profile, self._roster, write)

    def directory(self) -> Directory:
        """Active groups, their members, and who is on call where the instance knows."""
        return directory.read(self._profile, self._line)

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:  # noqa: ARG002
        """Credentials, rights on each table, columns, tags, priority, webhook."""
        return probe.probe(self._profile, self._line)
