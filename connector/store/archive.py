"""Archives: files beside the database that hold past tickets without their words, for looking back with other rules.

Each is one SQLite file for its owner alone. The database knows where they lie, so that what is to be forgotten is
forgotten in them too.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    bindparam,
    create_engine,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from connector.store import accounts, codec
from connector.store.database import Store, rows_of, the
from connector.store.schema import Text
from connector.store.trouble import StoreTrouble
from policies.model import Directory, Instant, Ticket, TicketRef

FORM = "1"
"""Which tables these are; a file of another form is refused."""

REGISTER = "archives"
BATCH = 200

metadata = MetaData()
head = Table("head", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
walk = Table(
    "walk",
    metadata,
    Column("account", Text, primary_key=True),
    Column("list", Text, primary_key=True),
    Column("cursor", Text),
    Column("ended", BigInteger, nullable=False, default=0),
)
people = Table(
    "people", metadata, Column("account", Text, primary_key=True), Column("directory", Text, nullable=False)
)
past = Table(
    "past",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("why", Text),
    Column("facts", Text),
    Column("unknown", Text),
    Column("words", Text),
)
"""One row a ticket. `facts` is the ticket without words, null while it is owed; `why` says why it cannot be had,
`unknown` which fields have no past, as JSON; `words` is the ticket with its words where they were asked for."""


_MINE = rows_of(past.c.account, past.c.ticket)
_KEEP = (
    update(past)
    .where(*_MINE)
    .values(**{name: bindparam(f"new_{name}") for name in ("facts", "unknown", "words")})
)
_LOSE = update(past).where(*_MINE).values(why=bindparam("new_why"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a file says of itself. `begin` and `end` are the period (half-open), `words_until` when the words in it are
    forgotten, 0 where it has none. `asked` are the questions about words that were answered, `packs` the spelling of
    the phrase packs that were looked for."""

    made: Instant
    begin: Instant
    end: Instant
    words_until: Instant
    asked: tuple[str, ...]
    packs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many tickets a file holds, owes, and cannot have."""

    kept: int
    owed: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ticket as it lies in the file: the ticket as JSON, with words if it has them, and what is unknown of it."""

    account: str
    facts: str
    unknown: frozenset[str]

    def ticket(self) -> Ticket:
        """The ticket."""
        return codec.load(Ticket, self.facts)


