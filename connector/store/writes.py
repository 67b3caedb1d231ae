"""Writes: every request to a vendor that changes something, from the plan to its end; and which facts there
are ours."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from adapters.base import Note, Receipt, Write
from connector.store import codec, tickets
from connector.store.database import insert_in, one_of, put, rows_of, the
from connector.store.schema import receipt
from connector.store.schema import write as write_table
from policies.history import by_revision
from policies.model import Instant, TicketRef


def keep_receipt(
    connection: Connection, ref: TicketRef, write: str, facts: Iterable[str], episodes: frozenset[str]
) -> None:
    """Remember that these facts (ids as in `Act.id`) are the write of that key, made for these episodes."""
    common = {
        "account": ref.account,
        "ticket": ref.id,
        "write": write,
        "episodes": codec.dump_names(episodes),
    }
    put(connection, receipt, [common | {"fact": fact} for fact in facts])


_RECEIPTS = select(receipt.c.fact, receipt.c.episodes).where(*rows_of(receipt.c.account, receipt.c.ticket))


def episodes_by_fact(connection: Connection, ref: TicketRef) -> dict[str, frozenset[str]]:
    """The episodes behind each of the ticket's facts that are ours."""
    rows = connection.execute(_RECEIPTS, the(ref))
    return {row.fact: codec.load(frozenset[str], row.episodes) for row in rows}


def writes_by_fact(connection: Connection, ref: TicketRef) -> dict[str, str]:
    """The key of the write behind each of the ticket's facts that are ours."""
    rows = connection.execute(
        select(receipt.c.fact, receipt.c.write).where(
            receipt.c.account == ref.account, receipt.c.ticket == ref.id
        )
    )
    return {row.fact: row.write for row in rows}


class State(StrEnum):
    """Where a write stands. PLANNED, SENDING and UNKNOWN are open."""

    PLANNED = "planned"
    SENDING = "sending"
    DONE = "done"
    UNKNOWN = "unknown"
    STALE = "stale"
    REFUSED = "refused"


ENDED = (State.DONE, State.REFUSED, State.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWrite:
    """A write and how it fares. `place` orders a plan's writes. `look` is the look that may begin to send it;
    `attempt` counts the times it was begun: only who began it last may send on and say how it ended. These two are the
    fence against a process that was paused while another took its ticket over.

    `tries` counts the sendings that came to nothing, in all looks; before `next_try` there is none. `missing` are the
    parts that were taken out because the helpdesk refuses them."""

    write: Write
    episodes: frozenset[str]
    policy: str
    level: str
    place: int
    state: State
    attempt: int
    receipt: Receipt | None
    error: str | None
    planned_at: Instant
    sent_at: Instant | None
    settled_at: Instant | None
    look: int
    tries: int
    next_try: Instant | None
    missing: frozenset[str]

    def rests(self, now: Instant) -> bool:
        """Whether it was tried in vain and waits for its next try."""
        return self.next_try is not None and self.next_try > now


def plan(
    connection: Connection,
    write: Write,
    *,
    episodes: frozenset[str],
    policy: str,
    level: str,
    place: int,
    now: Instant,
    look: int = 0,
) -> KeptWrite | None:
    """Keep a write that is to be sent, by the look of this number. A stale or merely planned one of the same key is
    replaced; None, with nothing changed, when the key was sent before and that is not settled as stale."""
    row = {
        "key": write.key,
        "account": write.ref.account,
        "ticket": write.ref.id,
        "episodes": codec.dump_names(episodes),
        "policy": policy,
        "level": level,
        "place": place,
        "state": State.PLANNED,
        "request": codec.dump(Write, write),
        "receipt": None,
        "error": None,
        "planned_at": now,
        "sent_at": None,
        "settled_at": None,
        "next_try": None,
        "missing": "[]",
        "look": look,
    }
    fresh = row | {"attempt": 0, "tries": 0}
    kept = connection.execute(_planning(connection.dialect.name, tuple(row)), fresh).mappings().first()
    return None if kept is None else _kept(kept)


@lru_cache(maxsize=4)
def _planning(dialect: str, again: tuple[str, ...]) -> ReturningInsert[Any]:
    """A write that is planned, with the columns that are set `again` in one that is there already."""
    statement = insert_in(dialect, write_table)
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={name: statement.excluded[name] for name in again},
        where=one_of(write_table.c.state, (State.PLANNED, State.STALE)),
    ).returning(write_table)


