"""What a look is made with: the policies as they run, what the helpdesk answers, a ticket as they judge it, how much
each agent has, and a look ahead."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from adapters.base import Receipt, TryLater
from connector.clock import Clock
from connector.config.holidays import calendars
from connector.store import accounts, tickets, writes
from connector.store.database import Store
from connector.store.standings import standings_of, wrote_on
from connector.work import retry
from connector.work.budget import Desk
from policies.evaluate import evaluate
from policies.history import recognise, with_moves
from policies.language.policy import PolicySet, peopled
from policies.model import (
    FROM_HELPDESK,
    Change,
    Directory,
    Group,
    Instant,
    Message,
    Need,
    Order,
    Person,
    Recent,
    Seconds,
    Status,
    Ticket,
    TicketRef,
)
from policies.plan import Plan
from policies.present.explain import PolicyTrace, trace_of, traced, worded
from policies.replay import Life, Rulebook, judged_at
from policies.rules.assignment import Waiting, holding_back, waiting_levels
from policies.rules.calendars import Calendar
from policies.state import Episode, Standing, Wrote
from policies.suppose import suppose


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a look is judged by. `first_ran` says, by account and policy, since when it has run there."""

    policies: PolicySet
    calendars: Mapping[str, Calendar]
    first_ran: Mapping[str, Mapping[str, Instant]]
    _people: dict[str, tuple[Directory, Directory]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def judge(
        self,
        ticket: Ticket,
        standings: tuple[Standing, ...],
        directory: Directory,
        now: Instant,
        orders: tuple[Order, ...] = (),
        *,
        waits: Sequence[Waiting],
        past: tuple[Episode, ...] = (),
    ) -> Plan:
        """What to do now about a ticket as it was read, and about what people ordered for it; `past` are the episodes
        and undos that an order to undo may mean. The levels of `waits` use names that the directory does not know, and
        wait for it (`waiting_levels`)."""
        policies = holding_back(self.policies, waits)
        first_ran = self.first_ran.get(ticket.ref.account, {})
        people = self._peopled(directory, now)
        plan = evaluate(ticket, policies, standings, people, self.calendars, now, first_ran, orders, past)
        return worded(plan)

    def _peopled(self, directory: Directory, now: Instant) -> Directory:
        """`peopled`, joined anew only where the directory is another value, or somebody has left or come back."""
        known = self._people.get(directory.account)
        if known is None or known[0] is not directory or known[1].away != self.policies.staff.away(now):
            known = self._people[directory.account] = directory, peopled(directory, self.policies, now)
        return known[1]


class InForce:
    """The rules that are in force. Any thread may ask; a look uses one answer from its beginning to its end."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self) -> Rules:
        """The rules now."""
        return self._rules

    def replace(self, rules: Rules) -> None:
        """From the next look on, these."""
        self._rules = rules


P = ParamSpec("P")
R = TypeVar("R")


class Read:
    """Calls an adapter's reading methods: `read(adapter.load, ref, needs)`. Any thread may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The call's answer. On TryLater waits exactly as long as it says and calls again.

        Raises that TryLater, so that the work is scheduled for later, after five tries or where waiting would
        bring the whole above 20 seconds.
        """
        began = self._clock.monotonic()

        def enough(state: RetryCallState) -> bool:
            spent = self._clock.monotonic() - began
            return state.attempt_number > len(retry.READ) or spent + state.upcoming_sleep > retry.READ_WITHIN

        retrying = Retrying(
            retry=retry_if_exception_type(TryLater),
            wait=_wait,
            stop=enough,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(call, *args, **kwargs)


def _wait(state: RetryCallState) -> float:
    """What the vendor said; where it said nothing, longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TryLater) and error.wait > 0:
        return error.wait
    return retry.READ[min(state.attempt_number, len(retry.READ)) - 1]


WINDOW: Seconds = 7 * 86400
"""How far back a ticket counts as recent."""


def complete(
    store: Store, ticket: Ticket, receipts: Mapping[str, frozenset[str]], needs: frozenset[Need], now: Instant
) -> Ticket:
    """The ticket as it was loaded, ready to be judged at `now`. `receipts` are the episodes by our facts. Where the
    helpdesk hides who changed what, the last reading tells whether somebody else has the ticket since. If a policy
    needs them, it has the numbers of recent tickets, itself included."""
    if ticket.actors_hidden and Need.CHANGES in ticket.loaded:
        with store.reading() as connection:
            known = tickets.known(connection, ticket.ref)
        ticket = with_moves(ticket, known.ticket if known else None)
    if Need.RECENT in needs:
        since = now - WINDOW
        own = int(ticket.created > since)
        with store.reading() as connection:
            of_requester, of_organization = tickets.recent(connection, ticket, since)
        recent = Recent(
            of_requester=None if of_requester is None else of_requester + own,
            of_organization=None if of_organization is None else of_organization + own,
        )
        ticket = replace(ticket, recent=recent, loaded=ticket.loaded | {Need.RECENT})
    return recognise(ticket, receipts)


