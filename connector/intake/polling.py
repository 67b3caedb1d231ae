"""Reading an account's feed of changes to its end, its open tickets whole, and waking the tickets of who became
absent, and those on which policies that changed could matter."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from adapters.base import Adapter, Page
from connector.engine import Engine
from connector.intake.inbox import (
    CouldMatter,
    LikelyDue,
    Moved,
    TakenIn,
    at_the_helpdesk,
    forget_old_asides,
    take_in_census,
    take_in_poll,
    untold,
)
from connector.store import accounts, inbox, tickets
from connector.store.database import UNFORESEEN, Store
from connector.store.inbox import Arrival
from connector.store.standings import standings_of_tickets
from connector.work.context import Rules
from policies.evaluate import could_matter
from policies.language.policy import PolicySet, peopled
from policies.model import Instant, Need, Seconds, Ticket, TicketRef
from policies.rules.assignment import is_present
from policies.state import Standing

log = structlog.get_logger()


POLL = "poll"
SINCE = "poll_since"
LOOK_BACK: Seconds = 300
PAGE_LIMIT = 1000

P = ParamSpec("P")
R = TypeVar("R")

Ours = Callable[[Connection], bool]
"""Whether this process is still the one that reads the account's feeds, until the transaction ends."""


def always(_connection: Connection) -> bool:
    """Where there is one process."""
    return True