_MINE = rows_of(write_table.c.account, write_table.c.ticket)
_KEY, _ATTEMPT = write_table.c.key == bindparam("of_key"), write_table.c.attempt == bindparam("of_attempt")
_UNDER_WAY = one_of(write_table.c.state, (State.SENDING, State.UNKNOWN))

CHANGES = ("next_try", "state", "settled_at", "error", "receipt", "request")
"""What of a write changes when it ends."""

_TAKE_OVER = (
    update(write_table)
    .where(*_MINE, write_table.c.state == str(State.PLANNED))
    .where(or_(write_table.c.next_try.is_(None), write_table.c.next_try <= bindparam("now")))
    .values(look=bindparam("by"))
    .returning(write_table)
)
_BEGIN = (
    update(write_table)
    .where(
        _KEY,
        write_table.c.look == bindparam("of_look"),
        one_of(write_table.c.state, (State.PLANNED, State.UNKNOWN)),
    )
    .values(
        state=str(State.SENDING),
        attempt=write_table.c.attempt + 1,
        sent_at=bindparam("now"),
        settled_at=None,
        error=None,
        next_try=None,
    )
    .returning(write_table.c.attempt)
)
_STATE = select(write_table.c.state, write_table.c.attempt).where(_KEY)
_SETTLE = (
    update(write_table)
    .where(_KEY, _ATTEMPT, _UNDER_WAY)
    .values(
        tries=write_table.c.tries + bindparam("more"),
        **{name: bindparam(f"new_{name}") for name in CHANGES},
    )
)
_WORDLESS = update(write_table).where(_KEY).values(request=bindparam("bare"))
_ENDED_REQUEST = select(write_table.c.request).where(_KEY, one_of(write_table.c.state, ENDED))


def take_over(connection: Connection, ref: TicketRef, look: int, now: Instant) -> tuple[KeptWrite, ...]:
    """What is planned for the ticket, and does not wait for its next try, is this look's to send from now on; answers
    it, in order."""
    taken = connection.execute(_TAKE_OVER, the(ref, by=look, now=now)).mappings()
    return tuple(sorted(map(_kept, taken), key=attrgetter("planned_at", "place")))


def begin(connection: Connection, key: str, look: int, now: Instant) -> int | None:
    """Mark a write as sending, before it leaves. Answers the attempt to settle it with; None when it is not
    one that this look may send now (only its planned ones, and unknown ones that were looked for and not found)."""
    attempt: int | None = connection.execute(_BEGIN, {"of_key": key, "of_look": look, "now": now}).scalar()
    return attempt


def is_under_way(connection: Connection, key: str, attempt: int) -> bool:
    """Whether this attempt is still the one that may reach the helpdesk."""
    row = connection.execute(_STATE, {"of_key": key}).first()
    return row is not None and row.state == State.SENDING and row.attempt == attempt


def settle(
    connection: Connection,
    kept: KeptWrite,
    state: State,
    now: Instant,
    *,
    receipt: Receipt | None = None,
    error: str | None = None,
    tried: bool = False,
    next_try: Instant | None = None,
) -> bool:
    """Say how an attempt ended; a receipt's facts become known as ours, and the words that were written go. `tried`
    says that it counts among the tries, `next_try` when the next may be. False, with nothing changed, when somebody
    else has sent it since, or it is not under way."""
    values = {
        "of_key": kept.write.key,
        "of_attempt": kept.attempt,
        "more": int(tried),
        "new_request": codec.dump(Write, _wordless(kept.write) if state in ENDED else kept.write),
        "new_next_try": next_try,
        "new_state": state,
        "new_settled_at": now,
        "new_error": error,
        "new_receipt": None
        if receipt is None
        else codec.dump(Receipt, replace(receipt, after=None, acts=())),
    }
    if connection.execute(_SETTLE, values).rowcount != 1:
        return False
    if receipt is not None:
        facts = (*receipt.facts, by_revision(receipt.revision))
        keep_receipt(connection, kept.write.ref, kept.write.key, facts, kept.episodes)
        for name, _, after in receipt.changed:
            if name == "assignee":
                tickets.assign(connection, kept.write.ref, after)
    return True


