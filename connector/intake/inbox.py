"""How news becomes inbox rows: a name for each delivery, what of a page needs a look at all, people's orders, one
COMMIT for many webhooks."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import structlog
from sqlalchemy import Connection

from adapters.base import Aside, Event, Page
from connector.app.supervision import PROVEN_AFTER, Ailments, SupervisedWorker
from connector.engine import Engine
from connector.store import accounts, holds, inbox, tickets
from connector.store.database import (
    LONGEST_ID,
    UNFORESEEN,
    BrokenRow,
    Store,
    after_commit,
    is_usable_id,
    of_one_row,
)
from connector.store.inbox import Arrival, Kind
from connector.store.standings import standings_of, standings_of_tickets
from connector.store.tickets import SettledTicket
from connector.store.trouble import StoreTrouble
from policies.evaluate import Kept
from policies.language.policy import PolicySet
from policies.model import Instant, Need, Order, Seconds, Ticket, TicketRef, Verb, seconds
from policies.rules.orders import refusal
from policies.state import Standing

log = structlog.get_logger()


SETTLED: Seconds = 1
"""Vendors stamp revisions to the second."""

ROW = "row"
"""What is set aside where the row of a ticket in a feed or a census cannot be read or kept."""

GAPS: Mapping[Kind, str] = {"poll": "gap in the feed", "census": "gap in the census"}
"""What is set aside where a page may have missed tickets."""

LONGEST_WHY = 500

CouldMatter = Callable[[Ticket, tuple[Standing, ...]], bool]
"""Whether any policy could have something to say about this snapshot, given what it remembers. Pure, quick,
and true when in doubt."""


LikelyDue = Callable[[Ticket], Instant | None]
"""When a level may be due by this snapshot; None where it does not tell."""


Moved = Callable[[Ticket, SettledTicket], Kept]
"""Where something may have moved, which this row does not tell, since the last look at the ticket in the same revision.
Pure and quick; at the helpdesk when in doubt."""


def at_the_helpdesk(_ticket: Ticket, _before: SettledTicket) -> Kept:
    """Where nobody knows."""
    return "at the helpdesk"


def untold(_ticket: Ticket) -> Instant | None:
    """Where nobody knows."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of a page: how many rows it had, and the tickets that now are owed a look."""

    rows: int
    woken: tuple[TicketRef, ...]


def from_webhook(account: str, events: Iterable[Event], now: Instant) -> tuple[Arrival, ...]:
    """The rows of one webhook request. A redelivery gets the same name as the first."""
    return tuple(
        Arrival(
            account=account,
            ticket=event.ref.id,
            delivery=f"webhook:{event.delivery}",
            kind="webhook",
            hint=event.hint,
            received_at=now,
        )
        for event in events
    )


def is_echo(known: Ticket, row: Ticket, exact: bool) -> bool:
    """Whether a row of the same revision, read when no more could come under its stamp, shows the ticket as it was last
    judged. What was said does not stand in a row: how much it was does, unless the revision tells that (`exact`) or no
    policy wants to know."""
    said = exact or Need.MESSAGES not in known.loaded or row.message_count == len(known.messages)
    return said and tickets.is_told_alike(row, known)


def take_in_poll(
    connection: Connection,
    account: str,
    page: Page,
    could_matter: CouldMatter,
    now: Instant,
    likely_due: LikelyDue = untold,
) -> TakenIn:
    """Keep a page of a feed. A revision that was looked at before tells nothing new, nor does what shows the ticket as
    a look, or our own write, left it."""

    def keep(rows: tuple[Ticket, ...]) -> TakenIn:
        looked_at = tickets.settled_revisions(connection, account, (ticket.ref.id for ticket in rows))
        news = tuple(one for one in rows if one.gone or looked_at.get(one.ref.id) != one.revision)
        stamped = {one.ref.id: one.revision for one in news if not one.gone and one.read_at > one.updated}
        known = tickets.looked_at(connection, account, stamped)
        echoes = {
            one.ref.id for one in news if one.ref.id in known and is_echo(known[one.ref.id], one, page.exact)
        }
        tickets.settle_revisions(connection, account, {key: stamped[key] for key in echoes})
        unchanged = {one.ref.id for one in rows} - {one.ref.id for one in news}
        inbox.assignment_stands(connection, account, echoes | unchanged)
        news = tuple(one for one in news if one.ref.id not in echoes)
        return _keep(connection, account, "poll", news, could_matter, now, likely_due)

    return _take_in(connection, account, "poll", page, keep, now)


