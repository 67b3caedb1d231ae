"""How an undo is carried out once it is ordered: a running service does it, or this process does."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connector.app.applying import LONGEST_WAIT, LOOKS_EVERY, ROUNDS
from connector.app.compose import Parts
from connector.clock import Clock
from connector.engine.local import Backoff
from connector.render import Step, many
from connector.store import inbox, ledger, tickets, undone
from connector.store.database import Store
from policies.model import Seconds, TicketRef

TOLD = {
    "undone": "undone",
    "put back": "put back",
    "left out": "left as it is",
    "write refused": "refused by the helpdesk",
    "order refused": "not done",
}
"""What the ledger says of an undo, and the word for it."""

NEEDS_HUMAN = ("write refused", "order refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of an undo: how often each thing happened, in words; sentences about what needs a human, or stayed;
    and where it is not over, by ticket, why."""

    counts: dict[str, int]
    said: tuple[str, ...]
    waiting: dict[str, str]
    needs_human: bool


def carry_out_here(parts: Parts, refs: Sequence[TicketRef], progress: Callable[[str], None]) -> None:
    """Take the looks at these tickets that their undos need, in this order, and no others. Interrupted anywhere, it can
    be called again. It ends, at the latest, once so many rounds in turn have got nothing done."""
    store, clock = parts.store, parts.clock
    looks, said, in_vain = Backoff(store, clock, parts.ailments), -1, 0
    while (rest := left(store, refs)) and in_vain < ROUNDS:
        in_vain += 1
        if len(rest) != said:
            said, in_vain = len(rest), 0
            progress(done_of(len(refs) - said, len(refs)))
        for ref in rest:
            if rests(store, ref, clock) <= 0:
                looks.look(parts.worker.work, ref)
        parts.notifier.deliver()
        wait = min((rests(store, ref, clock) for ref in left(store, refs)), default=0)
        if wait > LONGEST_WAIT:
            break
        clock.sleep(max(wait, LOOKS_EVERY))
    parts.notifier.deliver()


def wait_for_service(
    store: Store, clock: Clock, refs: Sequence[TicketRef], patience: Seconds, progress: Callable[[str], None]
) -> None:
    """Wait until the service that runs has done it, at most so long."""
    until, said = clock.monotonic() + patience, -1
    while (rest := left(store, refs)) and clock.monotonic() < until:
        if len(rest) != said:
            said = len(rest)
            progress(done_of(len(refs) - said, len(refs)))
        clock.sleep(LOOKS_EVERY)


def done_of(done: int, whole: int) -> Step:
    """How far an undo is."""
    return Step(f"{done} of {many(whole, 'ticket')} done", done, whole)


def left(store: Store, refs: Sequence[TicketRef]) -> tuple[TicketRef, ...]:
    """Those of the tickets on which an undo is not over, in this order."""
    with store.reading() as connection:
        taken = undone.under_way(connection)
    return tuple(ref for ref in refs if ref in taken)


def rests(store: Store, ref: TicketRef, clock: Clock) -> Seconds:
    """For how many seconds a look at the ticket would come too early: it is held back, or its last write settles."""
    with store.reading() as connection:
        timer, fresh = inbox.timer_of(connection, ref), undone.is_ordered(connection, ref)
    if timer is None or (fresh and not timer.holds):
        return 0
    return max(timer.due - clock.now(), 0)


def outcome(store: Store, refs: Sequence[TicketRef], before: int) -> Carried:
    """What the ledger says of the undo behind this line, and what is not over."""
    meant, counts, said = set(refs), Counter[str](), list[str]()
    needs_human = False
    with store.reading() as connection:
        names = tickets.names(connection, map(str, refs))
        for line in ledger.onward(connection, before):
            if TicketRef(line.account, line.ticket) in meant and line.what in TOLD:
                counts[TOLD[line.what]] += 1
                needs_human = needs_human or line.what in NEEDS_HUMAN
                if line.what not in ("undone", "put back"):
                    said.append(f"{names[f'{line.account}/{line.ticket}']}: {TOLD[line.what]}: {line.text}")
        waiting = {}
        for ref in undone.under_way(connection) & meant:
            timer = inbox.timer_of(connection, ref)
            waiting[str(ref)] = timer.why if timer is not None and timer.holds else ""
    return Carried(counts=dict(counts), said=tuple(said), waiting=waiting, needs_human=needs_human)
