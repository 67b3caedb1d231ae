"""All that one ticket needs, in one function. The engine never runs it twice at once for one ticket.

Settle what is open, load, evaluate, render, prepare, store everything in one transaction, then send. It
never raises for waiting: a wait becomes the ticket's timer, and its inbox rows stay open until a look is
stored.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog
from sqlalchemy import Connection

from adapters.base import AccessLost, Gone, HelpdeskError, NotAllowed, OutcomeUnknown, TryLater, Unreadable
from connector.clock import Clock, ClockSkew
from connector.config.settings import Caps
from connector.store import accounts, holds, inbox, ledger, looks, tickets, undone, writes
from connector.store.database import Store, advisory_lock
from connector.store.holds import Hold
from connector.store.ledger import LedgerEntry
from connector.store.looks import Kept
from connector.store.tickets import Superseded
from connector.store.writes import KeptWrite, State
from connector.work import retry, starts
from connector.work.budget import Desk, Desks, NoRoom, lane_of
from connector.work.commit import Intents, Look, keep_held, keep_look, prepare
from connector.work.context import Read, Rules, complete, with_numbers
from connector.work.limits import in_the_way, loop_note
from connector.work.links import Links
from connector.work.plans import Drifted, GivenLine, ended, given, judged_again, take, written
from connector.work.sender import WATCHED, Sender, assigns, remainder
from policies.evaluate import could_matter, is_known, is_quiet
from policies.history import by_revision
from policies.language.references import KnownAccount
from policies.model import Directory, Instant, Need, Order, Seconds, Ticket, TicketRef
from policies.plan import Plan
from policies.rules.assignment import Waiting, waiting_levels
from policies.state import Episode

RELOADS = 3
"""How often a ticket that keeps changing is read again in one look, each time a second later."""

LATE: Seconds = 10
"""So much after a poll interval its rows have come, if they come."""

MARGIN = 0.03
"""How far the helpdesk's seconds may lie behind ours, and a wait too short, in seconds."""

NO_DATE: Seconds = 1
"""A ticket whose answer had no date is taken to have been read so much earlier: our clock is not the helpdesk's."""

RETRIED = (State.PLANNED, State.STALE)
"""What was sent in vain and may be sent again."""

SOON: Seconds = 60
"""What is due within that time is loaded: nothing is written on a ticket as it is known."""

LISTED: frozenset[inbox.Kind] = frozenset({"webhook", "poll", "census", "known"})
"""Who only tells that a ticket may have changed."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the store knows of a ticket when a look begins. `urgent` says whether a person or a deadline waits for it.
    Of the writes that are kept, `under_way` are those that left and whose fate is not known; `rest`, what a level that
    has fired still has to send; `waiting`, by key, what rests until its next try. `directory` is empty, and `names` is
    None, before the first was read; `names` also once it is a day old. It tells whom round robin has served, and how
    much everybody has, only to a plan that chooses somebody by that. What a look stores is refused once another than
    `kept` tells has been stored meanwhile. `planned` is a line of a plan that is to be carried out: then the look does
    that and nothing else, and all other news stays open. `past` are the episodes and undos that an order to undo may
    mean."""

    rules: Rules
    kept: Kept
    planned: GivenLine | None
    urgent: bool
    under_way: tuple[KeptWrite, ...]
    rest: tuple[KeptWrite, ...]
    waiting: Mapping[str, KeptWrite]
    directory: Directory
    names: KnownAccount | None
    past: tuple[Episode, ...]

    @property
    def takes_back(self) -> bool:
        """Whether something written is to be taken back, for which it counts who has changed what since."""
        return bool(self.past) or any(each.undo is not None for each in self.kept.standings)