def take_in_census(
    connection: Connection,
    account: str,
    run: str,
    page: Page,
    could_matter: CouldMatter,
    now: Instant,
    likely_due: LikelyDue = untold,
    moved: Moved = at_the_helpdesk,
) -> TakenIn:
    """Keep a page of the census named `run`. It asks for unchanged tickets too, where their revision does not cover
    what policies read, or where a timer is lost."""

    def keep(rows: tuple[Ticket, ...]) -> TakenIn:
        standing = _standing(connection, account, rows, moved)
        tickets.seen_again(connection, account, standing, now)
        inbox.assignment_stands(connection, account, standing)
        news = tuple(ticket for ticket in rows if ticket.ref.id not in standing)
        taken = _keep(connection, account, "census", news, could_matter, now, likely_due, run)
        again = [
            Arrival(account=account, ticket=key, delivery=f"known:{run}:{key}", kind="known", received_at=now)
            for key, where in standing.items()
            if where == "with us"
        ]
        return TakenIn(rows=len(rows), woken=(*taken.woken, *inbox.put_news(connection, again)))

    return _take_in(connection, account, "census", page, keep, now)


def _standing(
    connection: Connection, account: str, rows: Sequence[Ticket], moved: Moved
) -> dict[str, Literal["nowhere", "with us"]]:
    """Those rows, by id, of which nothing can have moved at the helpdesk: they stand as they were looked at, and have
    the timer that they wait for. One that matches or has a running episode, and no timer at all, is none of them."""
    found = tickets.settled(connection, account, [row.ref.id for row in rows])
    standings = standings_of_tickets(connection, account, found)
    standing: dict[str, Literal["nowhere", "with us"]] = {}
    for row in rows:
        before = found.get(row.ref.id)
        if row.gone or before is None or row.revision != before.ticket.revision or not before.awaited:
            continue
        active = any(each.running is not None or each.matched for each in standings.get(row.ref.id, ()))
        if active and not before.timed:
            continue
        try:
            where = moved(row, before) if tickets.is_told_alike(row, before.ticket) else "at the helpdesk"
        except UNFORESEEN:
            continue
        if where != "at the helpdesk":
            standing[row.ref.id] = where
    return standing


def forget_old_asides(connection: Connection, account: str, run: Instant, now: Instant) -> None:
    """A census that began at `run` has read every open ticket: a row that was not met broken in it is none any more,
    and what a page may have missed has been found."""
    for one in holds.every_aside(connection):
        if one.account == account and one.kind in (ROW, *GAPS.values()) and one.tried_at < run:
            holds.clear_aside(connection, account, one.ticket, one.kind, now)


def _take_in(
    connection: Connection,
    account: str,
    kind: Kind,
    page: Page,
    keep: Callable[[tuple[Ticket, ...]], TakenIn],
    now: Instant,
) -> TakenIn:
    """Keep the page as a whole; where a row of it cannot be kept, each alone, and that one is set aside."""
    broken = list(page.aside)
    try:
        with of_one_row(), connection.begin_nested():
            taken = keep(page.tickets)
        well = page.tickets
    except BrokenRow:
        taken, well = TakenIn(rows=0, woken=()), ()
        for ticket in page.tickets:
            try:
                with of_one_row(), connection.begin_nested():
                    one = keep((ticket,))
            except BrokenRow as error:
                broken.append(Aside(id=str(ticket.ref.id), why=f"cannot be kept: {error}"))
            else:
                taken = TakenIn(rows=taken.rows + one.rows, woken=(*taken.woken, *one.woken))
                well = (*well, ticket)
    if page.remarks and _say_aside(connection, account, "", GAPS[kind], "; ".join(page.remarks), now):
        accounts.census_wanted(connection, account)
    again = _set_aside(connection, account, kind, broken, well, now)
    return TakenIn(rows=taken.rows, woken=(*taken.woken, *again))


