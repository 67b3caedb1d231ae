"""How a plan is applied: its orders are left in the inbox; a running service carries them out, or this process does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from connector.app.compose import Parts
from connector.clock import Clock
from connector.engine.local import Backoff
from connector.render import Step, many
from connector.store import accounts, fleet, inbox, notices
from connector.store.database import Store, shared_now
from connector.work.plans import Fate, ManyPlan, fates, give
from policies.model import Instant, Seconds, TicketRef

ROUNDS = 50
"""How often a line is tried here at most, so that applying ends whatever a helpdesk answers."""

LONGEST_WAIT: Seconds = 75
"""What a line waits for is waited out here up to so long: the fate of a write that left, a window of requests."""

LOOKS_EVERY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a plan: the fate of each line that has ended, by ticket, and why each other one waits. `untold` is
    how many notifications wait for a service to send them."""

    fates: Mapping[str, tuple[Fate, str]]
    waiting: Mapping[str, str]
    untold: int = 0

    @property
    def whole(self) -> bool:
        """Whether every line was carried out."""
        return not self.waiting and all(fate == "plan applied" for fate, _ in self.fates.values())


def served_by_others(store: Store, clock: Clock) -> bool:
    """Whether a process of a fleet looks at tickets now. On the embedded database its lock tells."""
    if store.path is not None:
        return False
    with store.reading() as connection:
        nodes = fleet.others(connection, "", shared_now(connection, clock))
    return any("worker" in node.roles and not node.silent for node in nodes)


def apply_here(parts: Parts, plan: ManyPlan, who: str, progress: Callable[[str], None]) -> Applied:
    """Carry a plan out in this process, line after line: those of it that an earlier call has not ended. Channels are
    told after that."""
    store, clock = parts.store, parts.clock
    with store.writing() as connection:
        give(connection, plan, who, clock.now())
    looks = Backoff(store, clock, parts.ailments)
    for _ in range(ROUNDS):
        left = workable(store, plan)
        if not left:
            break
        for number, ticket in enumerate(left, 1):
            ref = TicketRef.parse(ticket)
            if resting(store, ref, clock.now()) <= 0:
                progress(Step(f"{ticket}: line {number} of {len(left)}", number, len(left)))
                looks.look(parts.worker.work, ref)
        again = [resting(store, TicketRef.parse(ticket), clock.now()) for ticket in workable(store, plan)]
        wait = min(again, default=0)
        if wait > LONGEST_WAIT:
            break
        if again:
            clock.sleep(max(wait, LOOKS_EVERY))
    parts.notifier.deliver()
    with store.reading() as connection:
        counted = notices.counts(connection)
    untold = sum(many for (_, how), many in counted.items() if how in (notices.State.WAITING, "failing"))
    return replace(outcome(store, plan), untold=untold)


def leave_and_wait(
    store: Store, clock: Clock, plan: ManyPlan, who: str, patience: Seconds, progress: Callable[[str], None]
) -> Applied:
    """Leave a plan's orders for the service that runs, and wait for what becomes of them, at most so long."""
    with store.writing() as connection:
        give(connection, plan, who, clock.now())
    until, said = clock.monotonic() + patience, -1
    while True:
        now = outcome(store, plan)
        if len(now.fates) != said:
            said = len(now.fates)
            whole = len(plan.lines)
            progress(Step(f"{said} of {many(whole, 'line')} ended", said, whole))
        if not now.waiting or clock.monotonic() >= until:
            return now
        clock.sleep(LOOKS_EVERY)


def workable(store: Store, plan: ManyPlan) -> tuple[str, ...]:
    """The tickets of a plan whose lines have not ended and whose accounts are not paused."""
    with store.reading() as connection:
        paused = {one.name for one in accounts.every(connection) if one.paused_at is not None}
    left = outcome(store, plan).waiting
    return tuple(ticket for ticket in left if TicketRef.parse(ticket).account not in paused)


def outcome(store: Store, plan: ManyPlan) -> Applied:
    """What has become of a plan so far."""
    with store.reading() as connection:
        known = fates(connection, plan)
        waiting = {}
        for line in plan.lines:
            if line.ticket not in known:
                ref = TicketRef.parse(line.ticket)
                timer, account = inbox.timer_of(connection, ref), accounts.get(connection, ref.account)
                if account is not None and account.paused_at is not None:
                    waiting[line.ticket] = f"the account is paused: {account.paused_reason}"
                else:
                    waiting[line.ticket] = timer.why if timer is not None and timer.holds else ""
    return Applied(
        fates={line.ticket: known[line.ticket] for line in plan.lines if line.ticket in known},
        waiting=waiting,
    )


def resting(store: Store, ref: TicketRef, now: Instant) -> Seconds:
    """For how many seconds the ticket is held back."""
    with store.reading() as connection:
        timer = inbox.timer_of(connection, ref)
    return max(timer.due - now, 0) if timer is not None and timer.holds else 0
