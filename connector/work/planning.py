"""How a plan of many tickets is made: what may be due is read once, judged as a look would, and nothing is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapters.base import AccessLost, Gone, NotAllowed, TryLater, Unreadable
from connector.clock import Clock
from connector.config.settings import Caps
from connector.intake.polling import POLL
from connector.render import Step
from connector.store import accounts, ledger, tickets, writes
from connector.store.database import Store
from connector.store.standings import standings_of, standings_of_tickets
from connector.work.budget import Desk
from connector.work.commit import prepare
from connector.work.context import Read, Rules, complete, with_loads
from connector.work.limits import in_the_way
from connector.work.plans import ManyPlan, PlanLine, line_of, sealed, steps_of
from policies.evaluate import could_matter
from policies.language.policy import PolicySet
from policies.model import Directory, Instant, Seconds, Ticket, TicketRef, spell
from policies.plan import Assign, Plan
from policies.rules.assignment import Waiting, waiting_levels

UNREAD_TRIES = 5
LONG_AGO: Seconds = 900
"""Who read an account so long ago is told that something may be new there."""


def as_enforced(policies: PolicySet, account: str, names: frozenset[str]) -> PolicySet:
    """The policies as they run on an account, but for these, which are enforced."""
    moded = tuple(
        replace(each, mode="enforce" if each.name in names else policies.mode(each, account))
        for each in policies.policies
    )
    return replace(policies, policies=moded, modes={"": "enforce"})


def observing(policies: PolicySet, asked: Iterable[str], policy: str | None) -> frozenset[str]:
    """The policies that a plan has to show as if they were enforced: the one that was asked for, or all where none is
    enforced."""
    accounts = tuple(asked)
    meant = [
        (each.name, policies.mode(each, account))
        for account in accounts
        for each in policies.serving(account)
        if policy in (None, each.name)
    ]
    enforced = {name for name, mode in meant if mode == "enforce"}
    return frozenset() if enforced else frozenset(name for name, _ in meant)


def candidates(
    store: Store, account: str, policies: PolicySet, scope: frozenset[str], at: Instant, *, as_if: bool
) -> tuple[TicketRef, ...]:
    """The tickets on which one of these policies may do something by then, as far as the store tells."""
    ours = replace(policies, policies=tuple(each for each in policies.policies if each.name in scope))
    found: list[TicketRef] = []
    with store.reading() as connection:
        known = tickets.may_be_due(connection, account, at, policies.decides, matched=as_if)
        for start in range(0, len(known), 500):
            some = known[start : start + 500]
            remembered = standings_of_tickets(connection, account, [each.ref.id for each in some])
            found += [each.ref for each in some if could_matter(each, ours, remembered.get(each.ref.id, ()))]
    return tuple(found)


@dataclass(slots=True)
class Making:
    """An account's part of a plan while it is made: whose turn it is, and how much each has, after the lines so far."""

    desk: Desk
    policies: PolicySet
    directory: Directory
    waits: tuple[Waiting, ...]
    fires: int
    remark: str = ""
    lines: list[PlanLine] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    reads: int = 0


