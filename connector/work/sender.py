"""Carrying out writes: marked before they leave, settled when they are known, never sent twice; and what is left
of a chain.

A write goes planned, sending, done; or to unknown (we find out), stale (decided afresh) or refused (a human
looks). Its state is committed before and after each request, so a crash at any point leaves either a write
that never left or one whose fate `find_out_about` tells. How often one is tried is `connector.work.retry`'s to say.

It goes on, in the next look, if an episode that asked for it still runs, without what a human has changed since.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import structlog
from sqlalchemy import Connection

from adapters.base import (
    AccessLost,
    Adapter,
    Gone,
    HelpdeskError,
    NotAllowed,
    Note,
    NotTaken,
    OutcomeUnknown,
    Receipt,
    Stale,
    TryLater,
    VendorAction,
    WontAccept,
    Write,
    held_by,
)
from connector.clock import Clock
from connector.store import accounts, holds, inbox, ledger, notices, writes
from connector.store.database import Store, advisory_lock
from connector.store.holds import Hold
from connector.store.ledger import LedgerEntry
from connector.store.notices import Notice
from connector.store.standings import remember_standings, standings_of
from connector.store.tickets import Superseded
from connector.store.writes import KeptWrite, State
from connector.work.budget import Desk
from connector.work.commit import Chained, line_about, line_of, partly_line, refused_lines, untaken_lines
from connector.work.context import Read, Rules, advanced
from connector.work.retry import FIND_OUT, WRITE
from policies.model import Directory, Instant, Priority, Seconds, Ticket, Who
from policies.plan import Assign, Occurrence, Plan, SetField
from policies.rules.outcomes import Outcome, after_outcome
from policies.state import Wrote

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """`dropped` are pairs of a write and why it is not sent any more."""

    goes_on: tuple[KeptWrite, ...] = ()
    dropped: tuple[tuple[KeptWrite, str], ...] = ()


def remainder(
    connection: Connection, adapter: Adapter, rest: Iterable[KeptWrite], plan: Plan, ticket: Ticket
) -> Remainder:
    """What of the rest is still to be sent after this look. What was planned behind a chain without knowing the ticket
    gets its request now; what holds by now is dropped, and so is what an exclusive policy does not let others do."""
    running = {episode.key for each in plan.standings if (episode := each.running) is not None}
    running |= plan.takes_back
    goes_on: list[KeptWrite] = []
    dropped: list[tuple[KeptWrite, str]] = []
    for kept in rest:
        why, intent = why_not(kept, running, ticket), kept.write.intent
        if plan.exclusive and plan.exclusive not in kept.episodes:
            intent = tuple(each for each in intent if not is_silenced(each))
        if not why and kept.write.intent and not intent:
            why = "an exclusive policy runs on the ticket"
        if not why and intent and (intent != kept.write.intent or not kept.write.request):
            prepared = adapter.prepare(ticket, intent, base_of(kept.write.key)).writes
            if prepared:
                write = replace(prepared[0], key=kept.write.key)
                writes.prepared(connection, write)
                goes_on.append(replace(kept, write=write))
                continue
            why = "it stands by now"
        if why:
            dropped.append((kept, why))
        else:
            goes_on.append(kept)
    return Remainder(goes_on=tuple(goes_on), dropped=tuple(dropped))


def why_not(kept: KeptWrite, running: set[str], ticket: Ticket) -> str:
    """Why this write is not to be sent any more; empty if it is."""
    if kept.episodes.isdisjoint(running):
        return "its episode has ended meanwhile"
    taken = {name for action in kept.write.intent for name in action.replaces}
    by_people = (
        change.field
        for change in ticket.changes
        if change.act.at >= kept.planned_at and change.act.who is Who.AGENT and change.field in taken
    )
    changed = next(by_people, None)
    return f"somebody has set {changed} meanwhile" if changed else ""


def is_silenced(action: VendorAction) -> bool:
    """Whether it replies, assigns or sets a field, which nobody else does while an exclusive policy runs (rule 6)."""
    return isinstance(action, Assign | SetField) or (isinstance(action, Note) and action.public)


def without_parts(action: VendorAction, refused: Collection[str], ticket: Ticket) -> VendorAction | None:
    """What is left of an action without these fields; None if nothing is. Where a person cannot have a ticket, its
    group can, unless it has it already."""
    if isinstance(action, Assign) and action.group and "assignee" in refused and "group" not in refused:
        there = ticket.group is not None and ticket.group.id == action.group.id
        return None if there or action.assignee is None else replace(action, assignee=None)
    return None if concerns(action, {field.partition(":")[0] for field in refused}) else action


def concerns(action: VendorAction, parts: Collection[str]) -> bool:
    """Whether an action replaces or adds to one of these."""
    return any(name in parts for name in (*action.replaces, *action.adds))


WATCHED: Seconds = 3600
"""How long after a write its parts are held against the next state of the ticket."""

AT_ONCE: Seconds = 5
"""What is undone so soon after a write, and not by a person as far as the helpdesk tells, was undone by a rule."""


def undone(kept: KeptWrite, ticket: Ticket, later: Collection[str]) -> tuple[NotTaken, ...]:
    """What of a write that its answer showed as done does not stand on the ticket as it was read after it, and no
    person undid, nor a write of ours to one of the fields `later`. Where the helpdesk hides who did it, a later change
    is taken for a person's, who wins."""
    receipt = kept.receipt
    if receipt is None or ticket.gone or ticket.revision == receipt.revision:
        return ()
    if ticket.actors_hidden and ticket.updated - receipt.at > AT_ONCE:
        return ()
    since = [each for each in ticket.changes if receipt.at <= each.act.at and each.act.who is not Who.OURS]
    by_people = {each.field for each in since if each.act.who in (Who.AGENT, Who.CUSTOMER)}
    told = {each.field for each in since}
    found: list[NotTaken] = []
    for name, before, after in receipt.changed:
        hides = name in ticket.hidden or (not ticket.actors_hidden and name not in told)
        if name in by_people or name in later or hides:
            continue
        now = held_by(ticket, (name,)).get(name)
        if name == "tags":
            held, added, taken = set(now or ()), set(after) - set(before), set(before) - set(after)
            stands = added <= held and taken.isdisjoint(held)
        elif name == "priority" and isinstance(now, Priority) and after and before:
            raised = Priority(after).rank > Priority(before).rank
            stands = now.rank >= Priority(after).rank if raised else now == after
        else:
            stands = now == (list(after) if isinstance(after, tuple) else after)
        if not stands:
            why = "it stood at first; a rule of the helpdesk may have changed it at once"
            found.append(NotTaken(field=name, wanted=after, found=now, why=why))
    return tuple(found)