class Archive:
    """One file. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = create_engine(f"sqlite:///{path}")

    @classmethod
    def create(cls, path: Path, said: Head) -> Self:
        """A new file, readable for its owner alone; it is there whole or not at all. Raises StoreTrouble."""
        begun = path.with_name(f"{path.name}.begun")
        try:
            begun.unlink(missing_ok=True)
            os.close(os.open(begun, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreTrouble(f"{path} cannot be made: {error.strerror}") from error
        with closing(cls(begun)) as made, made.writing() as connection:
            metadata.create_all(connection)
            rows = [{"key": "form", "value": FORM}, {"key": "head", "value": codec.dump(Head, said)}]
            connection.execute(head.insert(), rows)
        begun.rename(path)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A file that is there. Raises StoreTrouble for what is no archive of this form."""
        if not path.exists():
            raise StoreTrouble(f"there is no archive {path}; `uptier archive pull` makes one")
        found = cls(path)
        with _closed_on_trouble(found), found.reading() as connection:
            form = connection.execute(select(head.c.value).where(head.c.key == "form")).scalar()
        if form != FORM:
            found.close()
            raise StoreTrouble(f"{path} is an archive of another version; pull it again")
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Within the block the file is read. Raises StoreTrouble for what cannot be."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise StoreTrouble(f"{self.path} cannot be used as an archive: {error.orig}") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction. Raises StoreTrouble for what cannot be."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StoreTrouble(f"{self.path} cannot be used as an archive: {error.orig}") from error

    def said(self) -> Head:
        """What the file says of itself."""
        with self.reading() as connection:
            text = connection.execute(select(head.c.value).where(head.c.key == "head")).scalar_one()
        return codec.load(Head, text)

    # --- while it is pulled ------------------------------------------------------------------------------------

    def place(self, account: str, feed: str) -> tuple[str | None, bool]:
        """Where the reading of a list stands, and whether it has ended."""
        with self.reading() as connection:
            row = connection.execute(
                select(walk.c.cursor, walk.c.ended).where(walk.c.account == account, walk.c.list == feed)
            ).first()
        return (None, False) if row is None else (row.cursor, bool(row.ended))

    def keep_page(self, account: str, feed: str, refs: Iterable[TicketRef], cursor: str, ended: bool) -> None:
        """Owe these tickets, and note how far the list was read."""
        values = {"account": account, "list": feed, "cursor": cursor, "ended": int(ended)}
        with self.writing() as connection:
            owed = [{"account": ref.account, "ticket": ref.id} for ref in refs]
            if owed:
                connection.execute(insert(past).on_conflict_do_nothing(), owed)
            connection.execute(
                insert(walk)
                .values(values)
                .on_conflict_do_update(index_elements=["account", "list"], set_=values)
            )

    def keep_people(self, directory: Directory) -> None:
        """Note who works there."""
        values = {"account": directory.account, "directory": codec.dump(Directory, directory)}
        with self.writing() as connection:
            connection.execute(
                insert(people).values(values).on_conflict_do_update(index_elements=["account"], set_=values)
            )

    def owed(self, account: str, limit: int = BATCH) -> tuple[TicketRef, ...]:
        """Tickets that are still to be fetched."""
        with self.reading() as connection:
            rows = connection.execute(
                select(past.c.ticket)
                .where(past.c.account == account, past.c.facts.is_(None), past.c.why.is_(None))
                .order_by(past.c.ticket)
                .limit(limit)
            ).scalars()
            return tuple(TicketRef(account, each) for each in rows)

    def keep(
        self, ref: TicketRef, *, facts: Ticket, unknown: Iterable[str], words: Ticket | None = None
    ) -> None:
        """Keep what was fetched."""
        values = {
            "new_facts": codec.dump(Ticket, facts),
            "new_unknown": json.dumps(sorted(unknown)),
            "new_words": None if words is None else codec.dump(Ticket, words),
        }
        with self.writing() as connection:
            connection.execute(_KEEP, the(ref, **values))

    def lose(self, ref: TicketRef, why: str) -> None:
        """Note why this one cannot be had."""
        with self.writing() as connection:
            connection.execute(_LOSE, the(ref, new_why=why))

    def leave_out(self, ref: TicketRef) -> None:
        """It does not belong to the period."""
        with self.writing() as connection:
            connection.execute(delete(past).where(past.c.account == ref.account, past.c.ticket == ref.id))

    # --- what is in it -----------------------------------------------------------------------------------------

    def counted(self, account: str) -> Counted:
        """How far it is with an account."""
        with self.reading() as connection:
            kept, lost, every = connection.execute(
                select(func.count(past.c.facts), func.count(past.c.why), func.count()).where(
                    past.c.account == account
                )
            ).one()
        return Counted(kept=kept, owed=every - kept - lost, lost=lost)

    def untold(self, account: str) -> Mapping[str, int]:
        """Of how many tickets each field, history or clock has no past, the most frequent first."""
        with self.reading() as connection:
            rows = connection.execute(
                select(past.c.unknown, func.count())
                .where(past.c.account == account, past.c.unknown.is_not(None))
                .group_by(past.c.unknown)
            ).all()
        counted: Counter[str] = Counter()
        for unknown, many in rows:
            counted.update(dict.fromkeys(json.loads(unknown), many))
        return dict(counted.most_common())

    def directories(self) -> Mapping[str, Directory]:
        """Who works there, by account."""
        with self.reading() as connection:
            rows = connection.execute(select(people)).all()
        return {row.account: codec.load(Directory, row.directory) for row in rows}

    def row(self, ref: TicketRef) -> Row | None:
        """One ticket, None if it was not fetched."""
        with self.reading() as connection:
            found = connection.execute(
                select(past).where(
                    past.c.account == ref.account, past.c.ticket == ref.id, past.c.facts.is_not(None)
                )
            ).first()
        return None if found is None else _row(found)

    def rows(self) -> Iterator[Row]:
        """All tickets that were fetched, in the order of account and id; a batch at a time."""
        last = ("", "")
        while True:
            with self.reading() as connection:
                rows = connection.execute(
                    select(past)
                    .where(
                        past.c.facts.is_not(None),
                        (past.c.account > last[0])
                        | ((past.c.account == last[0]) & (past.c.ticket > last[1])),
                    )
                    .order_by(past.c.account, past.c.ticket)
                    .limit(BATCH)
                ).all()
            if not rows:
                return
            yield from map(_row, rows)
            last = (rows[-1].account, rows[-1].ticket)

    def forget_words(self) -> None:
        """Take the words out, and say so in the head."""
        said = self.said()
        bare = Head(
            made=said.made,
            begin=said.begin,
            end=said.end,
            words_until=0,
            asked=said.asked,
            packs=said.packs,
        )
        with self.writing() as connection:
            connection.execute(update(past).values(words=None))
            connection.execute(update(head).where(head.c.key == "head").values(value=codec.dump(Head, bare)))


def _row(found: Any) -> Row:
    return Row(
        account=found.account,
        facts=found.words or found.facts,
        unknown=frozenset(json.loads(found.unknown)),
    )


@contextmanager
def _closed_on_trouble(archive: Archive) -> Iterator[None]:
    try:
        yield
    except StoreTrouble:
        archive.close()
        raise


# --- where they lie --------------------------------------------------------------------------------------------


def register(store: Store, path: Path, now: Instant) -> None:
    """Note that this file is an archive of ours."""
    with store.writing() as connection:
        known = _paths(connection)
        if path not in known:
            _keep(connection, (*known, path), now)


def registered(store: Store) -> tuple[Path, ...]:
    """The archives that were made with this database and are still there, on this machine."""
    with store.reading() as connection:
        return tuple(path for path in _paths(connection) if path.exists())


def unregister(store: Store, path: Path, now: Instant) -> None:
    """Note that this file is gone."""
    with store.writing() as connection:
        _keep(connection, tuple(each for each in _paths(connection) if each != path), now)


def _paths(connection: Connection) -> tuple[Path, ...]:
    return tuple(map(Path, json.loads(accounts.read_cursor(connection, "", REGISTER) or "[]")))


def _keep(connection: Connection, paths: tuple[Path, ...], now: Instant) -> None:
    accounts.save_cursor(connection, "", REGISTER, json.dumps(list(map(str, paths))), now)


def covering(store: Store, begin: Instant, end: Instant) -> Path | None:
    """The newest archive that holds this period."""
    found = list[tuple[Instant, Path]]()
    for path in registered(store):
        try:
            with closing(Archive.open(path)) as archive:
                said = archive.said()
        except StoreTrouble:  # who names it is told what is wrong with it
            continue
        if said.begin <= begin and end <= said.end:
            found.append((said.made, path))
    return max(found, default=(0, None))[1]