class Maker:
    """Makes plans, for one caller at a time."""

    def __init__(
        self,
        *,
        store: Store,
        desks: Mapping[str, Desk],
        rules: Rules,
        caps: Caps,
        clock: Clock,
        progress: Callable[[str], None],
    ) -> None:
        self._store = store
        self._desks = desks
        self._rules = rules
        self._caps = caps
        self._clock = clock
        self._progress = progress
        self._read = Read(clock)

    def make(self, policy: str | None, account: str | None, at: Instant) -> ManyPlan:
        """What is to be done as of `at`: by this policy, or by all; on this account, or on all. Each ticket that may
        be due is read once. Nothing is stored."""
        made_at, policies = self._clock.now(), self._rules.policies
        asked = [name for name in self._desks if account in (None, name)]
        as_if = observing(policies, asked, policy)
        lines: list[PlanLine] = []
        remarks: list[str] = []
        unread: dict[str, str] = {}
        passed_over: set[str] = set()
        reads = 0
        for name in asked:
            serving = {each.name: policies.mode(each, name) for each in policies.serving(name)}
            scope = frozenset(
                each
                for each in serving
                if policy in (None, each) and (each in as_if or serving[each] == "enforce")
            )
            passed_over |= {each for each in serving if policy in (None, each)} - scope
            if not scope:
                continue
            part = self._account(name, as_enforced(policies, name, as_if), scope, at, as_if=bool(as_if))
            lines += part.lines
            unread |= part.unread
            remarks += [part.remark] if part.remark else []
            reads += part.reads
        return sealed(
            ManyPlan(
                made_at=made_at,
                at=at,
                policy=policy,
                account=account,
                observes=tuple(sorted(as_if)),
                passed_over=tuple(sorted(passed_over)),
                lines=tuple(lines),
                unread=unread,
                remarks=tuple(remarks),
                reads=reads,
            )
        )

    def _account(
        self, name: str, policies: PolicySet, scope: frozenset[str], at: Instant, *, as_if: bool
    ) -> Making:
        now = self._clock.now()
        with self._store.reading() as connection:
            known = accounts.read_directory(connection, name)
            directory = Directory(account=name)
            if known is not None:
                directory = with_loads(connection, known.directory, policies)
            fired = ledger.count(connection, name, "fired", now - 3600, now)
            account = accounts.get(connection, name)
            polled = accounts.cursor_updated(connection, name, POLL) or 0
        part = Making(
            desk=self._desks[name],
            policies=policies,
            directory=directory,
            waits=waiting_levels(policies, name, known.names_at(now) if known else None),
            fires=self._caps.escalations_per_hour - fired,
        )
        if known is None:
            part.unread[name] = "its groups and people have not been read yet; run `uptier run --once`"
            return part
        if account is not None and account.paused_at is not None:
            part.unread[name] = f"the account is paused: {account.paused_reason}"
            return part
        if now - polled > LONG_AGO:
            part.remark = (
                f"{name} was last read {spell(now - polled)} ago; what is new there is not in the plan"
            )
        refs = candidates(self._store, name, policies, scope, at, as_if=as_if)
        for number, ref in enumerate(refs, 1):
            said = f"{name}: reading ticket {number} of {len(refs)}"
            self._progress(Step(said, number, len(refs)))
            try:
                self._ticket(part, ref, scope, at)
            except (NotAllowed, Unreadable, TryLater) as trouble:
                part.unread[str(ref)] = str(trouble)
            except AccessLost as lost:
                part.unread[name] = str(lost)
                break
        return part

    def _ticket(self, part: Making, ref: TicketRef, scope: frozenset[str], at: Instant) -> None:
        """Read one ticket, judge it, and add its line if something is done about it."""
        sent: list[None] = []
        try:
            with part.desk.budget.before_each_request(lambda: sent.append(None)):
                read = self._load(part.desk, ref)
        except Gone:
            return
        finally:
            part.reads += len(sent)
        with self._store.reading() as connection:
            standings = standings_of(connection, ref)
            receipts = writes.episodes_by_fact(connection, ref)
        rules = replace(self._rules, policies=part.policies)
        ticket = complete(self._store, replace(read, read_at=at), receipts, part.policies.needs, at)
        plan = rules.judge(ticket, standings, part.directory, at, waits=part.waits)
        if scope.isdisjoint(step.policy for step in steps_of(plan)):
            return
        intents = prepare(part.desk.adapter, ticket, plan, part.policies)
        with self._store.reading() as connection:
            hold = in_the_way(connection, ticket, intents, self._caps, self._clock.now())
        fires = sum(step.what == "fired" for step in steps_of(plan))
        part.fires -= fires
        held = hold.why if hold else ""
        if not held and fires and part.fires < 0:
            held = (
                f"the cap of {self._caps.escalations_per_hour} escalations an hour will be reached before it"
            )
        part.lines.append(line_of(ticket, plan, intents, part.directory, held, receipts, len(sent)))
        self._hand_out(part, plan, at)

    def _load(self, desk: Desk, ref: TicketRef) -> Ticket:
        """The ticket, once the account's budget allows it."""
        for _ in range(UNREAD_TRIES):
            try:
                with desk.budget.lane("backfill"):
                    return self._read(desk.adapter.load, ref, self._rules.policies.to_load(ref.account))
            except TryLater as later:
                self._progress(f"{ref}: waits {later.wait} s: {later}")
                self._clock.sleep(later.wait)
        with desk.budget.lane("backfill"):
            return self._read(desk.adapter.load, ref, self._rules.policies.to_load(ref.account))

    def _hand_out(self, part: Making, plan: Plan, at: Instant) -> None:
        """The next line is planned on what this one leaves."""
        assign = next((one.action for one in plan.wanted if isinstance(one.action, Assign)), None)
        served = dict(part.directory.served) | {
            pair: at + place for place, pair in enumerate(plan.served, len(part.lines))
        }
        agents = part.directory.agents
        if assign is not None and assign.assignee is not None:
            agents = tuple(
                replace(each, open_load=each.open_load + 1)
                if each.person.id == assign.assignee.id and each.open_load is not None
                else each
                for each in agents
            )
        part.directory = replace(part.directory, served=served, agents=agents)
