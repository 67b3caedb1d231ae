"""Carrying out writes: marked before they leave, settled when they are known, never sent twice.

A write goes planned, sending, done; or to unknown (we find out), stale (decided afresh) or refused (a human
looks). Its state is committed before and after each request, so a crash at any point leaves either a write
that never left or one whose fate `settle` finds out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import structlog
from sqlalchemy import Connection

from adapters.base import (
    AccessLost,
    Gone,
    NotAllowed,
    OutcomeUnknown,
    Receipt,
    Stale,
    TryLater,
    WontAccept,
)
from connector.clock import Clock
from connector.desks import Desk
from connector.store import ledger, standings, tickets, timers, writes
from connector.store.database import Store
from connector.store.dialect import alone
from connector.store.writes import KeptWrite, State
from connector.work.lines import line_about, line_of
from connector.work.reading import Read
from policies.memory import Wrote
from policies.model import Instant
from policies.settle import Outcome, settle

FIND_OUT = 5
"""Seconds after sending before "it is not there" is believed: a late request may still be applied."""

ATTEMPTS = 10
"""How often a later write of a chain is sent before it is dropped, with a line in the ledger."""

log = structlog.get_logger()


class Superseded(Exception):
    """Another process has taken the ticket over, because this one did not answer for a while. Nothing more is done
    here, neither to the ticket nor to its rows."""


class Sender:
    """Sends the writes of one ticket in order, and finds out about those of unknown fate."""

    def __init__(self, store: Store, clock: Clock, read: Read) -> None:
        self._store = store
        self._clock = clock
        self._read = read

    def settle(self, desk: Desk, under_way: Iterable[KeptWrite]) -> None:
        """Find out what became of writes that left. Raises TryLater while it is too early to know."""
        for kept in under_way:
            self._find_out(desk, kept)

    def send(self, desk: Desk, chain: Sequence[KeptWrite], revision: str) -> None:
        """Send writes in order, the first on this revision, each other on the one that the write before left.
        Stops at the first that is not done: what follows is seen to in the next look. Raises TryLater,
        OutcomeUnknown or AccessLost."""
        for kept in chain:
            receipt = self._send_one(desk, kept, revision)
            if receipt is None:
                return
            revision = receipt.revision

    def _send_one(self, desk: Desk, kept: KeptWrite, revision: str) -> Receipt | None:
        with self._store.writing() as connection:
            attempt = writes.begin(connection, kept.write.key, kept.look, self._clock.now())
        if attempt is None:
            return None
        kept = replace(kept, attempt=attempt, sent_at=self._clock.now())
        try:
            with desk.budget.before_each_request(partial(self._still_ours, kept)):
                receipt = desk.adapter.send(kept.write, revision)
        except Stale as error:
            self._put_off(kept, str(error))
            return None
        except Gone as error:
            self._ended(kept, State.STALE, str(error))
            return None
        except (TryLater, AccessLost) as error:
            self._put_off(kept, str(error))
            raise
        except (WontAccept, NotAllowed) as error:
            self._ended(kept, State.REFUSED, str(error))
            return None
        except OutcomeUnknown as error:
            self._ended(kept, State.UNKNOWN, str(error))
            raise
        self._ended(kept, State.DONE, "", receipt)
        return receipt

    def _still_ours(self, kept: KeptWrite) -> None:
        with self._store.asking() as connection:
            ours = writes.is_under_way(connection, kept.write.key, kept.attempt)
        if not ours:
            raise Superseded(f"{kept.write.key} was taken over")

    def _find_out(self, desk: Desk, kept: KeptWrite) -> None:
        try:
            receipt = self._read(desk.adapter.find_written, kept.write)
        except Gone:
            self._ended(kept, State.STALE, "the ticket is gone")
            return
        if receipt is not None:
            self._ended(kept, State.DONE, "found at the helpdesk", receipt)
            return
        wait = (kept.sent_at or kept.planned_at) + FIND_OUT - self._clock.now()
        if wait > 0:
            raise TryLater(f"the fate of {kept.write.key} is not known yet", wait)
        if _says_publicly(kept) and not desk.adapter.capabilities.hidden_mark:
            self._ended(
                kept, State.REFUSED, "nobody can tell whether this public reply was sent; please look"
            )
            return
        self._put_off(kept, "it did not reach the helpdesk")

    def _put_off(self, kept: KeptWrite, why: str) -> None:
        """It was not applied. The first write of a chain is decided afresh; a later one belongs to a level that
        has fired, and is sent again if it can be."""
        if kept.place and kept.attempt < ATTEMPTS:
            with self._store.writing() as connection:
                writes.again(connection, kept.write.key, kept.attempt, why)
            log.info("write_put_off", ticket=str(kept.write.ref), key=kept.write.key, text=why)
            return
        self._ended(kept, State.STALE, why)

    def _ended(self, kept: KeptWrite, state: State, text: str, receipt: Receipt | None = None) -> None:
        now = self._clock.now()
        ref = kept.write.ref
        with self._store.writing() as connection:
            alone(connection, str(ref))
            told = writes.settle(
                connection, kept.write.key, kept.attempt, state, now, receipt=receipt, error=text or None
            )
            if told:
                self._remember(connection, kept, state, receipt, now)
                for name, _, after in receipt.changed if receipt else ():
                    if name == "assignee":
                        tickets.assign(connection, ref, after)
                if state == State.STALE:  # with it, or a crash now would leave nobody to decide afresh
                    timers.start(connection, ref, now + 1, "a write was not applied and is decided afresh")
                ledger.append(connection, [line_about(kept, state, text, receipt, now)])
        log.info("write", ticket=str(ref), key=kept.write.key, state=str(state), text=text, current=told)

    def _remember(
        self, connection: Connection, kept: KeptWrite, state: State, receipt: Receipt | None, now: Instant
    ) -> None:
        """Carry the outcome into what the policies remember; an unknown fate changes nothing yet."""
        result = RESULTS.get(state)
        if result is None:
            return
        ref = kept.write.ref
        outcome = Outcome(
            key=kept.write.key,
            episodes=tuple(sorted(kept.episodes)),
            result=result,
            at=now,
            wrote=_wrote(receipt),
        )
        remembered, occurrences = settle(standings.of_ticket(connection, ref), outcome)
        standings.remember(connection, ref, remembered)
        ledger.append(connection, [line_of(ref, occurrence, remembered) for occurrence in occurrences])


RESULTS: dict[State, Literal["done", "refused", "stale"]] = {
    State.DONE: "done",
    State.REFUSED: "refused",
    State.STALE: "stale",
}


def _wrote(receipt: Receipt | None) -> tuple[Wrote, ...]:
    if receipt is None:
        return ()
    fact = receipt.facts[0] if receipt.facts else receipt.revision
    return tuple(
        Wrote(field=f, before=before, after=after, fact=fact) for f, before, after in receipt.changed
    )


def _says_publicly(kept: KeptWrite) -> bool:
    return any(action.kind == "note" and action.public for action in kept.write.intent)