@dataclass(slots=True)
class Standpoint:
    """How many looks the ticket has had, as far as the look under way knows, and whether a person or a deadline waits
    for it: also because it has turned out to want something written. `stands_by`, where it was given to somebody, is
    when to ask whether they still have it."""

    looks: int
    urgent: bool
    stands_by: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a look has stored: the plan as it stands, the writes to send now, what holds all others back, and whether it
    did not before."""

    plan: Plan
    chain: tuple[KeptWrite, ...]
    hold: Hold | None = None
    is_held_anew: bool = False


class Unsettled(Exception):
    """Something is to be written to a ticket that changed within this second of the helpdesk's clock: whether more of
    the second comes, nobody can tell by its stamp."""


class Worker:
    """Looks at tickets. One for the whole process; `work` may run in many threads. `looked` is when a ticket of each
    account was last evaluated."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        desks: Desks,
        rules: Callable[[], Rules],
        caps: Caps,
        read: Read,
        skews: ClockSkew,
        links: Links | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._desks = desks
        self._rules = rules
        self._caps = caps
        self._read = read
        self._skews = skews
        self._links = links
        self.sender = Sender(store, clock, read, rules)
        self.looked: dict[str, Instant] = {}
        self._directories = accounts.Directories()
        self._unanswered: dict[TicketRef, int] = {}

    def work(self, ref: TicketRef) -> None:
        """Look at one ticket and do what its policies say."""
        desk = self._desks.get(ref.account)
        if desk is None:
            self._forget_news(ref)
            return
        seen = self._seen(ref)
        at = Standpoint(seen.kept.looks, seen.urgent)
        try:
            with desk.budget.lane(lane_of(at.urgent)), desk.budget.looking():
                self._look(desk, ref, seen, at)
            if seen.planned is not None:
                self._line_written(ref, seen.planned, at)
        except Drifted as drifted:
            self._drifted(ref, at, drifted)
        except NoRoom as full:
            if full.whole:
                desk.budget.rest(lane_of(at.urgent), full.wait)
            self._come_back(ref, at, full.wait, str(full))
        except TryLater as later:
            self._come_back(ref, at, later.wait, str(later))
        except OutcomeUnknown as unknown:
            self._come_back(ref, at, retry.FIND_OUT, str(unknown))
        except AccessLost as lost:
            self._refused(desk, ref, at, lost)
        except (NotAllowed, Unreadable) as refused:
            self._set_aside(ref, at, str(refused))
        except Superseded as other:
            log.warning("look_superseded", ticket=str(ref), reason=str(other))

    def pause(self, account: str, reason: str) -> None:
        """Stop working on an account whose credentials or rights are gone, and say so once."""
        now = self._clock.now()
        with self._store.writing() as connection:
            if accounts.pause(connection, account, reason, now):
                line = LedgerEntry(at=now, account=account, ticket="", what="account paused", text=reason)
                ledger.append(connection, [line])
                log.error("account_paused", account=account, reason=reason, next="uptier doctor")

    def _refused(self, desk: Desk, ref: TicketRef, at: Standpoint, lost: AccessLost) -> None:
        """Refused to us: this ticket alone, if the probe says that our credentials are good."""
        try:
            findings = self._read(desk.adapter.probe)
        except AccessLost:
            self.pause(ref.account, str(lost))
        except HelpdeskError as trouble:
            self._come_back(ref, at, retry.UNSAID, f"{lost}; whether that is all is not known yet: {trouble}")
        else:
            if any(each.fatal and not each.ok for each in findings):
                self.pause(ref.account, str(lost))
            else:
                self._set_aside(ref, at, str(lost))

    def _look(self, desk: Desk, ref: TicketRef, seen: Seen, at: Standpoint) -> None:
        """Settle, load, judge, prepare, store, send. Raises what `work` knows how to take."""
        if seen.kept.is_paused:
            return
        if seen.under_way:
            with desk.budget.sent_for("find out"):
                self.sender.find_out_about(desk, seen.under_way)
            seen = self._seen(ref)
            at.looks = seen.kept.looks
            if not seen.kept.rows:
                _wait_for_next_try(seen.waiting.values(), self._clock.now())
        rules, now = seen.rules, self._clock.now()
        read, unsettled = self._clock.monotonic(), 0
        if self._assignment_stands(desk, ref, seen, at, now):
            return
        ticket = self._as_kept(ref, seen, rules, now)
        if ticket is None:
            if self._passed_over(desk, ref, seen, at, rules):
                return
            self._let_settle(desk, ref, seen)
            read = self._clock.monotonic()
            ticket = self._ticket(desk, ref, seen, rules)
            if ticket is not None and self._was_undone(ticket, seen):
                seen = self._seen(ref)
        while ticket is not None:
            try:
                stands = self._decide_and_send(desk, ticket, seen, at, rules, read)
            except Unsettled as early:
                unsettled += 1
                self._wait_for_next_second(whole=unsettled > 1)
                planned, seen, read = seen.planned, self._seen(ref), self._clock.monotonic()
                if unsettled > RELOADS or seen.planned != planned:
                    raise TryLater(str(early), 1) from early
                ticket = self._ticket(desk, ref, seen, rules)
                continue
            if stands is None:
                return
            # our own write is a change like any other: the policies see the ticket as its answer shows it. News that
            # came meanwhile may tell of more, and stays open
            seen, read = self._seen(ref), self._clock.monotonic()
            seen = replace(seen, kept=replace(seen.kept, rows=()), planned=None)
            needs = rules.policies.needs
            ticket = complete(self._store, stands, seen.kept.receipts, needs, self._clock.now())
        self._forget_news(ref)

    def _decide_and_send(
        self, desk: Desk, ticket: Ticket, seen: Seen, at: Standpoint, rules: Rules, read: float
    ) -> Ticket | None:
        """The ticket as our write left it, where it is to be judged once more and need not be read for that. Where it
        does, a timer is set: deadlines move behind a write, and not every answer tells all."""
        ref = ticket.ref
        decided = self._decide(desk, ticket, seen, at, rules, self._clock.now())
        at.looks += 1
        if decided.is_held_anew and decided.hold is not None:
            log.error("held", ticket=str(ref), why=decided.hold.why, next=f"uptier release {ref}")
        for line in decided.plan.occurrences if decided.hold is None else ():
            log.info(line.what, ticket=str(ref), policy=line.policy, level=line.level, owner=line.owner)
        with desk.budget.lane(lane_of(at.urgent)), desk.budget.sent_for("write"):
            sent = self.sender.send(desk, decided.chain, ticket, seen.directory, read)
        if at.stands_by is not None and assigns(decided.chain) and not sent.assigned:
            at.stands_by = None
            with self._store.writing() as connection:
                inbox.assignment_stands(connection, ref.account, [ref.id])
        if not sent.written or decided.hold is not None:
            return None
        if sent.ticket is not None and Need.TARGETS not in ticket.loaded and seen.planned is None:
            return sent.ticket
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks):
                now = self._clock.now()
                due = now + max(desk.adapter.capabilities.settle, 1)
                inbox.start_timer(connection, ref, due, "after our own write", since=now)
        return None

    def _let_settle(self, desk: Desk, ref: TicketRef, seen: Seen) -> None:
        """Wait out the second in which the ticket changed, where news tells it, a webhook as it arrived, a row by its
        own stamp: what is read then stands. Where the helpdesk counts revisions there is nothing to wait for."""
        settle, now = desk.adapter.capabilities.settle, self._clock.now()
        skew = self._skews.seen().get(ref.account, 0)
        theirs = now + (skew if abs(skew) > 1 else 0)
        kinds = {row.kind for row in seen.kept.rows}
        arrived = any(row.kind == "webhook" and now - row.received_at < settle for row in seen.kept.rows)
        stamped = not kinds.isdisjoint(inbox.BACKFILL) and 0 <= theirs - seen.kept.updated < settle
        if arrived or stamped:
            self._wait_for_next_second()

    def _was_undone(self, ticket: Ticket, seen: Seen) -> bool:
        """Whether something that we wrote lately does not stand any more; then it is to be written once more."""
        if not seen.kept.receipts or by_revision(ticket.revision) in seen.kept.receipts:
            return False
        with self._store.reading() as connection:
            done = writes.done_since(connection, ticket.ref, self._clock.now() - WATCHED)
        return self.sender.look_after(done, ticket)

    def _wait_for_next_second(self, *, whole: bool = False) -> None:
        """By our clock; `whole` waits as long as a second of any clock can last."""
        self._clock.sleep(1.0 if whole else self._clock.rest_of_second() + MARGIN)

    def _decide(
        self, desk: Desk, ticket: Ticket, seen: Seen, at: Standpoint, rules: Rules, now: Instant
    ) -> Decided:
        """Judge the ticket and store what comes of it, in one transaction. Raises Unsettled and TryLater where it is
        too early to judge, and Superseded where another look has been stored meanwhile."""
        ref, account, directory = ticket.ref, ticket.ref.account, seen.directory
        settle = desk.adapter.capabilities.settle
        orders = tuple(row.order for row in seen.kept.rows if row.order is not None)
        waits = waiting_levels(rules.policies, account, seen.names)
        judge = partial(
            _to_do, rules, desk, ticket, seen, orders=orders, waits=waits, now=now, links=self._links
        )
        plan, intents = judge(directory)
        if seen.planned is None:
            directory = with_numbers(self._store, directory, rules.policies, plan)
            if directory is not seen.directory:
                plan, intents = judge(directory)
        self.looked[account] = now
        if plan.wanted or seen.rest:
            at.urgent = True
            if not ticket.gone and ticket.read_at - ticket.updated < settle:
                raise Unsettled("the ticket changed a moment ago; the next look is on settled facts")
        keys = [each.write.key for each in intents.chain]
        _wait_for_next_try([seen.waiting[key] for key in keys if key in seen.waiting], now)
        with self._store.writing() as connection:
            if (
                intents.chain or intents.notices
            ):  # what is counted for the account is counted by one at a time
                advisory_lock(connection, f"decisions {account}")
            if waits:
                # the reading of a directory that finds their names wakes the episodes that are stored by then
                advisory_lock(connection, f"directory {account}")
                known = accounts.read_directory(connection, account)
                if (known.names_at(now) if known else None) != seen.names:
                    raise TryLater(f"the directory of {account} was read meanwhile", 1)
            advisory_lock(connection, str(ref))
            failed = {holds.aside_of_policy(each.policy): each.text for each in plan.failed}
            self._say_aside(connection, ref, failed, seen.kept.aside, now)
            served = accounts.turns_of_round_robin(connection, account) if plan.served else directory.served
            if served != directory.served:
                directory = replace(directory, served=served)
                plan, intents = judge(directory)
            planned = [one for one in seen.kept.writes if one.state is State.PLANNED]
            rest = writes.drop_planned(connection, planned)
            left = remainder(connection, desk.adapter, rest, plan, ticket)
            if assigns((*intents.chain, *left.goes_on)):
                at.stands_by = now + desk.poll + LATE
            look = Look(
                ticket=ticket,
                plan=plan,
                intents=intents,
                kept=seen.kept,
                orders=orders,
                policy_hash=rules.policies.decides,
                settle=settle,
                number=at.looks + 1,
                stands_by=at.stands_by,
            )
            hold = None
            if not plan.takes_back:  # what a person has asked to be taken back is held by nothing
                if seen.kept.is_starting and seen.planned is None and (intents.chain or intents.notices):
                    # a plan that a person applies is no surprise to them
                    hold = starts.in_the_way(connection, plan, rules.policies, self._caps, now)
                hold = hold or in_the_way(connection, ticket, intents, self._caps, now)
            if seen.planned is not None:
                _keep_line(connection, ref, seen.planned, intents, hold, now)
            if hold is None:
                chain = keep_look(connection, look, left.goes_on, left.dropped)
                return Decided(plan=plan, chain=chain)
            is_new = keep_held(connection, look, hold)
            chain = loop_note(connection, desk.adapter, ticket, hold, intents, now)
            return Decided(plan=plan, chain=chain, hold=hold, is_held_anew=is_new)

    def _seen(self, ref: TicketRef) -> Seen:
        # the rules first: a start that was kept with them is seen then
        rules, now = self._rules(), self._clock.now()
        with self._store.reading() as connection:
            kept = looks.kept_of(connection, ref)
            known = self._directories.get(connection, ref.account, kept.directory)
            rest = writes.rest(connection, (one for one in kept.writes if one.state is State.PLANNED))
            undos = [row for row in kept.rows if row.order is not None and row.order.episode is not None]
            past = undone.known(connection, ref) if undos else ()
            is_planned = any(row.kind == "plan" for row in kept.rows)
            planned = given(connection, kept.rows) if is_planned else None
        if any(row.kind not in inbox.BACKFILL for row in kept.rows):
            urgent = True
        elif kept.timer is not None and kept.timer.due <= now:
            urgent = kept.timer.urgent
        else:
            urgent = not kept.rows
        return Seen(
            rules=rules,
            kept=kept if planned is None else replace(kept, rows=()),
            planned=planned,
            urgent=urgent,
            under_way=tuple(one for one in kept.writes if one.state in (State.SENDING, State.UNKNOWN)),
            rest=rest,
            waiting={one.write.key: one for one in kept.writes if one.state in RETRIED and one.rests(now)},
            directory=known.directory if known else Directory(account=ref.account),
            names=known.names_at(now) if known else None,
            past=past,
        )

    def _assignment_stands(
        self, desk: Desk, ref: TicketRef, seen: Seen, at: Standpoint, now: Instant
    ) -> bool:
        """Where we gave the ticket to somebody, the answer said so, and no row of it has come since: whether it still
        is as we left it, by one reading without its history. If it is not, it is to be looked at in full."""
        timer, asks = seen.kept.timer, seen.kept.rows or seen.rest or seen.waiting or seen.takes_back
        if timer is None or timer.why != inbox.ASSIGNED or timer.due > now or asks or seen.kept.aside:
            return False
        with self._store.reading() as connection:
            known = tickets.known(connection, ref)
        if known is None or (known.next_look is not None and known.next_look <= now):
            return False
        try:
            with desk.budget.sent_for("assignment"):
                row = self._load(desk, ref, frozenset())
        except Gone:
            return False
        if row.revision != known.ticket.revision or not tickets.is_told_alike(row, known.ticket):
            return False
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks):
                inbox.assignment_stands(connection, ref.account, [ref.id])
        return True

    def _as_kept(self, ref: TicketRef, seen: Seen, rules: Rules, now: Instant) -> Ticket | None:
        """The ticket as it was last read, if nobody asks for more, all that policies have to know of it is kept, and no
        level does anything by it (rule 13). None means that it has to be loaded."""
        asked_by = {row.kind for row in seen.kept.rows}
        if asked_by != {"known"} or seen.takes_back or seen.rest or seen.waiting or seen.kept.aside:
            return None
        with self._store.reading() as connection:
            known = tickets.known(connection, ref)
        due = seen.kept.timer.due if seen.kept.timer else None
        if known is None or not known.settled or known.next_look != due or (due or now + 1) <= now:
            return None
        if not is_known(tickets.as_kept(known.ticket), rules.policies, seen.kept.standings, tickets.UNKEPT):
            return None
        ticket = complete(self._store, known.ticket, seen.kept.receipts, rules.policies.needs, now)
        waits = waiting_levels(rules.policies, ref.account, seen.names)
        plan = rules.judge(ticket, seen.kept.standings, seen.directory, now, waits=waits)
        soon = plan.next_look is not None and plan.next_look <= now + SOON
        return ticket if is_quiet(plan) and not soon else None

    def _passed_over(self, desk: Desk, ref: TicketRef, seen: Seen, at: Standpoint, rules: Rules) -> bool:
        """News of a ticket that no policy could match as it is known is first read as a list would tell it, without its
        history. If still none could, that is recorded like the row of a list, and True says that this is all."""
        kept = seen.kept
        asked_by = {row.kind for row in kept.rows}
        under_way = seen.rest or seen.waiting or seen.takes_back or kept.receipts or kept.aside or kept.timer
        if under_way or not asked_by or not asked_by <= LISTED:
            return False
        with self._store.reading() as connection:
            known = tickets.known(connection, ref)
        if known is None or could_matter(tickets.as_kept(known.ticket), rules.policies, kept.standings):
            return False
        try:
            row = self._load(desk, ref, frozenset())
        except Gone:
            return False
        if could_matter(row, rules.policies, kept.standings):
            return False
        now = self._clock.now()
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks):
                tickets.record_snapshots(connection, [row], now)
                inbox.close(connection, [each.id for each in kept.rows], now)
        return True

    def _ticket(self, desk: Desk, ref: TicketRef, seen: Seen, rules: Rules) -> Ticket | None:
        """The ticket as the helpdesk has it, acts recognised; one that is gone as it was last seen."""
        try:
            needs = rules.policies.to_load(ref.account) | ({Need.CHANGES} if seen.takes_back else set())
            ticket = self._load(desk, ref, needs)
        except Gone:
            with self._store.reading() as connection:
                known = tickets.known(connection, ref)
            if known is None:
                return None
            self._unanswered.pop(ref, None)
            ticket = replace(known.ticket, gone=known.ticket.gone or "deleted", read_at=self._clock.now())
        judged_at = self._clock.now() if seen.planned is None else seen.planned.order.at
        return complete(self._store, ticket, seen.kept.receipts, rules.policies.needs, judged_at)

    def _load(self, desk: Desk, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """The helpdesk's answer. Raises what `Adapter.load` raises; a TryLater waits longer each time."""
        try:
            ticket = self._read(desk.adapter.load, ref, needs)
        except NoRoom:
            raise
        except TryLater as later:
            unanswered = self._unanswered[ref] = self._unanswered.get(ref, 0) + 1
            raise TryLater(str(later), retry.unanswered(later.wait, unanswered)) from later
        self._unanswered.pop(ref, None)
        now = self._clock.now()
        if not ticket.read_at:
            return replace(ticket, read_at=now - NO_DATE)
        self._skews.note(ref.account, ticket.read_at - now)
        return ticket

    def _line_written(self, ref: TicketRef, line: GivenLine, at: Standpoint) -> None:
        """Close the line of a plan once nothing of it is left to send."""
        now = self._clock.now()
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks) and (fate := written(connection, ref, line)):
                ended(connection, ref, line, *fate, now)

    def _drifted(self, ref: TicketRef, at: Standpoint, drifted: Drifted) -> None:
        """A line of a plan is not to be carried out any more. What has begun of it has been carried out."""
        line, now = drifted.line, self._clock.now()
        with self._store.writing() as connection:
            if not tickets.claim(connection, ref, at.looks):
                return
            fate = written(connection, ref, line) if line.begun else None
            ended(connection, ref, line, *(fate or ("plan drifted", str(drifted))), now)
        log.warning("plan_drifted", ticket=str(ref), reason=str(drifted), next="uptier plan makes a new one")

    def _come_back(self, ref: TicketRef, at: Standpoint, wait: Seconds, why: str) -> None:
        # now() is rounded down, so a second more: an announced wait is never cut short
        now = self._clock.now()
        due = now + (wait or retry.UNSAID) + 1
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks):
                inbox.start_timer(connection, ref, due, why, holds=True, urgent=at.urgent, since=now)
        log.info("come_back", ticket=str(ref), wait=wait, why=why)

    def _set_aside(self, ref: TicketRef, at: Standpoint, why: str) -> None:
        """This ticket cannot be looked at; all others can."""
        now, new = self._clock.now(), False
        with self._store.writing() as connection:
            if tickets.claim(connection, ref, at.looks):
                new = holds.set_look_aside(connection, ref, why, now, urgent=at.urgent)
        tell = log.warning if new else log.info
        tell("set_aside", ticket=str(ref), reason=why, next=f"uptier explain {ref}; it is tried again")

    def _say_aside(
        self,
        connection: Connection,
        ref: TicketRef,
        failed: Mapping[str, str],
        before: frozenset[str],
        now: Instant,
    ) -> None:
        """A look has been taken: what of it `failed`, by kind, is set aside; what no longer does is not."""
        for kind, why in failed.items():
            if holds.set_aside(connection, ref.account, ref.id, kind, why, now):
                log.error("set_aside", ticket=str(ref), what=kind, reason=why)
        for kind in before - failed.keys():
            if (kind == holds.LOOK or kind.startswith(holds.POLICY)) and holds.clear_aside(
                connection, ref.account, ref.id, kind, now
            ):
                log.info("no_longer_aside", ticket=str(ref), what=kind)

    def _forget_news(self, ref: TicketRef) -> None:
        """Close news of a ticket that is not ours to look at: never seen and gone, or of no account here."""
        now = self._clock.now()
        with self._store.writing() as connection:
            rows = inbox.open_rows(connection, ref)
            inbox.close(connection, [row.id for row in rows], now)
            writes.drop_planned(connection, writes.in_state(connection, ref, State.PLANNED))
            inbox.stop_timer(connection, ref)
            self._say_aside(connection, ref, {}, holds.kinds_aside(connection, ref), now)
        log.info("nothing_to_look_at", ticket=str(ref))


