"""The census: lists all open tickets of an account, because a feed of changes never shows an idle one."""

import structlog
from sqlalchemy import Connection

from adapters.base import Adapter
from connector.engine import Engine
from connector.intake.inbox import CouldMatter, LikelyDue, forget_old_asides, take_in_census, untold
from connector.intake.poller import Ours, Polled, Read, always, begin_feed, moved
from connector.store import accounts
from connector.store.database import Store
from policies.model import Instant, Seconds

FEED = "census"
RUN = "census_run"
EVERY: Seconds = 86400

log = structlog.get_logger()


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
                log.warning("feed_left_to_another", account=account, feed=FEED)
                break
            taken = take_in_census(connection, account, run, page, could_matter, now, likely_due)
            engine.wake(connection, taken.woken, urgent=False)
            accounts.save_cursor(connection, account, FEED, page.cursor, now)
        pages, rows, woken = pages + 1, rows + taken.rows, woken + len(taken.woken)
        more = page.more and moved(account, FEED, cursor, page.cursor)
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
        return run, accounts.read_cursor(connection, account, FEED)


def _finish(store: Store, account: str, run: Instant, now: Instant) -> None:
    with store.writing() as connection:
        forget_old_asides(connection, account, run, now)
        accounts.forget_cursor(connection, account, FEED)
        accounts.forget_cursor(connection, account, RUN)
        accounts.census_done(connection, account, now)
