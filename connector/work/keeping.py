"""The one transaction that stores a look: rows closed, facts, standings, writes, the timer, the ledger."""

from collections.abc import Sequence

from sqlalchemy import Connection

from connector.store import accounts, holds, inbox, ledger, notices, tickets, writes
from connector.store.holds import Hold
from connector.store.ledger import Line
from connector.store.writes import KeptWrite, State
from connector.work.intents import Intents
from connector.work.lines import line_about, line_of
from policies.model import Instant, Order, Seconds, Status, Ticket, TicketRef
from policies.plan import Occurrence, Plan
from policies.rules.episode import live
from policies.rules.outcomes import Outcome, settle

HISTORIES = frozenset({"messages", "changes", "targets"})
"""What a helpdesk may not show of a ticket for a while."""


def keep_look(
    connection: Connection,
    ticket: Ticket,
    plan: Plan,
    intents: Intents,
    rows: Sequence[int],
    policy_hash: str,
    settle_seconds: Seconds,
    dropped: Sequence[tuple[KeptWrite, str]] = (),
) -> tuple[KeptWrite, ...]:
    """Store a look and what it decided; answers the writes to send, in order, what is left of older chains
    first. `dropped` of those are not sent any more."""
    ref = ticket.ref
    nothing_sent = Outcome(key="", episodes=intents.unsent, result="done", at=plan.now)
    remembered, more = settle(plan.standings, nothing_sent)
    tickets.remember_standings(connection, ref, remembered)
    tickets.keep_episodes(connection, ref, plan.ended)
    for group, person in plan.served:
        accounts.note_served(connection, ref.account, group, person, plan.now)
    ledger.append(connection, _lines(connection, plan, (*plan.occurrences, *more), intents))
    for kept, why in dropped:
        writes.drop(connection, kept.write.key, why, plan.now)
    ledger.append(connection, [line_about(kept, State.STALE, why, None, plan.now) for kept, why in dropped])
    _keep_writes(connection, intents, plan.now)
    for notice in intents.notices:
        notices.plan(connection, notice, plan.now)
    newest = _keep_facts(connection, ticket, plan, policy_hash, settle_seconds)
    inbox.close(connection, rows, plan.now)
    holds.drop(connection, ref, over=all(live(one) is None for one in plan.standings))
    waiting = writes.waiting(connection, ref, plan.now).values()
    tries = [kept.next_try for kept in waiting if kept.state is State.PLANNED]
    failed = [
        holds.aside_of(connection, ref.account, ref.id, holds.aside_of_policy(each.policy))
        for each in plan.failed
    ]
    tries += [apart.next_try for apart in failed if apart]
    due = [plan.now if not newest else plan.next_look, *tries, _shown_again(ticket, plan.now)]
    _set_timer(connection, plan, min((at for at in due if at is not None), default=None))
    return writes.take_over(connection, ref, tickets.looks(connection, ref), plan.now)


def keep_held(
    connection: Connection,
    ticket: Ticket,
    plan: Plan,
    hold: Hold,
    rows: Sequence[int],
    policy_hash: str,
    settle_seconds: Seconds,
    orders: Sequence[Order],
) -> bool:
    """Store a look whose writes are held: nothing has fired, and a human hears of it. False if the ticket was
    held before. It needs no timer: whoever releases it owes it a look. Orders are refused until then."""
    ref = ticket.ref
    ledger.append(connection, [_unheard(ref, order) for order in orders])
    _keep_facts(connection, ticket, plan, policy_hash, settle_seconds)
    inbox.close(connection, rows, plan.now)
    inbox.stop_timer(connection, ref)
    if not holds.put_hold(connection, hold):
        return False
    line = Line(at=plan.now, account=ref.account, ticket=ref.id, what="held", text=hold.why)
    ledger.append(connection, [line])
    return True


def _keep_facts(
    connection: Connection, ticket: Ticket, plan: Plan, policy_hash: str, settle_seconds: Seconds
) -> bool:
    return tickets.record_look(
        connection,
        ticket,
        plan.trace,
        now=plan.now,
        next_look=plan.next_look,
        matched=any(one.matched for one in plan.standings),
        owner=plan.owner.name if plan.owner else None,
        policy_hash=policy_hash,
        settle=settle_seconds,
    )


def _keep_writes(connection: Connection, intents: Intents, now: Instant) -> None:
    for place, chained in enumerate(intents.chain):
        writes.plan(
            connection,
            chained.write,
            episodes=chained.episodes,
            policy=chained.policy,
            level=chained.level,
            place=place,
            now=now,
        )


def _shown_again(ticket: Ticket, now: Instant) -> Instant | None:
    """When to see whether a history that was not shown is shown by now, which no feed would tell: the longer the
    ticket has stood still, the more seldom, from a quarter of an hour to a day."""
    if not ticket.hidden & HISTORIES or ticket.gone or ticket.status in (Status.SOLVED, Status.CLOSED):
        return None
    return now + min(max((now - ticket.updated) // 2, 900), 86400)


def _set_timer(connection: Connection, plan: Plan, due: Instant | None) -> None:
    if due is None:
        inbox.stop_timer(connection, plan.ref)
    else:
        inbox.start_timer(connection, plan.ref, due, "a level, or what it waits for, is due")


def _lines(
    connection: Connection, plan: Plan, occurrences: Sequence[Occurrence], intents: Intents
) -> list[Line]:
    """What happened, in order, then what was left out; a warning is said once for each ticket."""
    lines = [line_of(plan.ref, each, plan.standings) for each in occurrences]
    lines += [_remark(plan, "left out", gap) for gap in intents.left_out]
    told = {line.text for line in ledger.of_ticket(connection, plan.ref)} if plan.warnings else set()
    lines += [_remark(plan, "warning", text) for text in dict.fromkeys(plan.warnings) if text not in told]
    return lines


def _unheard(ref: TicketRef, order: Order) -> Line:
    text = f"{order.verb} {order.because}; the ticket is held: uptier release {ref}"
    return Line(
        at=order.at, account=ref.account, ticket=ref.id, what="order refused", who=order.who, text=text
    )


def _remark(plan: Plan, what: str, text: str) -> Line:
    return Line(at=plan.now, account=plan.ref.account, ticket=plan.ref.id, what=what, text=text)
