"""Holds on tickets until a human releases them, and what is set aside by name, so that everything else goes on.

It is said once, when it begins and when it is over; tried again with growing pauses that outlive a restart; and seen
by Health, `/readyz` and the metrics for as long as it lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, or_, select, update

from connector.store import accounts, codec, inbox, ledger
from connector.store.database import advisory_lock, insert, put_row, rows_of, the
from connector.store.inbox import Arrival
from connector.store.ledger import LedgerEntry
from connector.store.schema import aside as aside_table
from connector.store.schema import hold as hold_table
from connector.work import retry
from policies.model import Instant, TicketRef
from policies.rules.judgement import Coming

Scope = Literal["ticket", "loop", "account", "parts", "start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One ticket that is held. With the scope `account` so is everything else there; `loop` says that the
    ticket is told so, by a note; `parts`, that the helpdesk does not keep what is written; `start`, that its level
    was due before its policy was enforced. `policy` is the one whose level is held, and `coming` that level."""

    ref: TicketRef
    scope: Scope
    why: str
    since: Instant
    policy: str = ""
    coming: Coming | None = None


def put_hold(connection: Connection, hold: Hold) -> bool:
    """Hold a ticket; False if it is held already: then only the level that is held may be another by now."""
    row = {
        "account": hold.ref.account,
        "ticket": hold.ref.id,
        "scope": hold.scope,
        "why": hold.why,
        "since": hold.since,
        "policy": hold.policy,
        "coming": None if hold.coming is None else codec.dump(Coming, hold.coming, sparse=True),
    }
    statement = insert(connection, hold_table).values(row).on_conflict_do_nothing()
    if put_row(connection, statement, hold_table.c.ticket):
        return True
    if hold.coming is not None:
        level = {"policy": hold.policy, "coming": row["coming"]}
        connection.execute(update(hold_table).where(*_of(hold.ref)).values(level))
    return False


def of_ticket(connection: Connection, ref: TicketRef) -> Hold | None:
    """The hold on this ticket."""
    row = connection.execute(select(hold_table).where(*_of(ref))).mappings().first()
    return None if row is None else _hold(row)


_HOLD = rows_of(hold_table.c.account, hold_table.c.ticket)
_OVER = (
    select(hold_table)
    .where(_HOLD[0], or_(_HOLD[1], hold_table.c.scope == "account"))
    .order_by(hold_table.c.since)
)
_DROP_OVER = delete(hold_table).where(*_HOLD, hold_table.c.scope != "loop")
_DROP_RUNNING = delete(hold_table).where(*_HOLD, hold_table.c.scope != "loop", hold_table.c.scope != "parts")


def over(connection: Connection, ref: TicketRef) -> tuple[Hold | None, Hold | None]:
    """The hold on this ticket, and the oldest that is on its whole account."""
    rows = connection.execute(_OVER, the(ref)).mappings()
    found = tuple(map(_hold, rows))
    return (
        next((one for one in found if one.ref == ref), None),
        next((one for one in found if one.scope == "account"), None),
    )