def _set_aside(
    connection: Connection,
    account: str,
    kind: Kind,
    broken: Iterable[Aside],
    well: Iterable[Ticket],
    now: Instant,
) -> tuple[TicketRef, ...]:
    """Set the broken rows aside by name, and no longer those that have been read well. A ticket whose row is broken for
    the first time is looked at: what is wrong with the row may not be wrong with the ticket."""
    before = {
        one.ticket for one in holds.every_aside(connection) if (one.account, one.kind) == (account, ROW)
    }
    for ticket in well:
        if ticket.ref.id in before:
            holds.clear_aside(connection, account, ticket.ref.id, ROW, now)
            after_commit(connection, partial(log.info, "no_longer_aside", ticket=str(ticket.ref), kind=ROW))
    arrivals = []
    for one in broken:
        why = one.why if one.id else f"a row without an id ({kind}): {one.why}"
        new = _say_aside(connection, account, one.id[:LONGEST_ID], ROW, why, now)
        if new and is_usable_id(one.id):
            name = f"{ROW}:{one.id}:{now}"
            arrivals.append(
                Arrival(account=account, ticket=one.id, delivery=name, kind="census", received_at=now)
            )
    return inbox.put_news(connection, arrivals)


def _say_aside(connection: Connection, account: str, ticket: str, kind: str, why: str, now: Instant) -> bool:
    new = holds.set_aside(connection, account, ticket, kind, why[:LONGEST_WHY], now)
    if new:
        name = f"{account}/{ticket}" if ticket else account
        after_commit(
            connection, partial(log.warning, "set_aside", ticket=name, kind=kind, why=why[:LONGEST_WHY])
        )
    return new


def _keep(
    connection: Connection,
    account: str,
    kind: Kind,
    page: tuple[Ticket, ...],
    could_matter: CouldMatter,
    now: Instant,
    likely_due: LikelyDue,
    run: str = "",
) -> TakenIn:
    """Record all, open a row for what could matter, close at once what could not. In doubt, and where nobody could say,
    a ticket is owed a look. A row's name stands for the ticket's state.

    What policies remember is read in this same transaction, behind the rows of the tickets, which a look that is
    being stored holds: read earlier, an episode begun meanwhile would not hear that its ticket changed.
    """
    tickets.record_snapshots(connection, page, now)
    remembered = standings_of_tickets(connection, account, (ticket.ref.id for ticket in page))
    arrivals = []
    for ticket in page:
        try:
            asks = bool(ticket.gone) or could_matter(ticket, remembered.get(ticket.ref.id, ()))
        except UNFORESEEN:
            asks = True
        try:
            due = likely_due(ticket)
        except UNFORESEEN:
            due = None
        # while a revision is younger than its stamp is exact, the same stamp may come to stand for another state
        fresh = str(ticket.read_at) if ticket.read_at - ticket.updated < SETTLED else ""
        arrivals.append(
            Arrival(
                account=account,
                ticket=ticket.ref.id,
                delivery=":".join((kind, run, ticket.ref.id, ticket.revision, ticket.gone or "", fresh)),
                kind=kind,
                hint=ticket.gone or "",
                received_at=now,
                done_at=None if asks else now,
                due=due,
            )
        )
    return TakenIn(rows=len(page), woken=inbox.put_news(connection, arrivals))


VERBS: tuple[Verb, ...] = get_args(Verb)
REASONED: tuple[Verb, ...] = ("snooze", "escalate", "deescalate", "reject")
"""Orders that say why."""


class OrderRefused(Exception):
    """The order cannot be carried out as it was given, or as things stand; the text says why."""


def submit_order(
    store: Store,
    ref: TicketRef,
    *,
    verb: str,
    who: str,
    now: Instant,
    policies: PolicySet,
    reason: str = "",
    policy: str | None = None,
    level: str | None = None,
    span: str = "",
    admin: bool = False,
    claim: Callable[[Connection], None] | None = None,
) -> Order:
    """Leave a person's order for the ticket's next look, and answer it: the one way in, for the console, the API and
    the command line. `span` is how long a snooze lasts, as policies write it (`2h`); an `admin` may decide
    for others, with a reason. `claim` is asked first, in the transaction that leaves it. Raises OrderRefused, as
    `claim` may, with nothing left."""
    known = next((each for each in VERBS if each == verb), None)
    if known is None:
        raise OrderRefused(f"there is no order {verb!r}; there are {', '.join(VERBS)}")
    if known in REASONED and not reason.strip():
        raise OrderRefused(f"say why: {verb} wants a reason")
    try:
        until = now + seconds(span) if known == "snooze" else None
    except ValueError as error:
        raise OrderRefused(f"how long: {error}") from None
    order = Order(
        verb=known,
        who=who,
        at=now,
        reason=reason.strip(),
        policy=policy or None,
        level=level or None,
        until=until,
        admin=admin,
    )
    with store.writing() as connection:
        if claim is not None:
            claim(connection)
        why = refusal(order, standings_of(connection, ref), policies.serving(ref.account))
        if why is not None:
            raise OrderRefused(f"{ref}: {why}")
        inbox.give_order(connection, ref, order)
    return order


