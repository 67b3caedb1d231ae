"""The shared database: a PostgreSQL server for any number of processes, with procrastinate's wake-ups in our
transactions.

Nothing migrates it by the way: `uptier migrate` does, once, before the fleet is started.

The rows carry a ticket and nothing else. One `todo` a ticket (`queueing_lock`), one `doing` (`lock`). The library's
way to add jobs would abort a whole transaction on a duplicate, so the rows are inserted here, by the schema of
procrastinate 3.10, whose minor version is pinned. A row that stands already is locked until we commit: otherwise a
worker could fetch and finish it before our news can be seen, and the news would stay without a wake-up.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from adapters.http import clean
from connector.store.database import Store, in_short
from connector.store.inbox import Waiting, due_instants
from connector.store.revision import Migrated, left_behind, newer, older, revision, upgrade
from connector.store.schema import HEAD
from connector.store.trouble import NoDatabase, OtherVersion, StoreTrouble, Unreachable
from policies.model import Instant, Seconds, TicketRef

DRIVER = "postgresql+psycopg"
CONNECT_WITHIN = 10
ADVICE = "check the server and the way to it"
DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
TRUSTED_FOR: Seconds = 1
RESTS_SINCE = "uptier.rests_since"
MIGRATING = 7_240_001
"""The advisory lock that one migration at a time holds."""


class Unordered:
    """PostgreSQL has many writers at a time and queues them itself, row by row."""

    @contextmanager
    def turn(self, *, priority: bool = False) -> Iterator[None]:  # noqa: ARG002 (the port's)
        """It is everybody's turn."""
        yield