def assigns(chain: Iterable[Chained | KeptWrite]) -> bool:
    """Whether some of these writes give the ticket to a group or person."""
    return any(isinstance(action, Assign) for one in chain for action in one.write.intent)


AGAIN, TOLD = "-again", "-told"
"""Put behind a write's key for the one more try of what the helpdesk did not take, and for what is said then."""

BEHIND = 50
"""Their place: behind the whole chain."""


LONG_AGO = float("-inf")
FRESH: Seconds = 5
"""A ticket that was read so long ago is read once more before it is written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a chain: whether anything was written, whether the ticket was given to somebody, and the ticket as
    the answers show it, None where it would have to be read again."""

    written: bool
    assigned: bool = False
    ticket: Ticket | None


class Sender:
    """Sends the writes of one ticket in order, and finds out about those of unknown fate."""

    def __init__(self, store: Store, clock: Clock, read: Read, rules: Callable[[], Rules]) -> None:
        self._store = store
        self._clock = clock
        self._read = read
        self._rules = rules

    def find_out_about(self, desk: Desk, under_way: Iterable[KeptWrite]) -> None:
        """Find out what became of writes that left. Raises TryLater while it is too early to know."""
        for kept in under_way:
            self._find_out(desk, kept)

    def look_after(self, done: Iterable[KeptWrite], ticket: Ticket) -> bool:
        """Hold what was written against the ticket as it was read since: what was undone at once is treated as not
        taken, each write once. Answers whether anything was."""
        lost: list[tuple[KeptWrite, tuple[NotTaken, ...]]] = []
        later: set[str] = set()
        for kept in reversed(tuple(done)):
            if parts := undone(kept, ticket, later):
                lost.append((kept, parts))
            later |= {name for name, _, _ in kept.receipt.changed} if kept.receipt else set()
        if not lost:
            return False
        now, ref = self._clock.now(), ticket.ref
        with self._store.writing() as connection:
            advisory_lock(connection, str(ref))
            said = {
                line.data.get("key") for line in ledger.of_ticket(connection, ref) if line.what == "not taken"
            }
            new = [(kept, parts) for kept, parts in lost if kept.write.key not in said]
            for kept, parts in new:
                if kept.receipt is not None:
                    receipt = replace(kept.receipt, not_taken=parts)
                    lines = self._not_taken(connection, kept, receipt, now)
                    lacks = {part.field for part in parts}
                    ledger.append(connection, [*lines, partly_line(kept, lacks, now)])
        for kept, parts in new:
            text = "; ".join(f"{part.field} is {part.found}, not {part.wanted}" for part in parts)
            log.warning("not_taken", ticket=str(ref), policy=kept.policy, level=kept.level, text=text)
        return bool(new)

    def send(
        self, desk: Desk, chain: Sequence[KeptWrite], ticket: Ticket, directory: Directory, read: float
    ) -> Sent:
        """Send writes in order, the first on the ticket as it was `read` (by the monotonic clock), each other on the
        revision that the one before left. One that is refused keeps no other back; behind one that is to be tried
        again, all wait. Raises TryLater, OutcomeUnknown or AccessLost."""
        revision, written, assigned = ticket.revision, False, False
        stands: Ticket | None = ticket
        for kept in chain:
            state, receipt = self._send_one(desk, kept, ticket, revision, read)
            if receipt is not None:
                revision, written = receipt.revision, True
                lost = {part.field for part in receipt.not_taken}
                moved = {name for name, _, _ in receipt.changed} & {"group", "assignee"}
                assigned |= not moved <= lost
                read = self._clock.monotonic() if receipt.complete else LONG_AGO
                stands = stands and advanced(stands, receipt, directory)
            elif state is not State.REFUSED:
                return Sent(written=written, ticket=None)
        return Sent(written=written, assigned=assigned, ticket=stands)

    def _send_one(
        self, desk: Desk, kept: KeptWrite, ticket: Ticket, revision: str, read: float
    ) -> tuple[State | None, Receipt | None]:
        """How it ended; a state of None says that it is not ours to send, or to be tried again."""
        with self._store.writing() as connection:
            attempt = writes.begin(connection, kept.write.key, kept.look, self._clock.now())
        if attempt is None:
            return None, None
        kept = replace(kept, attempt=attempt, sent_at=self._clock.now())
        if kept.tries and (found := self._done_before(desk, kept)) is not None:
            self._ended(kept, State.DONE, "found at the helpdesk", found)
            return State.DONE, found
        left: list[bool] = []
        public = any(isinstance(action, Note) and action.public for action in kept.write.intent)
        fresh = not public and self._clock.monotonic() - read < FRESH

        def about_to_leave() -> None:
            with self._store.asking() as connection:
                ours = writes.is_under_way(connection, kept.write.key, kept.attempt)
            if not ours:
                raise Superseded(f"{kept.write.key} was taken over")
            left.append(True)

        try:
            with desk.budget.before_each_request(about_to_leave):
                receipt = desk.adapter.send(kept.write, revision, fresh=fresh)
        except Gone as error:
            if left and any(isinstance(action, Note) for action in kept.write.intent):
                # it may have been said all the same; a second time would be once too often
                self._ended(kept, State.UNKNOWN, str(error), tried=True)
                raise OutcomeUnknown(str(error)) from error
            return self._try_again(kept, str(error), tried=True), None
        except Stale as error:
            return self._try_again(kept, str(error), tried=True), None
        except TryLater as error:
            refused = self._try_again(kept, str(error), tried=bool(left), wait=error.wait)
            if refused is None:
                raise TryLater(
                    str(error), max(error.wait, WRITE.after(kept.tries + 1) if left else 0)
                ) from error
            return refused, None
        except AccessLost as error:
            self._put_off(kept, str(error), tried=False, next_try=None)
            raise
        except WontAccept as error:
            rest = self._without_refused(desk, kept, ticket, error)
            if rest is not None:
                return self._send_one(desk, rest, ticket, revision, read)
            self._ended(kept, State.REFUSED, str(error))
            return State.REFUSED, None
        except NotAllowed as error:
            self._ended(kept, State.REFUSED, str(error))
            return State.REFUSED, None
        except OutcomeUnknown as error:
            self._ended(kept, State.UNKNOWN, str(error), tried=True)
            raise
        self._ended(kept, State.DONE, "", receipt)
        return State.DONE, receipt

    def _done_before(self, desk: Desk, kept: KeptWrite) -> Receipt | None:
        """A text that the helpdesk said it had not taken, and had: where notes carry our mark, it is looked for before
        it is said a second time."""
        marked = desk.adapter.capabilities.hidden_mark
        if not (marked and any(isinstance(action, Note) for action in kept.write.intent)):
            return None
        try:
            return self._read(desk.adapter.find_written, kept.write)
        except HelpdeskError as trouble:
            raise OutcomeUnknown(f"whether {kept.write.key} was taken is not known: {trouble}") from trouble

    def _without_refused(
        self, desk: Desk, kept: KeptWrite, ticket: Ticket, error: WontAccept
    ) -> KeptWrite | None:
        """What is left to be sent once the parts that the helpdesk named are out; None if nothing is. Where it named
        nothing that is ours, no field can be written, but something can be said."""
        if not error.parts:
            return None
        now, intent = self._clock.now(), kept.write.intent
        refused = {part.field for part in error.parts if part.field}
        left = [rest for action in intent if (rest := without_parts(action, refused, ticket)) is not None]
        if tuple(left) == intent:
            left = [action for action in intent if isinstance(action, Note)]
        lost = [action.called for action in intent if action not in left]
        prepared = desk.adapter.prepare(ticket, tuple(left), base_of(kept.write.key)).writes if lost else ()
        with self._store.writing() as connection:
            ledger.append(connection, refused_lines(kept, error.parts, now))
            if not prepared:
                return None
            write = replace(prepared[0], key=kept.write.key, expects=kept.write.expects)
            missing = kept.missing | frozenset(lost)
            if not writes.narrow(connection, kept.write.key, kept.attempt, write, missing):
                raise Superseded(f"{kept.write.key} was taken over")
        for part in error.parts:
            log.warning(
                "part_refused",
                ticket=str(kept.write.ref),
                policy=kept.policy,
                level=kept.level,
                field=part.field,
                vendor_field=part.vendor_field,
                reason=part.text,
            )
        return replace(kept, write=write, missing=missing)

    def _find_out(self, desk: Desk, kept: KeptWrite) -> None:
        counts = kept.state is State.SENDING  # one of unknown fate has been counted
        try:
            receipt = self._read(desk.adapter.find_written, kept.write)
        except Gone:
            self._ended(kept, State.STALE, "the ticket is gone")
            return
        if receipt is not None:
            self._ended(kept, State.DONE, "found at the helpdesk", receipt)
            return
        wait = min((kept.sent_at or kept.planned_at) + FIND_OUT - self._clock.now(), FIND_OUT)
        if wait > 0:
            raise TryLater(f"the fate of {kept.write.key} is not known yet", wait)
        public = any(isinstance(action, Note) and action.public for action in kept.write.intent)
        if public and not desk.adapter.capabilities.hidden_mark:
            nobody_knows = "nobody can tell whether this public reply was sent; please look"
            self._ended(kept, State.REFUSED, nobody_knows)
            return
        why = "it did not reach the helpdesk" + (f": {kept.error}" if kept.error else "")
        self._try_again(kept, why, tried=counts)

    def _try_again(self, kept: KeptWrite, why: str, *, tried: bool, wait: Seconds = 0) -> State | None:
        """It was not applied: it is tried again later, unless it has been often enough. REFUSED if so."""
        tries = kept.tries + int(tried)
        if tries >= WRITE.tries:
            self._ended(kept, State.REFUSED, f"given up after {tries} tries: {why}", tried=tried)
            return State.REFUSED
        pause = WRITE.after(tries) if tries else 0
        self._put_off(
            kept, why, tried=tried, next_try=self._clock.now() + max(pause, wait) if tried else None
        )
        return None

    def _put_off(self, kept: KeptWrite, why: str, *, tried: bool, next_try: Instant | None) -> None:
        """The first write of a chain is decided afresh; a later one belongs to a level that has fired, and is sent
        again if it can be."""
        if kept.place:
            with self._store.writing() as connection:
                writes.again(connection, kept.write.key, kept.attempt, why, tried=tried, next_try=next_try)
            log.info("write_put_off", ticket=str(kept.write.ref), key=kept.write.key, text=why)
            return
        self._ended(kept, State.STALE, why, tried=tried, next_try=next_try)

    def _ended(
        self,
        kept: KeptWrite,
        state: State,
        text: str,
        receipt: Receipt | None = None,
        *,
        tried: bool = False,
        next_try: Instant | None = None,
    ) -> None:
        now = self._clock.now()
        ref = kept.write.ref
        lines: list[LedgerEntry] = []
        happened: tuple[Occurrence, ...] = ()
        kept = replace(kept, tries=kept.tries + int(tried))
        with self._store.writing() as connection:
            advisory_lock(connection, str(ref))
            told = writes.settle(
                connection,
                kept,
                state,
                now,
                receipt=receipt,
                error=text or None,
                tried=tried,
                next_try=next_try,
            )
            if told:
                happened, meant = self._remember(connection, kept, state, receipt, now)
                if state == State.STALE:  # with it, or a crash now would leave nobody to decide afresh
                    due = max(now + 1, next_try or 0)
                    why, waits = f"a write was not applied: {text}", next_try is not None
                    inbox.start_timer(connection, ref, due, why, holds=waits, since=now)
                lines = [line_about(kept, state, text, receipt, now)]
                if receipt and receipt.not_taken:
                    lines += self._not_taken(connection, kept, receipt, now)
                if receipt and (lacks := kept.missing | {part.field for part in receipt.not_taken}):
                    lines.append(partly_line(kept, lacks, now))
                ledger.append(connection, [*meant, *lines])
        remarked = state is State.REFUSED or len(lines) > 1 or (receipt is not None and receipt.remarks)
        tell = log.warning if remarked else log.info
        tell(
            "write",
            ticket=str(ref),
            policy=kept.policy,
            level=kept.level,
            key=kept.write.key,
            state=str(state),
            text=lines[0].text if lines else text,
            current=told,
        )
        for line in lines[1:]:
            log.warning(
                line.what.replace(" ", "_"),
                ticket=str(ref),
                policy=line.policy,
                level=line.level,
                text=line.text,
                next=f"uptier history {ref}",
            )
        for each in happened:
            log.info(each.what, ticket=str(ref), policy=each.policy, level=each.level, owner=each.owner)

    def _not_taken(
        self, connection: Connection, kept: KeptWrite, receipt: Receipt, now: Instant
    ) -> list[LedgerEntry]:
        """What the helpdesk said it did and did not: it is said, tried once more, and then held for a human. What was
        to be said to somebody is not said twice."""
        ref, key = kept.write.ref, kept.write.key
        known = accounts.read_directory(connection, ref.account)
        lines = untaken_lines(kept, receipt, known.directory if known else None, now)
        fields = {part.field.partition(":")[0] for part in receipt.not_taken}
        repeated = tuple(
            action
            for action in kept.write.intent
            if not isinstance(action, Note) and concerns(action, fields)
        )
        if not repeated:
            return lines
        if not key.endswith(AGAIN):
            self._plan_behind(connection, kept, f"{key}{AGAIN}", repeated, kept.level, now)
            return lines
        why = f"{'; '.join(line.text for line in lines)}, also when it was written once more"
        if holds.put_hold(connection, Hold(ref=ref, scope="parts", why=why, since=now)):
            lines.append(LedgerEntry(at=now, account=ref.account, ticket=ref.id, what="held", text=why))
        if "assignee" in fields or "group" in fields:
            self._tell_owner(connection, kept, why, now)
        return lines

    def _tell_owner(self, connection: Connection, kept: KeptWrite, why: str, now: Instant) -> None:
        """Whoever was to have the ticket hears that it did not come: a note, and the level's channels."""
        ref, rules = kept.write.ref, self._rules()
        body = f"Uptier could not hand this ticket over: {why}. To let it go on: uptier release {ref}"
        note = Note(public=False, body=body)
        self._plan_behind(connection, kept, f"{kept.write.key}{TOLD}", (note,), "", now)
        levels = (
            level
            for policy in rules.policies.policies
            if policy.name == kept.policy
            for level in policy.levels
            if level.name == kept.level
        )
        for channel in sorted({channel for level in levels for channel in level.channels}):
            notice = Notice(
                key=f"{kept.write.key}{TOLD}:notify:{channel}",
                channel=channel,
                ref=ref,
                episodes=kept.episodes,
                policy=kept.policy,
                level=kept.level,
                title=f"{ref} could not be handed over",
                body=body,
            )
            notices.plan(connection, notice, now)

    def _plan_behind(
        self,
        connection: Connection,
        kept: KeptWrite,
        key: str,
        intent: tuple[VendorAction, ...],
        level: str,
        now: Instant,
    ) -> None:
        """Plan a write behind the chain of this one; the next look works it out on the ticket as it is then."""
        writes.plan(
            connection,
            Write(key=key, ref=kept.write.ref, expects="", intent=intent),
            episodes=kept.episodes,
            policy=kept.policy,
            level=level,
            place=kept.place + BEHIND,
            now=now,
        )

    def _remember(
        self, connection: Connection, kept: KeptWrite, state: State, receipt: Receipt | None, now: Instant
    ) -> tuple[tuple[Occurrence, ...], list[LedgerEntry]]:
        """Carry the outcome into what the policies remember, and answer what that came to, and its lines; an unknown
        fate changes nothing yet."""
        result = RESULTS.get(state)
        if result is None:
            return (), []
        ref = kept.write.ref
        wrote: tuple[Wrote, ...] = ()
        if receipt is not None:
            fact = receipt.facts[0] if receipt.facts else receipt.revision
            wrote = tuple(
                Wrote(field=name, before=before, after=after, fact=fact)
                for name, before, after in receipt.changed
            )
        outcome = Outcome(
            key=kept.write.key,
            episodes=tuple(sorted(kept.episodes)),
            result=result,
            at=now,
            wrote=wrote,
            decides=kept.place == 0,
        )
        before = standings_of(connection, ref)
        remembered, occurrences = after_outcome(before, outcome)
        remember_standings(connection, ref, remembered, before=before)
        return occurrences, [line_of(ref, occurrence, remembered) for occurrence in occurrences]


RESULTS: dict[State, Literal["done", "refused", "stale"]] = {
    State.DONE: "done",
    State.REFUSED: "refused",
    State.STALE: "stale",
}


def base_of(key: str) -> str:
    """A write's key without its part."""
    return key.rpartition(":")[0]
