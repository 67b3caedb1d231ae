"""What the processes of a fleet share: requests asked of each helpdesk and what for, limits and pauses that it named,
leases, and what each process last said of itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, literal, or_, select, union_all

from adapters.base import Limit
from connector.store import codec
from connector.store.database import insert, put
from connector.store.schema import lease, pause, request_count, spent, vendor_limit
from connector.store.schema import node as node_table
from policies.model import Instant, Seconds


def pause_until(connection: Connection, account: str, bucket: str, until: Instant, now: Instant) -> None:
    """Nothing more is to be sent out of this bucket before then. The longest wait counts."""
    statement = insert(connection, pause).values(account=account, bucket=bucket, until=until, since=now)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "bucket"],
            set_={"until": statement.excluded.until, "since": now},
            where=pause.c.until < statement.excluded.until,
        )
    )


def pauses(connection: Connection, account: str, now: Instant) -> Mapping[str, Instant]:
    """Until when each bucket rests, for those that do."""
    rows = connection.execute(select(pause.c.bucket, pause.c.until).where(*_resting(account, now)))
    return {row.bucket: row.until for row in rows}


def count_requests(
    connection: Connection, account: str, buckets: Iterable[str], at: Instant, requests: int = 1
) -> None:
    """One more request, or so many, out of each of these."""
    statement = insert(connection, spent)
    statement = statement.on_conflict_do_update(
        index_elements=["account", "bucket", "at"], set_={"requests": spent.c.requests + requests}
    )
    rows = [
        {"account": account, "bucket": bucket, "at": at, "requests": requests} for bucket in sorted(buckets)
    ]
    connection.execute(statement, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """By bucket: how many requests were sent since its beginning, and until when it rests, if it does."""

    requests: Mapping[str, int]
    pauses: Mapping[str, Instant]


def known_spending(
    connection: Connection, account: str, begins: Mapping[str, Instant], now: Instant
) -> Spending:
    """What was sent out of each of these buckets at or after its beginning, and all pauses of the account. What is
    stamped in the future was sent before the clock was set back, and counts as sent now."""
    sums = (
        select(
            spent.c.bucket,
            func.sum(spent.c.requests).label("requests"),
            literal(0).label("until"),
            func.max(spent.c.at).label("newest"),
        )
        .where(spent.c.account == account, _since(begins))
        .group_by(spent.c.bucket)
    )
    rests = select(pause.c.bucket, literal(0), pause.c.until, literal(0)).where(*_resting(account, now))
    rows = connection.execute(union_all(sums, rests)).all()
    if any(row.newest > now for row in rows):
        _stamp_anew(connection, account, now)
    return Spending(
        requests={row.bucket: int(row.requests) for row in rows if not row.until},
        pauses={row.bucket: row.until for row in rows if row.until},
    )


def by_second(
    connection: Connection, account: str, begins: Mapping[str, Instant]
) -> Mapping[str, Sequence[tuple[Instant, int]]]:
    """By bucket, the requests by second at or after its beginning, the earliest first."""
    rows = connection.execute(
        select(spent.c.bucket, spent.c.at, spent.c.requests)
        .where(spent.c.account == account, _since(begins))
        .order_by(spent.c.at)
    )
    found: dict[str, list[tuple[Instant, int]]] = {bucket: [] for bucket in begins}
    for row in rows:
        found[row.bucket].append((row.at, row.requests))
    return found


def _stamp_anew(connection: Connection, account: str, now: Instant) -> None:
    ahead = (spent.c.account == account, spent.c.at > now)
    rows = connection.execute(select(spent.c.bucket, spent.c.requests).where(*ahead)).all()
    connection.execute(delete(spent).where(*ahead))
    for bucket, requests in rows:
        count_requests(connection, account, (bucket,), now, requests)


def forget_spending(connection: Connection, before: Instant) -> None:
    """Drop what no window reaches back to any more."""
    connection.execute(delete(spent).where(spent.c.at < before))
    connection.execute(delete(pause).where(pause.c.until < before))


def _since(begins: Mapping[str, Instant]) -> ColumnElement[bool]:
    return or_(*(and_(spent.c.bucket == bucket, spent.c.at >= begin) for bucket, begin in begins.items()))


def _resting(account: str, now: Instant) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pause.c.account == account, pause.c.until > now


def count_sent(connection: Connection, account: str, hour: Instant, purpose: str, many: int) -> None:
    """So many more requests have left in the hour that begins then."""
    statement = insert(connection, request_count).values(
        account=account, hour=hour, purpose=purpose, requests=many
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "hour", "purpose"],
            set_={"requests": request_count.c.requests + many},
        )
    )


def sent_by_purpose(connection: Connection, account: str, since: Instant) -> Mapping[str, int]:
    """How many requests left for what in the hours that began at `since` or after."""
    rows = connection.execute(
        select(request_count.c.purpose, func.sum(request_count.c.requests).label("requests"))
        .where(request_count.c.account == account, request_count.c.hour >= since)
        .group_by(request_count.c.purpose)
    )
    return {row.purpose: int(row.requests) for row in rows}


def sent_by_hour(connection: Connection, account: str, since: Instant) -> Mapping[Instant, Mapping[str, int]]:
    """How many requests left for what, by the hour that began at `since` or after."""
    rows = connection.execute(
        select(request_count.c.hour, request_count.c.purpose, request_count.c.requests).where(
            request_count.c.account == account, request_count.c.hour >= since
        )
    )
    found: dict[Instant, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.hour, {})[row.purpose] = row.requests
    return found


def keep_limits(connection: Connection, account: str, limits: Iterable[Limit], now: Instant) -> None:
    """What the helpdesk last said of each bucket, to whichever process."""
    rows = [
        {
            "account": account, "bucket": limit.bucket, "total": limit.total, "remaining": limit.remaining,
            "seconds": limit.window, "heard_at": now,
        }
        for limit in limits
    ]  # fmt: skip
    if rows:
        put(connection, vendor_limit, rows)


def limits_of(connection: Connection, account: str) -> tuple[Limit, ...]:
    """What the helpdesk last said of each bucket; the whole account's first."""
    rows = connection.execute(select(vendor_limit).where(vendor_limit.c.account == account)).all()
    found = (
        Limit(bucket=row.bucket, total=row.total, remaining=row.remaining, window=row.seconds) for row in rows
    )
    return tuple(sorted(found, key=lambda limit: (limit.bucket != "account", limit.bucket)))