def open_postgres(url: URL, *, beside_newer: bool = False) -> Store:
    """Open this database, which `uptier migrate` has prepared. `beside_newer`: also one of a later version whose
    tables go with ours. Raises StoreTrouble, NoDatabase or Unreachable."""
    engine, name = _engine(url), shown(url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
            ahead = found is not None and found > HEAD
            refused = ahead and (not beside_newer or left_behind(connection) is not None)
    except DBAPIError as error:
        engine.dispose()
        raise Unreachable(f"{name}: {in_short(error)}; {ADVICE}") from error
    if found is None or found < HEAD or refused:
        engine.dispose()
    if found is None:
        raise NoDatabase(
            f"{name} has no tables of Uptier yet; run `uptier migrate` once, with the version that is to run"
        )
    if found < HEAD:
        raise OtherVersion(
            older(name, found, "make a dump, then run `uptier migrate` once, with the version that is to run")
        )
    if refused:
        raise OtherVersion(newer(name, found))
    return Store(
        reads=engine.execution_options(isolation_level="REPEATABLE READ"),
        asks=engine.execution_options(isolation_level="AUTOCOMMIT"),
        writes=engine,
        order=Unordered(),
        name=name,
        advice=ADVICE,
    )


def migrate_postgres(url: URL) -> Migrated:
    """Bring this database to our version, its queue too. Raises StoreTrouble. While one process does it, others
    wait."""
    engine, name = _engine(url), shown(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
            done = upgrade(connection, name)
            create_queue(connection)
    except DBAPIError as error:
        raise StoreTrouble(f"{name} cannot be migrated: {in_short(error)}; nothing was changed") from error
    finally:
        engine.dispose()
    return done


def shown(url: URL) -> str:
    """The address without its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername=DRIVER),
            pool_size=16,
            max_overflow=16,
            connect_args={"connect_timeout": CONNECT_WITHIN},
        )
    except ModuleNotFoundError as error:
        raise StoreTrouble(
            f"{shown(url)} needs {error.name}, which is not installed; pip install 'uptier[postgres]'"
        ) from error
    event.listen(engine, "connect", _remember_what_is_committed)
    _ask_after_a_rest(engine)
    return engine


def _remember_what_is_committed(connection: Any, _record: Any) -> None:
    """Whatever the server's default is: a crash that forgot a write that has left would have it sent once more."""
    connection.execute(DURABLE)
    connection.commit()


def _ask_after_a_rest(engine: Engine) -> None:
    """A connection that has rested is asked whether it lives before it is used. One in steady use is not: that would
    double its work, and when the server goes away all of them are replaced at the first error."""

    @event.listens_for(engine, "checkin")
    def came_back(_connection: Any, record: Any) -> None:
        record.info[RESTS_SINCE] = monotonic()

    @event.listens_for(engine, "checkout")
    def goes_out(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get(RESTS_SINCE, monotonic()) < TRUSTED_FOR:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


TASK = "look"
URGENT, BACKFILL = "urgent", "backfill"
RESCUED = 2_147_483_647
"""The priority of a look whose process died: it has waited longest. Others go by when they are due, see `priority`."""

LATEST, LANE = 2_100_000_000, 1_000_000_000

ADD = text("""
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
    VALUES (:queue, :task, :priority, :ref, :ref, jsonb_build_object('ref', CAST(:ref AS text)))
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE
    SET priority = excluded.priority, queue_name = excluded.queue_name
    WHERE procrastinate_jobs.priority < excluded.priority
""")
AWAKE = text("""
    SELECT DISTINCT lock FROM procrastinate_jobs
    WHERE lock = ANY(:refs) AND status IN ('todo', 'doing')
""")
STALLED = text("""
    SELECT jobs.id, jobs.lock FROM procrastinate_jobs AS jobs
    LEFT JOIN procrastinate_workers AS workers ON workers.id = jobs.worker_id
    WHERE jobs.status = 'doing'
      AND (workers.id IS NULL OR workers.last_heartbeat < now() - make_interval(secs => :seconds))
    ORDER BY jobs.lock
    FOR UPDATE OF jobs SKIP LOCKED
""")
FINISH = text("SELECT procrastinate_finish_job_v1(:id, 'failed', true)")
PENDING = text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """A job whose worker is gone or does not answer."""

    id: int
    ref: TicketRef


def queue_of(account: str, *, urgent: bool) -> str:
    """The queue of one account's lane; each has workers of its own, so that none waits behind another."""
    return f"{account}:{URGENT if urgent else BACKFILL}"


def priority(due: Instant, *, urgent: bool) -> int:
    """What procrastinate takes first: the longest overdue of a lane. It fits the table's integer."""
    return LANE * urgent + min(max(LATEST - due, 0), LANE - 1)


def wake(connection: Connection, refs: Iterable[TicketRef], *, urgent: bool) -> None:
    """A look at each of these tickets is to be taken; those whose news has been due longest come first."""
    asked = tuple(refs)
    known = due_instants(connection, asked)
    _add(connection, {ref: priority(known.get(ref, 0), urgent=urgent) for ref in asked}, urgent=urgent)


def wake_if_quiet(connection: Connection, owed: Iterable[Waiting]) -> int:
    """Wake those of which no look is asked for or under way; answers how many."""
    listed = tuple(owed)
    rows = connection.execute(AWAKE, {"refs": [str(one.ref) for one in listed]}).scalars() if listed else ()
    awake = frozenset(rows)
    quiet = [one for one in listed if str(one.ref) not in awake]
    for urgent in (True, False):
        lane = {one.ref: priority(one.due, urgent=urgent) for one in quiet if one.urgent is urgent}
        _add(connection, lane, urgent=urgent)
    return len(quiet)


def finish_stalled(connection: Connection, after: float) -> tuple[Stalled, ...]:
    """End the jobs whose worker has not been heard of for so many seconds, and wake their tickets before others.

    Not the library's retry: where a `todo` of the same ticket waits already, that would fail and the ended job would
    block the ticket for good.
    """
    rows = connection.execute(STALLED, {"seconds": after}).all()
    stalled = tuple(Stalled(id=row.id, ref=TicketRef.parse(row.lock)) for row in rows)
    for job in stalled:
        connection.execute(FINISH, {"id": job.id})
    _add(connection, {job.ref: RESCUED for job in stalled}, urgent=True)
    return stalled


def pending_wakeups(connection: Connection) -> int:
    """How many looks are asked for or under way."""
    found: int = connection.execute(PENDING).scalar_one()
    return found


def create_queue(connection: Connection) -> None:
    """Create procrastinate's tables where they are missing."""
    if connection.dialect.has_table(connection, "procrastinate_jobs"):
        return
    from procrastinate.schema import SchemaManager

    # psycopg passes a text with several statements through as it is, if it has no parameters
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(SchemaManager.get_schema())


def _add(connection: Connection, priorities: Mapping[TicketRef, int], *, urgent: bool) -> None:
    """Sorted, so that two transactions cannot wait for each other."""
    rows = [
        {
            "queue": queue_of(ref.account, urgent=urgent),
            "task": TASK,
            "priority": priorities[ref],
            "ref": _named(ref),
        }
        for ref in sorted(priorities)
    ]
    if rows:
        connection.execute(ADD, rows)


def _named(ref: TicketRef) -> str:
    """The ticket as its other rows name it."""
    return clean(str(ref))