def again(
    connection: Connection,
    key: str,
    attempt: int,
    why: str,
    *,
    tried: bool = False,
    next_try: Instant | None = None,
) -> bool:
    """The attempt came to nothing and the write is still to be sent; its attempts go on counting. The rest as in
    `settle`."""
    statement = (
        update(write_table)
        .where(*_attempt(key, attempt), write_table.c.state.in_((State.SENDING, State.UNKNOWN)))
        .values(state=State.PLANNED, error=why, tries=write_table.c.tries + int(tried), next_try=next_try)
    )
    return connection.execute(statement).rowcount == 1


def narrow(connection: Connection, key: str, attempt: int, write: Write, missing: frozenset[str]) -> bool:
    """The helpdesk refused parts of what was sent: `write` is the rest and is to be sent, without all that is `missing`
    by now. False as in `settle`."""
    statement = (
        update(write_table)
        .where(*_attempt(key, attempt), write_table.c.state == State.SENDING)
        .values(state=State.PLANNED, request=codec.dump(Write, write), missing=codec.dump_names(missing))
    )
    return connection.execute(statement).rowcount == 1


def prepared(connection: Connection, write: Write) -> None:
    """A planned write, worked out on the ticket as it is now."""
    connection.execute(
        update(write_table)
        .where(write_table.c.key == write.key, write_table.c.state == State.PLANNED)
        .values(request=codec.dump(Write, write))
    )


def drop(connection: Connection, key: str, why: str, now: Instant) -> None:
    """A planned write is not to be sent any more."""
    connection.execute(
        update(write_table)
        .where(write_table.c.key == key, write_table.c.state == State.PLANNED)
        .values(state=State.STALE, error=why, settled_at=now)
    )
    _silence_ended(connection, key)


def first_of(key: str) -> str:
    """The key of the first write of the chain that a write belongs to."""
    return f"{key.rpartition(':')[0]}:1"


def rest(connection: Connection, planned: Iterable[KeptWrite]) -> tuple[KeptWrite, ...]:
    """Which of one ticket's planned writes belong to chains whose first write is done, or refused."""
    later = [kept for kept in planned if kept.place]
    if not later:
        return ()
    firsts = {first_of(kept.write.key) for kept in later}
    done = connection.execute(
        select(write_table.c.key).where(
            write_table.c.key.in_(firsts), write_table.c.state.in_((State.DONE, State.REFUSED))
        )
    ).scalars()
    begun = frozenset(done)
    return tuple(kept for kept in later if first_of(kept.write.key) in begun)


def drop_planned(connection: Connection, planned: Collection[KeptWrite]) -> tuple[KeptWrite, ...]:
    """Forget what is merely planned, if it still is; it is decided afresh. The rest of a chain whose first write has
    ended stays, and is the answer, in order. What was sent before and refused for the moment is kept as stale, because
    its attempts must go on counting."""
    stays = rest(connection, planned)
    dropped = {kept.write.key for kept in planned} - {kept.write.key for kept in stays}
    if dropped:
        still = write_table.c.key.in_(dropped) & (write_table.c.state == State.PLANNED)
        connection.execute(delete(write_table).where(still, write_table.c.attempt == 0))
        connection.execute(update(write_table).where(still).values(state=State.STALE))
        for key in sorted(dropped):
            _silence_ended(connection, key)
    return stays


def in_state(connection: Connection, ref: TicketRef, *states: State) -> tuple[KeptWrite, ...]:
    """The ticket's writes in these states, in the order they were planned and are to be sent."""
    rows = connection.execute(_in_state(states), the(ref)).mappings()
    return tuple(_kept(row) for row in rows)


@lru_cache(maxsize=16)
def _in_state(states: tuple[State, ...]) -> Select[Any]:
    asked = select(write_table).where(*_MINE, one_of(write_table.c.state, states))
    return asked.order_by(write_table.c.planned_at, write_table.c.place)


_DONE_SINCE = (
    select(write_table)
    .where(*_MINE, write_table.c.state == str(State.DONE), write_table.c.settled_at >= bindparam("since"))
    .order_by(write_table.c.planned_at, write_table.c.place)
)


def done_since(connection: Connection, ref: TicketRef, since: Instant) -> tuple[KeptWrite, ...]:
    """The ticket's writes that were done at or after this instant, in the order they were planned."""
    return tuple(_kept(row) for row in connection.execute(_DONE_SINCE, the(ref, since=since)).mappings())


