"""Reading an account's feed of changes to its end, its open tickets whole, and waking the tickets of who became
absent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from adapters.base import Adapter
from connector.engine import Engine
from connector.intake.inbox import (
    CouldMatter,
    LikelyDue,
    forget_old_asides,
    take_in_census,
    take_in_poll,
    untold,
)
from connector.store import accounts, inbox, tickets
from connector.store.database import Store
from connector.store.inbox import Arrival
from connector.work.context import Rules
from policies.model import Instant, Need, Seconds
from policies.rules.assignment import is_present

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


def poll_account(
    store: Store,
    account: str,
    adapter: Adapter,
    engine: Engine,
    now: Instant,
    could_matter: CouldMatter,
    read: Read,
    ours: Ours = always,
    likely_due: LikelyDue = untold,
) -> Polled:
    """Read the feed until no page waits. Each page and its cursor are kept in one transaction, so after an
    error (the adapter's, raised by `read`) the next poll goes on where this one stopped. A process that was paused
    and finds that the feed is not `ours` any more keeps nothing."""
    with store.writing() as connection:
        since = begin_feed(connection, account, now)
        cursor = accounts.read_cursor(connection, account, POLL)
    pages = rows = woken = 0
    more = True
    while more:
        page = read(adapter.poll, cursor, since=since, limit=PAGE_LIMIT)
        with store.writing() as connection:
            if not ours(connection):
                log.warning("feed_left_to_another", account=account, feed=POLL)
                break
            taken = take_in_poll(connection, account, page, could_matter, now, likely_due)
            engine.wake(connection, taken.woken, urgent=False)
            accounts.save_cursor(connection, account, POLL, page.cursor, now)
        pages, rows, woken = pages + 1, rows + taken.rows, woken + len(taken.woken)
        more = page.more and moved(account, POLL, cursor, page.cursor)
        cursor = page.cursor
    if rows:
        log.info("polled", account=account, pages=pages, rows=rows, woken=woken)
    return Polled(pages=pages, rows=rows, woken=woken)


def moved(account: str, feed: str, before: str | None, after: str) -> bool:
    """Whether a feed that promises more went on; one that stands still is left until the next time."""
    if before == after:
        log.warning("feed_stands_still", account=account, feed=feed, cursor=after)
    return before != after


CENSUS = "census"
RUN = "census_run"
EVERY: Seconds = 86400


def census_due(connection: Connection, account: str, now: Instant, every: Seconds = EVERY) -> bool:
    """Whether a census should run now: one was cut short, none was ever complete, or the last is too old."""
    known = accounts.get(connection, account)
    if known is None or known.census_at is None or accounts.read_cursor(connection, account, RUN) is not None:
        return True
    return not 0 <= now - known.census_at < every  # one in the future was before the clock was set back


def take_census(
    store: Store,
    account: str,
    adapter: Adapter,
    engine: Engine,
    now: Instant,
    could_matter: CouldMatter,
    read: Read,
    ours: Ours = always,
    likely_due: LikelyDue = untold,
) -> Polled:
    """List the account's open tickets, as back-fill. Each page is kept with its cursor; a census that
    was cut short goes on from its last page. The feed of changes is made to begin before the list does."""
    run, cursor = _begin(store, account, now)
    pages = rows = woken = 0
    more = True
    while more:
        page = read(adapter.census, cursor)
        with store.writing() as connection:
            if not ours(connection):
                log.warning("feed_left_to_another", account=account, feed=CENSUS)
                break
            taken = take_in_census(connection, account, run, page, could_matter, now, likely_due)
            engine.wake(connection, taken.woken, urgent=False)
            accounts.save_cursor(connection, account, CENSUS, page.cursor, now)
        pages, rows, woken = pages + 1, rows + taken.rows, woken + len(taken.woken)
        more = page.more and moved(account, CENSUS, cursor, page.cursor)
        cursor = page.cursor
    else:
        _finish(store, account, int(run), now)
    log.info("census_taken", account=account, pages=pages, rows=rows, woken=woken)
    return Polled(pages=pages, rows=rows, woken=woken)


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
        people = rules.peopled(known.directory, now)
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
                kind="census",
                received_at=now,
            )
            for ref in refs
        ]
        engine.wake(connection, inbox.put_news(connection, news), urgent=False)
    log.info("absent", account=account, people=len(newly), tickets=len(refs))
    return len(refs)
