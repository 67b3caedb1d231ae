"""What is stored with a beginning and an end: a pause, a hold, a backoff, a failed login.

One that begins in the future was stamped before the clock was set back; left alone, it would last as much longer. It is
cut to its own length, from now.
"""

import structlog
from sqlalchemy import Column, ColumnElement, Connection, Table, literal, select, union, update

from connector.clock import Clock
from connector.store.database import Store
from connector.store.dialect import shared_now
from connector.store.schema import aside, login_try, notice, pause, timer, write
from policies.model import Instant, Seconds

SLACK: Seconds = 30
"""By so much the clocks of a fleet may differ."""

SPANS: tuple[tuple[Table, Column[Instant], Column[Instant] | None], ...] = (
    (pause, pause.c.since, pause.c.until),
    (timer, timer.c.since, timer.c.due),
    (notice, notice.c.since, notice.c.due),
    (aside, aside.c.tried_at, aside.c.next_try),
    (write, write.c.sent_at, write.c.next_try),
    (login_try, login_try.c.at, None),
)
"""Each table with where its rows begin and end; a failed login lasts as long as who asks says."""

log = structlog.get_logger()


def mend_spans(store: Store, clock: Clock) -> None:
    """Cut what begins in the future to its length. Cheap where there is nothing of the kind."""
    with store.asking() as connection:
        now = shared_now(connection, clock)
        ahead = union(
            *(select(literal(table.name)).where(*_ahead(begins, ends, now)) for table, begins, ends in SPANS)
        )
        found = {name for (name,) in connection.execute(ahead)}
    if not found:
        return
    with store.writing() as connection:
        many = sum(_cut(connection, *span, now) for span in SPANS if span[0].name in found)
    log.warning("clock_spans_cut", many=many, what=sorted(found), why="they began in the future")


def _ahead(
    begins: Column[Instant], ends: Column[Instant] | None, now: Instant
) -> tuple[ColumnElement[bool], ...]:
    return (begins > now + SLACK, *(() if ends is None else (ends.is_not(None),)))


def _cut(
    connection: Connection, table: Table, begins: Column[Instant], ends: Column[Instant] | None, now: Instant
) -> int:
    values = {begins.name: literal(now)} | ({} if ends is None else {ends.name: ends - begins + now})
    return connection.execute(update(table).where(*_ahead(begins, ends, now)).values(values)).rowcount