class Read(Protocol):
    """Calls an adapter and repeats what may be repeated; the caller's way of retrying."""

    def __call__(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The call's answer, or the error it ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An account's tickets as its helpdesk lists them at `now`: how they are read, which are asked for a look, and who
    hears of those. A process that was paused and finds that the feed is not `ours` any more keeps nothing."""

    store: Store
    account: str
    adapter: Adapter
    engine: Engine
    now: Instant
    read: Read
    could_matter: CouldMatter
    likely_due: LikelyDue = untold
    moved: Moved = at_the_helpdesk
    ours: Ours = always


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a poll brought: pages read, rows in them that were news, tickets woken."""

    pages: int
    rows: int
    woken: int


def begin_feed(connection: Connection, account: str, now: Instant) -> Instant:
    """From when on this account's changes are followed. Fixed the first time, a little in the past, and
    before the census: what changes while that runs is in the feed."""
    known = accounts.read_cursor(connection, account, SINCE)
    if known is not None:
        return int(known)
    accounts.save_cursor(connection, account, SINCE, str(now - LOOK_BACK), now)
    return now - LOOK_BACK


def poll_account(of: Listing) -> Polled:
    """Read the feed until no page waits. After an error (the adapter's, raised by `read`) the next poll goes on where
    this one stopped."""
    with of.store.writing() as connection:
        since = begin_feed(connection, of.account, of.now)
        cursor = accounts.read_cursor(connection, of.account, POLL)

    def keep(connection: Connection, page: Page) -> TakenIn:
        return take_in_poll(connection, of.account, page, of.could_matter, of.now, of.likely_due)

    ask = partial(of.adapter.poll, since=since, limit=PAGE_LIMIT)
    polled, _ = _read_pages(of, POLL, cursor, ask, keep)
    if polled.rows:
        log.info("polled", account=of.account, pages=polled.pages, rows=polled.rows, woken=polled.woken)
    return polled


def _read_pages(
    of: Listing,
    feed: str,
    cursor: str | None,
    ask: Callable[[str | None], Page],
    keep: Callable[[Connection, Page], TakenIn],
) -> tuple[Polled, bool]:
    """Read pages from this cursor on, and whether that came to an end. Each is kept with its cursor in one transaction.
    A feed that promises more and stands still is left until the next time."""
    pages = rows = woken = 0
    more = True
    while more:
        page = of.read(ask, cursor)
        with of.store.writing() as connection:
            if not of.ours(connection):
                log.warning("feed_left_to_another", account=of.account, feed=feed)
                break
            taken = keep(connection, page)
            of.engine.wake(connection, taken.woken, urgent=False)
            accounts.save_cursor(connection, of.account, feed, page.cursor, of.now)
        pages, rows, woken = pages + 1, rows + taken.rows, woken + len(taken.woken)
        more = page.more and page.cursor != cursor
        if page.more and not more:
            log.warning("feed_stands_still", account=of.account, feed=feed, cursor=page.cursor)
        cursor = page.cursor
    return Polled(pages=pages, rows=rows, woken=woken), not more


CENSUS = "census"
RUN = "census_run"
EVERY: Seconds = 86400


def census_due(connection: Connection, account: str, now: Instant, every: Seconds = EVERY) -> bool:
    """Whether a census should run now: one was cut short, none was ever complete, or the last is too old."""
    known = accounts.get(connection, account)
    if known is None or known.census_at is None or accounts.read_cursor(connection, account, RUN) is not None:
        return True
    return not 0 <= now - known.census_at < every  # one in the future was before the clock was set back


def take_census(of: Listing) -> Polled:
    """List the account's open tickets, as back-fill. A census that was cut short goes on from its last page. The feed
    of changes is made to begin before the list does."""
    run, cursor = _begin(of.store, of.account, of.now)

    def keep(connection: Connection, page: Page) -> TakenIn:
        return take_in_census(
            connection, of.account, run, page, of.could_matter, of.now, of.likely_due, of.moved
        )

    polled, is_complete = _read_pages(of, CENSUS, cursor, of.adapter.census, keep)
    if is_complete:
        _finish(of.store, of.account, int(run), of.now)
    log.info("census_taken", account=of.account, pages=polled.pages, rows=polled.rows, woken=polled.woken)
    return polled


def _begin(store: Store, account: str, now: Instant) -> tuple[str, str | None]:
    """The name of the census that is under way, or of a new one, and the page it goes on from."""
    with store.writing() as connection:
        accounts.ensure(connection, account, now)
        begin_feed(connection, account, now)
        run = accounts.read_cursor(connection, account, RUN)
        if run is None:
            run = str(now)
            accounts.save_cursor(connection, account, RUN, run, now)
        return run, accounts.read_cursor(connection, account, CENSUS)


def _finish(store: Store, account: str, run: Instant, now: Instant) -> None:
    with store.writing() as connection:
        forget_old_asides(connection, account, run, now)
        accounts.forget_cursor(connection, account, CENSUS)
        accounts.forget_cursor(connection, account, RUN)
        accounts.census_done(connection, account, now)


AWAY = "away"


def wake_for_absent(store: Store, account: str, engine: Engine, rules: Rules, now: Instant) -> int:
    """Wake what newly absent people have, if any policy asks who is there; answers how many tickets that is. Who is
    away the first time is only noted: the census looks at every open ticket then."""
    if Need.AVAILABILITY not in rules.policies.needs:
        return 0
    with store.writing() as connection:
        known = accounts.read_directory(connection, account)
        if known is None:
            return 0
        people = peopled(known.directory, rules.policies, now)
        away = frozenset(agent.person.id for agent in people.agents if not is_present(agent))
        before = accounts.read_cursor(connection, account, AWAY)
        accounts.save_cursor(connection, account, AWAY, json.dumps(sorted(away)), now)
        newly = away - frozenset(json.loads(before)) if before is not None else frozenset[str]()
        if not newly:
            return 0
        refs = tickets.assigned_to(connection, account, newly)
        news = [
            Arrival(
                account=account,
                ticket=ref.id,
                delivery=f"away:{ref.id}:{now}",
                kind="known",
                received_at=now,
            )
            for ref in refs
        ]
        engine.wake(connection, inbox.put_news(connection, news), urgent=False)
    log.info("absent", account=account, people=len(newly), tickets=len(refs))
    return len(refs)


DECIDES = "decides"
DECIDES_SINCE = "decides since"
KNOWN_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What decides otherwise by now: `before` and `after` stand for each policy by name, and under the empty name for
    all of them; `policies` are the new ones that are not as they were, `names` they and those that are gone."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    policies: PolicySet
    names: frozenset[str]

    def touches(self, ticket: Ticket, standings: tuple[Standing, ...]) -> bool:
        """Whether it could matter to this ticket, as far as what is kept of it tells."""
        theirs = tuple(each for each in standings if each.policy in self.names)
        try:
            return could_matter(tickets.as_kept(ticket), self.policies, theirs)
        except UNFORESEEN:
            return True

    def page(
        self, connection: Connection, account: str, after: str = "", *, seen_since: Instant | None = None
    ) -> tuple[list[TicketRef], str]:
        """The tickets of a page that it touches, and the last id of the page; empty where none is behind it."""
        known = tickets.open_tickets(connection, account, after, KNOWN_PAGE, seen_since)
        standings = standings_of_tickets(connection, account, [each.ref.id for each in known])
        touched = [each.ref for each in known if self.touches(each, standings.get(each.ref.id, ()))]
        return touched, known[-1].ref.id if len(known) == KNOWN_PAGE else ""

    def wake(self, connection: Connection, account: str, refs: Iterable[TicketRef], now: Instant) -> None:
        """Owe these tickets a look, and those that it touches by what was read of them since `now`."""
        owed, last = set(refs), ""
        while True:
            late, last = self.page(connection, account, last, seen_since=now)
            owed |= set(late)
            if not last:
                break
        news = [
            Arrival(
                account=account,
                ticket=ref.id,
                delivery=f"policies:{self.after['']}:{now}:{ref.id}",
                kind="known",
                received_at=now,
            )
            for ref in sorted(owed)
        ]
        inbox.put_news(connection, news)
        tickets.judged_alike(connection, account, self.before.get("", ""), self.after[""])

    def keep(self, connection: Connection, now: Instant) -> None:
        """Remember what decides now, and of each policy since when."""
        since = decided_since(connection)
        kept = {
            name: now if name in self.names else since[name]
            for name in self.after
            if name and (name in self.names or name in since)
        }
        accounts.save_cursor(connection, "", DECIDES, json.dumps(self.after), now)
        accounts.save_cursor(connection, "", DECIDES_SINCE, json.dumps(kept), now)


def decided_since(connection: Connection) -> dict[str, Instant]:
    """Since when each policy decides as it does now; without those that have done so since before this was kept."""
    since: dict[str, Instant] = json.loads(accounts.read_cursor(connection, "", DECIDES_SINCE) or "{}")
    return since


def change_to(connection: Connection, policies: PolicySet) -> Change | None:
    """What these policies decide otherwise than those that were in force; None where they do not."""
    before: dict[str, str] = json.loads(accounts.read_cursor(connection, "", DECIDES) or "{}")
    after = {"": policies.decides, **{each.name: each.decides for each in policies.policies}}
    if before == after:
        return None
    names = frozenset(each for each in before.keys() | after.keys() if before.get(each) != after.get(each))
    changed = tuple(each for each in policies.policies if each.name in names)
    return Change(before=before, after=after, policies=replace(policies, policies=changed), names=names)


def touched_tickets(store: Store, account: str, change: Change) -> tuple[TicketRef, ...]:
    """The open tickets of an account that a change touches. Nobody has to wait for the reading."""
    found, last = list[TicketRef](), ""
    while True:
        with store.reading() as connection:
            more, last = change.page(connection, account, last)
        found += more
        if not last:
            return tuple(found)
