"""What is kept of one ticket when a look at it begins, in two or three questions instead of one for each table."""

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, exists, literal, null, select, union_all

from connector.store import codec, inbox, writes
from connector.store.database import one_of, rows_of, the
from connector.store.inbox import OpenRow, Timer
from connector.store.schema import (
    Text,
    account,
    aside,
    directory,
    escalated,
    first_run,
    hold,
    receipt,
    standing,
    still_open,
    ticket,
    timer,
    write,
)
from connector.store.schema import inbox as inbox_table
from connector.store.writes import KeptWrite, State
from policies.model import Instant, TicketRef
from policies.rules.judgement import Coming
from policies.state import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is kept of a ticket, but for its facts. `updated` is the stamp of its newest known revision.
    `directory` is the version of its account's directory, None before the first was read; `coming`, what comes next by
    each policy; `receipts` are the episodes behind each fact that is ours; `aside`, the kinds of what is
    set aside of it; `writes`, what has not come to its end, in the order it was planned; `escalated`, its row in
    the list of what is escalated, as text. `is_starting` says that the start of some policy on the account is not
    over."""

    looks: int
    updated: Instant
    is_paused: bool
    is_held: bool
    is_starting: bool
    directory: int | None
    timer: Timer | None
    rows: tuple[OpenRow, ...]
    standings: tuple[Standing, ...]
    coming: dict[str, Coming]
    receipts: dict[str, frozenset[str]]
    aside: frozenset[str]
    writes: tuple[KeptWrite, ...]
    escalated: str | None = None


_asked = select(
    bindparam("the_account", type_=Text).label("account"), bindparam("the_ticket", type_=Text).label("ticket")
).subquery("asked")


KEPT = (State.PLANNED, State.SENDING, State.UNKNOWN, State.STALE)
"""How writes stand that have not come to their end."""


def _beside(table: Any, id_column: str = "ticket") -> Any:
    return (table.c.account == _asked.c.account) & (table.c[id_column] == _asked.c.ticket)


_HEAD = select(
    ticket.c.looks,
    ticket.c.updated,
    account.c.paused_at,
    hold.c.scope,
    exists()
    .where(first_run.c.account == _asked.c.account, first_run.c.stage.in_(("counting", "held")))
    .label("starting"),
    directory.c.version,
    timer.c.due,
    timer.c.why,
    timer.c.holds,
    timer.c.urgent,
    escalated.c.row.label("escalated"),
    exists().where(_beside(write), one_of(write.c.state, KEPT)).label("writes"),
).select_from(
    _asked.outerjoin(ticket, _beside(ticket, "id"))
    .outerjoin(account, account.c.name == _asked.c.account)
    .outerjoin(hold, _beside(hold))
    .outerjoin(directory, directory.c.account == _asked.c.account)
    .outerjoin(timer, _beside(timer))
    .outerjoin(escalated, _beside(escalated))
)

_no_number = null().cast(BigInteger)

_LINES = union_all(
    select(
        literal("news").label("what"),
        inbox_table.c.kind.label("name"),
        inbox_table.c.hint.label("text"),
        inbox_table.c.id.label("number"),
        inbox_table.c.received_at.label("at"),
    ).where(*rows_of(inbox_table.c.account, inbox_table.c.ticket), still_open),
    select(literal("standing"), standing.c.policy, standing.c.memory, _no_number, _no_number).where(
        *rows_of(standing.c.account, standing.c.ticket)
    ),
    select(literal("coming"), standing.c.policy, standing.c.coming, _no_number, _no_number).where(
        *rows_of(standing.c.account, standing.c.ticket), standing.c.coming.is_not(None)
    ),
    select(literal("receipt"), receipt.c.fact, receipt.c.episodes, _no_number, _no_number).where(
        *rows_of(receipt.c.account, receipt.c.ticket)
    ),
    select(literal("aside"), aside.c.kind, literal(""), _no_number, _no_number).where(
        *rows_of(aside.c.account, aside.c.ticket)
    ),
)


def kept_of(connection: Connection, ref: TicketRef) -> Kept:
    """What is kept of this ticket."""
    head = connection.execute(_HEAD, the(ref)).one()
    lines = defaultdict[str, list[Any]](list)
    for line in connection.execute(_LINES, the(ref)):
        lines[line.what].append(line)
    return Kept(
        looks=head.looks or 0,
        updated=head.updated or 0,
        is_paused=head.paused_at is not None,
        is_held=head.scope is not None,
        is_starting=bool(head.starting),
        directory=head.version,
        timer=None
        if head.due is None
        else Timer(ref=ref, due=head.due, why=head.why, holds=head.holds, urgent=head.urgent),
        rows=tuple(
            inbox.open_row(row.number, row.name, row.text, row.at)
            for row in sorted(lines["news"], key=attrgetter("number"))
        ),
        standings=tuple(
            codec.load(Standing, row.text) for row in sorted(lines["standing"], key=attrgetter("name"))
        ),
        coming={row.name: codec.load(Coming, row.text) for row in lines["coming"]},
        receipts={row.name: codec.load(frozenset[str], row.text) for row in lines["receipt"]},
        aside=frozenset(row.name for row in lines["aside"]),
        writes=writes.in_state(connection, ref, *KEPT) if head.writes else (),
        escalated=head.escalated,
    )