def every(connection: Connection) -> tuple[Hold, ...]:
    """All holds, the oldest first."""
    rows = connection.execute(
        select(hold_table).order_by(hold_table.c.since, hold_table.c.account, hold_table.c.ticket)
    ).mappings()
    return tuple(map(_hold, rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldStart:
    """A policy that found too much due when it was first enforced on an account, and how many tickets it holds."""

    account: str
    policy: str
    many: int


def of_accounts(connection: Connection, limit: int) -> tuple[Hold, ...]:
    """The first holds that keep whole accounts standing still, the oldest first."""
    rows = connection.execute(
        select(hold_table)
        .where(hold_table.c.scope == "account")
        .order_by(hold_table.c.since, hold_table.c.account)
        .limit(limit)
    ).mappings()
    return tuple(map(_hold, rows))


def of_starts(connection: Connection, limit: int) -> tuple[HeldStart, ...]:
    """The first starts of policies that are held."""
    of = (hold_table.c.account, hold_table.c.policy)
    rows = connection.execute(
        select(*of, func.count().label("many"))
        .where(hold_table.c.scope == "start")
        .group_by(*of)
        .order_by(*of)
        .limit(limit)
    )
    return tuple(HeldStart(account=row.account, policy=row.policy, many=row.many) for row in rows)


def drop(connection: Connection, ref: TicketRef, *, over: bool) -> None:
    """Forget the hold on a ticket for which there is nothing to write any more. A loop is not over with it; what
    the helpdesk did not keep is once all is `over`."""
    connection.execute(_DROP_OVER if over else _DROP_RUNNING, the(ref))


class NotHeld(Exception):
    """There is nothing of this name to release; the text says why."""


def release(
    connection: Connection,
    account: str,
    ticket: str = "",
    policy: str = "",
    *,
    who: str,
    why: str,
    now: Instant,
) -> int:
    """Let a ticket go on, or without one the account, or what was due at the start of a policy there: they are owed a
    look, and the caps of the ticket or of the account count anew from here. Answers how many tickets that are. Raises
    NotHeld."""
    here = [one for one in every(connection) if one.ref.account == account]
    meant = [
        one
        for one in here
        if ticket in ("", one.ref.id) and (not policy or (one.scope, one.policy) == ("start", policy))
    ]
    if ticket and meant and meant[0].scope == "account":
        raise NotHeld(f"the whole account is held, not this ticket alone: uptier release {account}")
    begun = 0 if ticket else accounts.set_stage(connection, account, policy or None, "running")
    if not meant and not begun:
        what = f"{account}/{ticket}" if ticket else account
        raise NotHeld(f"nothing is held at {what}{f' by policy {policy}' if policy else ''}")
    _go_on(connection, meant, account, ticket, policy, who, why, now)
    return len(meant)


def let_go(connection: Connection, account: str, policy: str, now: Instant) -> None:
    """Let go on what was due at the start of a policy that goes on by itself: too few tickets were."""
    meant = [
        one
        for one in every(connection)
        if (one.ref.account, one.scope, one.policy) == (account, "start", policy)
    ]
    if meant:
        why = f"not too many tickets were due at its start: {len(meant)}"
        _go_on(connection, meant, account, "", policy, "uptier", why, now)


def _go_on(
    connection: Connection,
    held: Sequence[Hold],
    account: str,
    ticket: str,
    policy: str,
    who: str,
    why: str,
    now: Instant,
) -> None:
    for one in held:
        connection.execute(delete(hold_table).where(*_of(one.ref)))
    line = LedgerEntry(
        at=now, account=account, ticket=ticket, policy=policy, what="released", who=who, text=why
    )
    ledger.append(connection, [line])
    inbox.put_news(
        connection,
        [
            Arrival(
                account=one.ref.account,
                ticket=one.ref.id,
                delivery=f"released:{one.ref.id}:{now}",
                kind="command",
                received_at=now,
            )
            for one in held
        ],
    )


def _of(ref: TicketRef) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return hold_table.c.account == ref.account, hold_table.c.ticket == ref.id


def _hold(row: RowMapping) -> Hold:
    return Hold(
        ref=TicketRef(row["account"], row["ticket"]),
        scope=row["scope"],
        why=row["why"],
        since=row["since"],
        policy=row["policy"],
        coming=None if row["coming"] is None else codec.load(Coming, row["coming"]),
    )


OPEN_TICKETS = "open tickets"
"""The kind of an account whose list of open tickets is refused to us."""

LOOK = "look"
"""The kind of a ticket that cannot be looked at. Other kinds are rows that cannot be read, feeds that are refused."""

POLICY = "policy "
"""How the kind begins of a policy that raised at a look at the ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One thing set aside. `kind` says in what it failed; with an empty `ticket` it is of the account as a whole.
    `tries` counts the failures in a row, the newest at `tried_at`; before `next_try` it is not tried again."""

    account: str
    ticket: str
    kind: str
    why: str
    since: Instant
    tries: int
    tried_at: Instant
    next_try: Instant

    @property
    def name(self) -> str:
        """The ticket as everywhere, or the account."""
        return f"{self.account}/{self.ticket}" if self.ticket else self.account


def set_aside(connection: Connection, account: str, ticket: str, kind: str, why: str, now: Instant) -> bool:
    """Set this aside, or count one more failure of what is aside already, with its newest reason. True, and a line
    in the ledger, if it is new."""
    advisory_lock(connection, f"aside {account}/{ticket}")
    known = aside_of(connection, account, ticket, kind)
    tries = known.tries + 1 if known else 1
    row = {
        "account": account, "ticket": ticket, "kind": kind, "why": why, "tries": tries, "tried_at": now,
        "since": known.since if known else now, "next_try": now + retry.ASIDE.after(tries),
    }  # fmt: skip
    statement = insert(connection, aside_table).values(row)
    statement = statement.on_conflict_do_update(index_elements=["account", "ticket", "kind"], set_=row)
    connection.execute(statement)
    if known is None:
        line = LedgerEntry(at=now, account=account, ticket=ticket, what="set aside", text=f"{kind}: {why}")
        ledger.append(connection, [line])
    return known is None


def set_look_aside(
    connection: Connection, ref: TicketRef, why: str, now: Instant, *, urgent: bool = True
) -> bool:
    """Set a ticket aside that could not be looked at: its timer is the next try, which sees to the news of it that
    stays open. True if it is new."""
    new = set_aside(connection, ref.account, ref.id, LOOK, why, now)
    known = aside_of(connection, ref.account, ref.id, LOOK)
    inbox.start_timer(connection, ref, known.next_try if known else now, why, holds=True, urgent=urgent)
    return new


def clear_aside(connection: Connection, account: str, ticket: str, kind: str, now: Instant) -> bool:
    """It works again. True, and a line in the ledger, if it was set aside."""
    gone = connection.execute(delete(aside_table).where(*_is(account, ticket, kind))).rowcount == 1
    if gone:
        line = LedgerEntry(at=now, account=account, ticket=ticket, what="no longer aside", text=kind)
        ledger.append(connection, [line])
    return gone


def aside_of(connection: Connection, account: str, ticket: str, kind: str) -> SetAside | None:
    """This one thing, if it is set aside."""
    row = connection.execute(select(aside_table).where(*_is(account, ticket, kind))).mappings().first()
    return None if row is None else _aside(row)


_KINDS = select(aside_table.c.kind).where(*rows_of(aside_table.c.account, aside_table.c.ticket))


def kinds_aside(connection: Connection, ref: TicketRef) -> frozenset[str]:
    """What of a ticket is set aside."""
    return frozenset(connection.execute(_KINDS, the(ref)).scalars())


def every_aside(connection: Connection) -> tuple[SetAside, ...]:
    """All that is set aside, the oldest first."""
    rows = connection.execute(
        select(aside_table).order_by(
            aside_table.c.since, aside_table.c.account, aside_table.c.ticket, aside_table.c.kind
        )
    ).mappings()
    return tuple(map(_aside, rows))


def aside_of_policy(name: str) -> str:
    """The kind of a policy that raised."""
    return f'{POLICY}"{name}"'


def _is(account: str, ticket: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    return aside_table.c.account == account, aside_table.c.ticket == ticket, aside_table.c.kind == kind


def _aside(row: RowMapping) -> SetAside:
    return SetAside(**row)