def _to_do(
    rules: Rules,
    desk: Desk,
    ticket: Ticket,
    seen: Seen,
    directory: Directory,
    *,
    orders: tuple[Order, ...],
    waits: tuple[Waiting, ...],
    now: Instant,
    links: Links | None,
) -> tuple[Plan, Intents]:
    """What is to be done, and the requests for it. Raises Drifted where a line of a plan is to be carried out and would
    not be made again."""
    kept, line = seen.kept, seen.planned
    if line is not None:
        known = kept.standings, directory, kept.receipts
        return judged_again(rules, desk.adapter, line, ticket, *known, waits, now)
    plan = rules.judge(ticket, kept.standings, directory, now, orders, waits=waits, past=seen.past)
    return plan, prepare(desk.adapter, ticket, plan, rules.policies, links)


def _keep_line(
    connection: Connection,
    ref: TicketRef,
    line: GivenLine,
    intents: Intents,
    hold: Hold | None,
    now: Instant,
) -> None:
    """A line of a plan was decided: it ends here if it is held or has nothing to write, else with its writes."""
    if hold is not None:
        ended(connection, ref, line, "plan held", hold.why, now)
    elif intents.chain or line.begun:
        take(connection, line)
    else:
        ended(connection, ref, line, "plan applied", "", now)


def _wait_for_next_try(waiting: Iterable[KeptWrite], now: Instant) -> None:
    """Raises TryLater if one of these, which the helpdesk did not apply, still rests."""
    resting = (kept for kept in waiting if kept.state is State.STALE and kept.next_try is not None)
    if latest := max(resting, key=lambda kept: kept.next_try or 0, default=None):
        wait = (latest.next_try or now) - now
        raise TryLater(f"a write was tried {latest.tries} times: {latest.error}", max(wait, 1))