def of_ticket(connection: Connection, ref: TicketRef) -> tuple[KeptWrite, ...]:
    """All of the ticket's writes, oldest first."""
    return in_state(connection, ref, *State)


def get(connection: Connection, key: str) -> KeptWrite | None:
    """The write of this key."""
    row = connection.execute(select(write_table).where(write_table.c.key == key)).mappings().first()
    return None if row is None else _kept(row)


_OF_LEVEL = (
    select(write_table)
    .where(
        *_MINE,
        write_table.c.state == str(State.DONE),
        write_table.c.policy == bindparam("of_policy"),
        write_table.c.level == bindparam("of_level"),
        write_table.c.place == 0,
    )
    .order_by(write_table.c.planned_at)
)


def of_level(connection: Connection, ref: TicketRef, policy: str, level: str) -> tuple[KeptWrite, ...]:
    """The first write of each chain that this level of this policy has got done on the ticket."""
    rows = connection.execute(_OF_LEVEL, the(ref, of_policy=policy, of_level=level))
    return tuple(_kept(row) for row in rows.mappings())


def everywhere(connection: Connection, state: State, limit: int = 100) -> tuple[KeptWrite, ...]:
    """Writes of all accounts in one state, oldest first: what is held, refused or unknown."""
    rows = connection.execute(
        select(write_table)
        .where(write_table.c.state == state)
        .order_by(write_table.c.planned_at, write_table.c.place)
        .limit(limit)
    ).mappings()
    return tuple(_kept(row) for row in rows)


_SENT = select(
    func.count(case(((write_table.c.place == 0) & (write_table.c.sent_at >= bindparam("rounds_since")), 1))),
    func.count(case((write_table.c.sent_at >= bindparam("since"), 1))),
).where(
    *_MINE,
    write_table.c.sent_at.between(bindparam("begin"), bindparam("now")),
    write_table.c.key.not_in(bindparam("besides", expanding=True)),
)


def count_sent(
    connection: Connection,
    ref: TicketRef,
    *,
    rounds_since: Instant,
    since: Instant,
    now: Instant,
    besides: frozenset[str] = frozenset(),
) -> tuple[int, int]:
    """How many plans began to be written to this ticket at or after `rounds_since`, and how many writes left for it at
    or after `since`, both until now and but for the writes `besides`, of which a further try is due. However often it
    was tried, a write counts once."""
    begin = min(rounds_since, since)
    told = the(ref, rounds_since=rounds_since, since=since, begin=begin, now=now, besides=sorted(besides))
    rounds, sent = connection.execute(_SENT, told).one()
    return rounds, sent


def counts(connection: Connection) -> dict[State, int]:
    """How many writes stand in each state."""
    rows = connection.execute(
        select(write_table.c.state, func.count().label("many")).group_by(write_table.c.state)
    )
    return {State(row.state): row.many for row in rows}


def _wordless(write: Write) -> Write:
    """A write without its words: what it was to do stays, but for the text of notes and the vendor's request."""
    acts = tuple(replace(act, body="") if isinstance(act, Note) else act for act in write.intent)
    return replace(write, intent=acts, request={})


def _silence_ended(connection: Connection, key: str) -> None:
    """Take the words out of a write that has ended."""
    request: str | None = connection.execute(_ENDED_REQUEST, {"of_key": key}).scalar()
    if request is not None:
        bare = codec.dump(Write, _wordless(codec.load(Write, request)))
        connection.execute(_WORDLESS, {"of_key": key, "bare": bare})


def _attempt(key: str, attempt: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return write_table.c.key == key, write_table.c.attempt == attempt


def _kept(row: RowMapping) -> KeptWrite:
    own: dict[str, Any] = {name: row[name] for name in ("policy", "level", "place", "attempt", "error")}
    own |= {name: row[name] for name in ("planned_at", "sent_at", "settled_at", "look", "tries", "next_try")}
    return KeptWrite(
        write=codec.load(Write, row["request"]),
        episodes=codec.load(frozenset[str], row["episodes"]),
        state=State(row["state"]),
        missing=codec.load(frozenset[str], row["missing"]),
        receipt=None if row["receipt"] is None else codec.load_receipt(row["receipt"]),
        **own,
    )