WRITTEN = ("subject", "status", "status_name", "priority", "type", "tags")
"""What the answer to a write tells of a ticket without knowing anybody's name."""


def advanced(ticket: Ticket, receipt: Receipt, directory: Directory) -> Ticket | None:
    """The ticket as this write left it: what its answer shows, on what was read before. People and groups are called as
    they were, or as the directory does; what the answer hides is as it was. None where the answer does not tell all:
    the ticket has to be read again. So it is where the status moved, which no policy of ours does."""
    if not receipt.complete:
        return None
    said = tuple(each for each in receipt.acts if isinstance(each, Message))
    changed = tuple(each for each in receipt.acts if isinstance(each, Change))
    spoken = replace(
        ticket,
        revision=receipt.revision,
        messages=(*ticket.messages, *said) if Need.MESSAGES in ticket.loaded else (),
        changes=(*ticket.changes, *changed) if Need.CHANGES in ticket.loaded else (),
    )
    after = receipt.after
    if after is None:
        return replace(spoken, updated=receipt.at, read_at=max(receipt.at, ticket.read_at))
    group = _called(after.group, ticket.group, {each.id: each for each in directory.groups})
    agents = {agent.person.id: agent.person for agent in directory.agents}
    assignee = _called(after.assignee, ticket.assignee, agents)
    moved = after.status is not ticket.status or after.gone is not None
    if moved or (after.group and not group) or (after.assignee and not assignee):
        return None
    told = {name: getattr(after, name) for name in WRITTEN if name not in after.hidden}
    told |= {"group": group} if "group" not in after.hidden or group else {}
    told |= {"assignee": assignee} if "assignee" not in after.hidden or assignee else {}
    custom = {
        name: value for name, value in ticket.custom.items() if f"custom.{name}" in after.hidden
    } | dict(after.custom)
    return replace(
        spoken, **told, custom=custom, updated=after.updated, read_at=after.read_at or after.updated
    )


Named = TypeVar("Named", Group, Person)


def _called(now: Named | None, before: Named | None, known: Mapping[str, Named]) -> Named | None:
    """Whoever has that id, by name; None where nobody names them."""
    if now is None:
        return None
    return before if before is not None and before.id == now.id else known.get(now.id)


def with_loads(
    connection: Connection, directory: Directory, policies: PolicySet, groups: frozenset[str] | None = None
) -> Directory:
    """The directory with how many open tickets everybody has, or the members of these groups by id, where the helpdesk
    does not tell and a policy asks."""
    if not policies.asks_for_loads:
        return directory
    unknown = {
        agent.person.id
        for agent in directory.agents
        if agent.open_load is None and (groups is None or not groups.isdisjoint(agent.groups))
    }
    if not unknown:
        return directory
    counted = tickets.loads(connection, directory.account, unknown)
    agents = tuple(
        replace(agent, open_load=counted.get(agent.person.id, 0)) if agent.person.id in unknown else agent
        for agent in directory.agents
    )
    return replace(directory, agents=agents)


def with_numbers(store: Store, directory: Directory, policies: PolicySet, plan: Plan) -> Directory:
    """The directory with whom round robin has served, and how many open tickets those have who might be chosen, where
    the plan chose somebody without knowing; else the very same."""
    chosen = [each.chosen for each in plan.considered if each.chosen is not None]
    takes_turns = any(each.turn for each in chosen)
    if not chosen or not (takes_turns or policies.asks_for_loads):
        return directory
    groups = frozenset(
        each.assign.group.id for each in chosen if each.assign is not None and each.assign.group is not None
    )
    with store.reading() as connection:
        served = accounts.turns_of_round_robin(connection, directory.account) if takes_turns else {}
        return with_loads(connection, replace(directory, served=served), policies, groups)


NOT_KEPT = (
    "An earlier version of Uptier looked at this ticket last, and what it decided by is not kept any more. "
    "The next look keeps it again."
)