def forget_sent(connection: Connection, before: Instant) -> None:
    """Drop the hours that began before then."""
    connection.execute(delete(request_count).where(request_count.c.hour < before))


def take_lease(connection: Connection, name: str, holder: str, term: Seconds, now: Instant) -> bool:
    """Hold the lease for `term` seconds, if it is free, over, or ours already. False if another has it. One that ends
    later than a term can last was stamped before the clock was set back: it lasts a term from now."""
    statement = insert(connection, lease).values(name=name, holder=holder, until=now + term)
    ours = or_(lease.c.holder == holder, lease.c.until <= now)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": case((ours, holder), else_=lease.c.holder), "until": now + term},
        where=or_(ours, lease.c.until > now + term),
    )
    return connection.execute(statement.returning(lease.c.holder)).scalar() == holder


def holds_lease(connection: Connection, name: str, holder: str, now: Instant) -> bool:
    """Whether the lease is ours at this moment; on PostgreSQL it stays so until the transaction ends."""
    found = select(lease.c.holder).where(lease.c.name == name, lease.c.holder == holder, lease.c.until > now)
    return connection.execute(found.with_for_update()).first() is not None


def give_lease_back(connection: Connection, holder: str) -> None:
    """Leave everything to others at once."""
    connection.execute(delete(lease).where(lease.c.holder == holder))


SILENT: Seconds = 35
"""A process speaks every ten seconds. One that has said nothing for so long is dead, stands still, or does not reach
the database."""

SHOWN_FOR: Seconds = 3600
"""How long one that says nothing more is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A thread or a job that fails: why, since when, and how often by now."""

    name: str
    why: str
    since: Instant
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A process: what it does, when it last said so, what fails in it, and by how much it sees clocks ahead of its own
    (of each helpdesk by account, and of the database under an empty name). `silent` says that it should have told of
    itself again since."""

    name: str
    roles: tuple[str, ...]
    at: Instant
    failing: tuple[Failing, ...]
    skews: Mapping[str, Seconds]
    silent: bool = False


def keep(connection: Connection, node: Node) -> None:
    """Replace what this process said before."""
    row = {
        "name": node.name, "roles": " ".join(node.roles), "at": node.at,
        "failing": codec.dump(tuple[Failing, ...], node.failing), "skews": codec.dump(dict[str, int], dict(node.skews)),
    }  # fmt: skip
    put(connection, node_table, [row])


def forget(connection: Connection, name: str) -> None:
    """This process ends."""
    connection.execute(delete(node_table).where(node_table.c.name == name))


def forget_silent(connection: Connection, before: Instant) -> None:
    """Processes that have said nothing since are gone."""
    connection.execute(delete(node_table).where(node_table.c.at < before))


def others(connection: Connection, name: str, now: Instant) -> tuple[Node, ...]:
    """All that have spoken within `SHOWN_FOR` but the one of this name, by name."""
    rows = connection.execute(
        select(node_table)
        .where(node_table.c.name != name, node_table.c.at >= now - SHOWN_FOR)
        .order_by(node_table.c.name)
    )
    return tuple(
        Node(
            name=row.name,
            roles=tuple(row.roles.split()),
            at=row.at,
            failing=codec.load(tuple[Failing, ...], row.failing),
            skews=codec.load(dict[str, int], row.skews),
            silent=now - row.at > SILENT,
        )
        for row in rows
    )
