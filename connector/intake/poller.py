"""The poller: reads an account's feed of changes to its end. It is the truth; webhooks are only quicker."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from adapters.base import Adapter
from connector.engine import Engine
from connector.intake.inbox import CouldMatter, LikelyDue, take_in_poll, untold
from connector.store import accounts
from connector.store.database import Store
from policies.model import Instant, Seconds

FEED = "poll"
SINCE = "poll_since"
LOOK_BACK: Seconds = 300
PAGE_LIMIT = 1000

P = ParamSpec("P")
R = TypeVar("R")

Ours = Callable[[Connection], bool]
"""Whether this process is still the one that reads the account's feeds, until the transaction ends."""

log = structlog.get_logger()


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
        cursor = accounts.read_cursor(connection, account, FEED)
    pages = rows = woken = 0
    more = True
    while more:
        page = read(adapter.poll, cursor, since=since, limit=PAGE_LIMIT)
        with store.writing() as connection:
            if not ours(connection):
                log.warning("feed_left_to_another", account=account, feed=FEED)
                break
            taken = take_in_poll(connection, account, page, could_matter, now, likely_due)
            engine.wake(connection, taken.woken, urgent=False)
            accounts.save_cursor(connection, account, FEED, page.cursor, now)
        pages, rows, woken = pages + 1, rows + taken.rows, woken + len(taken.woken)
        more = page.more and moved(account, FEED, cursor, page.cursor)
        cursor = page.cursor
    if rows:
        log.info("polled", account=account, pages=pages, rows=rows, woken=woken)
    return Polled(pages=pages, rows=rows, woken=woken)


def moved(account: str, feed: str, before: str | None, after: str) -> bool:
    """Whether a feed that promises more went on; one that stands still is left until the next time."""
    if before == after:
        log.warning("feed_stands_still", account=account, feed=feed, cursor=after)
    return before != after