AT_MOST = 500


class NotKept(Exception):
    """The news is not in the inbox: no room, nobody to take it, or a failed COMMIT. Ask to send it again."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    arrivals: tuple[Arrival, ...]
    kept: "Future[None]"


class GroupCommit:
    """A bounded queue and one thread that empties it into the inbox.

    There is no timer: a batch is what gathered while the one before was committed, at most 500 requests. The
    wake-ups go into the same transaction. The thread begins with `start`, ends with `stop`, and with nothing else: of
    a batch that cannot be kept as a whole each request is kept or refused alone.
    """

    def __init__(self, store: Store, engine: Engine, ailments: Ailments, *, room: int = 5000) -> None:
        self._store = store
        self._engine = engine
        self._room = room
        self._queue: deque[_Waiter] = deque()
        self._changed = threading.Condition()
        self._open = False
        self._ailments = ailments
        self._worker = SupervisedWorker("group-commit", self._serve, ailments)

    def start(self) -> None:
        """Begin to take news."""
        self._open = True
        self._worker.start()

    def stop(self, timeout: float) -> bool:
        """Refuse what comes now and commit what waits. False if that took longer than `timeout`."""
        self._worker.end()
        with self._changed:
            self._open = False
            self._changed.notify()
        return self._worker.join(timeout)

    def put(self, arrivals: Sequence[Arrival]) -> "Future[None]":
        """Hand in the news of one request. The future is done once it is committed, or fails with NotKept or
        NeverKept; NotKept is raised at once when there is no room or nobody to take it. Never blocks."""
        kept: Future[None] = Future()
        kept.set_running_or_notify_cancel()  # a client that hangs up does not take its news back
        with self._changed:
            if not self.well() or len(self._queue) >= self._room:
                raise NotKept("the inbox takes nothing at the moment")
            self._queue.append(_Waiter(tuple(arrivals), kept))
            self._changed.notify()
        return kept

    def well(self) -> bool:
        """Whether news is taken at all."""
        return self._open and self._worker.well()

    def _serve(self) -> None:
        while batch := self._next():
            try:
                self._commit(batch)
            finally:
                _answer(batch, NotKept("something unforeseen went wrong"))

    def _next(self) -> tuple[_Waiter, ...]:
        with self._changed:
            while self._open and not self._queue:
                self._changed.wait()
            return tuple(self._queue.popleft() for _ in range(min(AT_MOST, len(self._queue))))

    def _commit(self, batch: tuple[_Waiter, ...]) -> None:
        try:
            try:
                self._keep(batch)
            except BrokenRow:
                self._keep_each(batch)
        except StoreTrouble as trouble:
            self._ailments.found("inbox", trouble, passes=PROVEN_AFTER)
            _answer(batch, NotKept("the database did not keep it"))

    def _keep_each(self, batch: tuple[_Waiter, ...]) -> None:
        """Each request in a transaction of its own, so that a broken one is refused alone."""
        for waiter in batch:
            try:
                self._keep((waiter,))
            except BrokenRow as error:
                log.warning("webhook_not_kept", account=waiter.arrivals[0].account, reason=str(error))
                _answer((waiter,), error)

    def _keep(self, waiters: tuple[_Waiter, ...]) -> None:
        arrivals = [arrival for waiter in waiters for arrival in waiter.arrivals]
        with of_one_row(), self._store.writing(priority=True) as connection:
            self._engine.wake(connection, inbox.put_news(connection, arrivals))
        _answer(waiters, None)


def _answer(waiters: Sequence[_Waiter], error: Exception | None) -> None:
    """Tell those who have not been told yet."""
    for waiter in waiters:
        if waiter.kept.done():
            continue
        if error is None:
            waiter.kept.set_result(None)
        else:
            waiter.kept.set_exception(error)
