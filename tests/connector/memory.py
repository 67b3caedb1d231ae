"""A helpdesk in memory: an adapter without sockets, for as many tickets as the worker can take. What happens there is
told by `Memory.open` and `Memory.act`. It shares nothing with `policies.replay`, against which it is held."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from adapters.base import (
    ACTION_KINDS,
    Account,
    Capabilities,
    Event,
    Finding,
    Gate,
    Gone,
    HookRequest,
    NotAuthentic,
    Note,
    Page,
    Prepared,
    Receipt,
    Stale,
    VendorAction,
    Write,
    held_by,
)
from adapters.simulation.demo import CLEO, GROUPS, STAFF
from policies.history import counted
from policies.model import (
    Act,
    Agent,
    Change,
    Counts,
    Directory,
    Group,
    Instant,
    Message,
    Need,
    Person,
    Priority,
    Status,
    Ticket,
    TicketRef,
    Value,
    Who,
)
from policies.plan import Follow

PAGE = 1000
OVER = (Status.SOLVED, Status.CLOSED)
TEAMS = {name: Group(id=f"g{number}", name=name) for number, name in enumerate(GROUPS, 1)}
PEOPLE = {
    each.name: Person(id=each.name.lower(), name=each.name, address=each.address) for each in (*STAFF, CLEO)
}
WRITTEN = ("status", "priority", "group", "assignee", "tags")


class Memory:
    """One account. `now` is the helpdesk's own time."""

    name = "memory"
    capabilities = Capabilities(actions=ACTION_KINDS)

    def __init__(self, account: Account, gate: Gate, now: Callable[[], Instant]) -> None:
        self._account, self._gate, self._now = account.name, gate, now
        self._tickets: dict[str, Ticket] = {}
        self._news: list[str] = []

    # --- what happens there ------------------------------------------------------------------------------------

    def open(self, key: str, subject: str, tag: str) -> None:
        """Cleo writes an urgent ticket, which lands in Tier 1."""
        now = self._now()
        act = Act(sequence=1, id=f"{key}.1", at=now, who=Who.CUSTOMER, person=PEOPLE["Cleo"].id)
        self._keep(
            Ticket(
                ref=TicketRef(self._account, key),
                link=f"http://127.0.0.1/{key}",
                subject=subject,
                description="Help!",
                status=Status.NEW,
                status_name="New",
                priority=Priority.URGENT,
                tags=frozenset({tag}),
                group=TEAMS["Tier 1"],
                requester=PEOPLE["Cleo"],
                created=now,
                updated=now,
                read_at=now,
                revision="1",
                messages=(Message(act=act, public=True, body="Help!"),),
            )
        )

    def act(
        self, key: str, who: Who, person: str | None, body: str = "", *, public: bool = True, **fields: Any
    ) -> None:
        """Somebody says something, or sets fields to the values that `Ticket` has for them, or both."""
        after = replace(self._tickets[key], **fields)
        if "status" in fields:
            after = replace(after, status_name=after.status.title())
        says = ((public, body),) if body else ()
        self._acted(after, who, PEOPLE[person].id if person else None, says)

    def _acted(
        self, after: Ticket, who: Who, person: str | None, says: tuple[tuple[bool, str], ...]
    ) -> tuple[Message | Change, ...]:
        """The ticket is so after this act; what its history tells of it."""
        before, now = self._tickets[after.ref.id], self._now()
        number = int(before.revision) + 1
        act = Act(sequence=number, id=f"{after.ref.id}.{number}", at=now, who=who, person=person)
        said = tuple(Message(act=act, public=public, body=body) for public, body in says)
        was, stands = held(before), held(after)
        changed = tuple(
            Change(act=act, field=name, before=was[name], after=stands[name])
            for name in WRITTEN
            if was[name] != stands[name]
        )
        if said or changed:
            self._keep(
                replace(
                    after,
                    updated=now,
                    revision=str(number),
                    messages=(*before.messages, *said),
                    changes=(*before.changes, *changed),
                )
            )
        return (*said, *changed)

    def _keep(self, ticket: Ticket) -> None:
        self._tickets[ticket.ref.id] = ticket
        self._news.append(ticket.ref.id)

    # --- what an adapter answers -------------------------------------------------------------------------------

    def decode(self, request: HookRequest) -> tuple[Event, ...]:  # noqa: ARG002 (the port's)
        """It sends none."""
        raise NotAuthentic("nobody sends webhooks here")

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """The tickets that changed behind this place in all that ever happened."""
        self._gate.enter(("account",))
        begin = int(cursor or 0)
        end = min(begin + limit, len(self._news))
        rows = (self._tickets[key] for key in dict.fromkeys(self._news[begin:end]))
        tickets = tuple(self._row(each) for each in rows if each.updated >= since)
        return Page(tickets=tickets, cursor=str(end), more=end < len(self._news))

    def census(self, cursor: str | None) -> Page:
        """The open tickets in the order they came."""
        self._gate.enter(("account",))
        begin, every = int(cursor or 0), tuple(self._tickets.values())
        rows = (each for each in every[begin : begin + PAGE] if each.status not in OVER)
        end = begin + PAGE
        return Page(tickets=tuple(map(self._row, rows)), cursor=str(end), more=end < len(every))

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """All of it, or without its histories."""
        self._gate.enter(("account",))
        if ref.id not in self._tickets:
            raise Gone(f"there is no {ref}")
        ticket = self._tickets[ref.id]
        tells: dict[str, Any] = {
            "messages": ticket.messages if Need.MESSAGES in needs else (),
            "changes": ticket.changes if Need.CHANGES in needs else (),
            "counts": counted(ticket) if {Need.MESSAGES, Need.CHANGES} <= needs else Counts(),
        }
        return replace(ticket, read_at=self._now(), loaded=needs, **tells)

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """One request for everything."""
        left = tuple(each for each in actions if isinstance(each, Note | Follow) or each.on(ticket) != ticket)
        write = Write(
            key=f"{key}:1", ref=ticket.ref, expects=ticket.revision, intent=left, request={"all": True}
        )
        return Prepared(writes=(write,) if left else ())

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:  # noqa: ARG002 (the port's)
        """Done at once, if nobody has changed the ticket."""
        self._gate.enter(("account",))
        before = after = self._tickets[write.ref.id]
        if before.revision != expects:
            raise Stale(f"{write.ref} is at {before.revision}, not {expects}")
        for action in write.intent:
            after = after if isinstance(action, Note) else action.on(after)
        says = tuple((each.public, each.body) for each in write.intent if isinstance(each, Note))
        acts = self._acted(after, Who.BOT, "bot", says)
        stands = self._tickets[write.ref.id]
        return Receipt(
            key=write.key,
            revision=stands.revision,
            at=self._now(),
            facts=tuple(dict.fromkeys(each.act.id for each in acts)),
            changed=tuple((each.field, each.before, each.after) for each in acts if isinstance(each, Change)),
            after=self._row(stands),
            acts=acts,
            complete=True,
        )

    def find_written(self, write: Write) -> Receipt | None:
        """No answer is ever lost."""
        raise AssertionError(f"the fate of {write.key} was never unknown")

    def directory(self) -> Directory:
        """The demo's groups and agents."""
        agents = tuple(
            Agent(person=PEOPLE[each.name], groups=frozenset(TEAMS[name].id for name in each.groups))
            for each in STAFF
        )
        return Directory(account=self._account, groups=tuple(TEAMS.values()), agents=agents)

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:  # noqa: ARG002 (the port's)
        """All is well."""
        return ()

    def _row(self, ticket: Ticket) -> Ticket:
        return replace(ticket, read_at=self._now(), messages=(), changes=(), counts=Counts())


def held(ticket: Ticket) -> Mapping[str, Value]:
    """The fields that are written, as a `Change` tells them."""
    values = held_by(ticket, WRITTEN[1:])
    return {"status": ticket.status, **values, "tags": tuple(values["tags"])}