def explained(known: tickets.KnownTicket, policies: PolicySet | None) -> tuple[PolicyTrace, ...] | None:
    """Why the last look at a ticket came to what it did, in words. Of one of which nobody has had to read more than its
    row in a list, why no policy could match; None where a version of Uptier looked last that kept no values."""
    if known.judged is None:
        return None
    if known.judged or policies is None:
        return tuple(map(trace_of, known.judged))
    ticket, now = known.ticket, known.seen_at
    rules = Rules(policies=policies, calendars=calendars(policies, now), first_ran={})
    return traced(rules.judge(ticket, (), Directory(account=ticket.ref.account), now, waits=()))


class Unforeseeable(Exception):
    """The question has no answer; the text says why."""


NOBODYS = Ticket(
    ref=TicketRef("", ""), link="", subject="", status=Status.NEW, status_name="", created=0, updated=0, read_at=0,
    revision="",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A ticket as it is, the plan that a look at it would make then, and the one with other values in it, if some were
    supposed."""

    ticket: Ticket
    as_it_is: Plan
    then: Plan


UNKEPT = frozenset({"description"})
"""What the store keeps of no ticket: the texts that people wrote."""


def foresight(
    store: Store,
    desk: Desk | None,
    policies: PolicySet,
    ref: TicketRef,
    at: Instant,
    now: Instant,
    supposed: Mapping[str, str] = MappingProxyType({}),
    customs: Collection[str] = (),
) -> Foreseen:
    """The ticket as the helpdesk has it now, or without a `desk` as the last look left it, and the plan that a look at
    `at` would make, if nothing but what falls due happens until then. `supposed` are values that the ticket is
    to have then in place of its own (`policies.suppose`), `customs` the custom fields that the account maps; with any,
    policies that only observe begin afresh, so that what has been observed already is told again.

    Raises Unforeseeable before the first directory was read, for a ticket that was never seen and for a time before its
    last change; ValueError for what cannot be supposed; and what `Adapter.load` raises.
    """
    with store.reading() as connection:
        known = accounts.read_directory(connection, ref.account)
        directory = None if known is None else with_loads(connection, known.directory, policies)
        names = None if known is None else known.names
        remembered = standings_of(connection, ref)
        ours = writes.episodes_by_fact(connection, ref)
        first_ran = accounts.first_runs(connection, ref.account)
        stored = tickets.known(connection, ref)
    if directory is None:
        raise Unforeseeable(f"the directory of {ref.account} has not been read yet; run uptier once")
    suppose(NOBODYS, supposed, directory, customs)  # before anybody is asked
    if desk is not None:
        read = desk.adapter.load(ref, policies.to_load(ref.account))
    elif stored is not None:
        read = replace(stored.ticket, hidden=stored.ticket.hidden | UNKEPT)
    else:
        raise Unforeseeable(f"{ref} has not been seen yet; run uptier once")
    if at < read.updated:
        raise Unforeseeable(
            f"{ref} changed after that time; `uptier history {ref}` tells what happened before"
        )
    waits = waiting_levels(policies, ref.account, names)
    rules = Rulebook(
        policies=holding_back(policies, waits), calendars=calendars(policies, at), first_ran=first_ran
    )
    if supposed:
        serving = policies.serving(ref.account)
        observing = {each.name for each in serving if policies.mode(each, ref.account) == "observe"}
        remembered = tuple(
            replace(each, episode=None, matched=False) if each.policy in observing else each
            for each in remembered
        )

    def plan_of(ticket: Ticket) -> Plan:
        life = Life(ticket=ticket, first_seen=min(now, at), standings=remembered, receipts=ours)
        return judged_at(life, rules, directory, at).plan

    then = complete(store, replace(read, read_at=at), ours, policies.needs, at)
    return Foreseen(
        ticket=then, as_it_is=plan_of(then), then=plan_of(suppose(then, supposed, directory, customs))
    )


def lived(
    store: Store, desk: Desk, policies: PolicySet, ref: TicketRef, now: Instant
) -> tuple[Ticket, Directory, tuple[Wrote, ...]]:
    """The ticket as the helpdesk has it now, with all of its history and what is ours in it, who works there, and what
    Uptier wrote over what, oldest first.

    Raises Unforeseeable before the first directory was read, and what `Adapter.load` raises.
    """
    with store.reading() as connection:
        known = accounts.read_directory(connection, ref.account)
        ours = writes.episodes_by_fact(connection, ref)
        wrote = wrote_on(connection, ref)
    if known is None:
        raise Unforeseeable(f"the directory of {ref.account} has not been read yet; run uptier once")
    ticket = complete(store, desk.adapter.load(ref, FROM_HELPDESK), ours, policies.needs, now)
    return ticket, peopled(known.directory, policies, now), wrote
