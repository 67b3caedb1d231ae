"""What is deleted: everything about a person or a ticket when asked, and everything when it is old enough.

The tables are gone through by what they are made of, so that a new one is not left out.
"""

import hmac
import json
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import structlog
from sqlalchemy import Connection, Table, and_, delete, exists, func, or_, select, update
from sqlalchemy import Text as AnyText

from adapters.base import Write
from connector.store import accounts, archive, codec, fleet, inbox, links, schema, users
from connector.store.database import Store, advisory_lock, insert
from connector.store.schema import (
    Text,
    aside,
    episode,
    escalated,
    ledger,
    link,
    metadata,
    notice,
    policy_text,
    receipt,
    standing,
    ticket,
    timer,
)
from connector.store.schema import write as writes
from connector.store.trouble import StoreTrouble
from connector.store.writes import ENDED
from policies.model import Instant, Seconds, TicketRef

log = structlog.get_logger()

KEY = "pseudonyms"
SWEEPS_WITHIN = 60.0
"""Real seconds to wait for others to leave the file alone."""
TICKET_OVER = ("solved", "closed")


@dataclass(kw_only=True)
class Person:
    """Who is to be forgotten, as the tables know them: `names` beside their address, `shared` those that somebody else
    bears too, and the tickets on which they stand."""

    address: str
    pseudonym: str
    names: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    tickets: set[TicketRef] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonymised:
    """What was done, and which open tickets and directories will bring the person back when they are read. `traces`:
    the file of an embedded database still holds bytes of what was replaced. `unread` says which archives could not be
    read, and why."""

    pseudonym: str
    rows: dict[str, int]
    was_user: bool
    shared: frozenset[str]
    open_tickets: tuple[TicketRef, ...]
    directories: tuple[str, ...]
    traces: bool
    unread: tuple[str, ...] = ()


def forget_person(store: Store, address: str, now: Instant) -> Pseudonymised:
    """Put the pseudonym in place of this address and the names that stand beside it. It is the same each time."""
    with store.writing() as connection:
        advisory_lock(connection, KEY)
        key = accounts.read_cursor(connection, "", KEY) or token_hex(32)
        accounts.save_cursor(connection, "", KEY, key, now)
    digest = hmac.digest(bytes.fromhex(key), address.lower().encode(), "sha256").hex()
    person = Person(address=address, pseudonym=f"person-{digest[:12]}")
    with store.reading() as connection:
        directories = tuple(_learn(connection, person))
        still_open = tuple(_open(connection, person))
    with store.writing() as connection:
        logins = [user.name for user in users.every(connection) if user.name.lower() == address.lower()]
        for name in logins:
            users.remove(connection, name)
    rows, unread = _in_archives(store, person)
    for table in metadata.sorted_tables:
        with store.writing() as connection:
            if changed := _replace(connection, table, person):
                rows[table.name] = changed
    return Pseudonymised(
        pseudonym=person.pseudonym,
        rows=rows,
        was_user=bool(logins),
        shared=frozenset(person.shared),
        open_tickets=still_open,
        directories=directories,
        traces=store.path is not None and not _swept(store.path),
        unread=unread,
    )


def _in_archives(store: Store, person: Person) -> tuple[dict[str, int], tuple[str, ...]]:
    """Replace the person in every archive: how many rows changed, by the file's name, and what could not be read."""
    rows, unread = dict[str, int](), list[str]()
    for path in archive.registered(store):
        try:
            with closing(archive.Archive.open(path)) as file:
                changed = _in_archive(file, person)
        except StoreTrouble as trouble:
            unread.append(str(trouble))
            continue
        if changed:
            rows[f"archive {path.name}"] = changed
            if not _swept(path):
                unread.append(f"{path} is busy, and bytes of what was replaced are still in it")
    return rows, tuple(unread)


def _in_archive(file: archive.Archive, person: Person) -> int:
    """Replace the person in one archive; answers how many rows changed."""
    held = ((archive.people, archive.people.c.directory), (archive.past, archive.past.c.words))
    with file.reading() as connection:
        for table, column in held:
            for row in connection.execute(select(table).where(_has(column, person.address))).mappings():
                _names(json.loads(row[column.name]), person)
                if table is archive.past:
                    person.tickets.add(TicketRef(row["account"], row["ticket"]))
    changed = 0
    for table in archive.metadata.sorted_tables:
        with file.writing() as connection:
            changed += _replace(connection, table, person)
    return changed


def _swept(path: Path) -> bool:
    """Whether what SQLite had deleted or replaced is out of its file too."""
    try:
        with closing(sqlite3.connect(path, timeout=SWEEPS_WITHIN, isolation_level=None)) as file:
            file.execute("VACUUM")
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        return False
    return True


def _learn(connection: Connection, person: Person) -> Iterator[str]:
    """Names and tickets of the person; answers the accounts in whose directory they are."""
    tickets, directory = schema.ticket, schema.directory
    whole = _address(person)
    on_tickets = select(tickets.c.account, tickets.c.id, tickets.c.facts)
    for account, number, facts in connection.execute(on_tickets.where(_has(tickets.c.facts, person.address))):
        if whole.search(facts):
            person.tickets.add(TicketRef(account, number))
            _names(json.loads(facts), person)
    directories = connection.execute(select(directory.c.account, directory.c.people)).all()
    for account, people in directories:
        if whole.search(people):
            yield account
            _names(json.loads(people), person)
    for _, people in directories:
        _names(json.loads(people), person)
    for name in sorted(person.names):
        for (facts,) in connection.execute(select(tickets.c.facts).where(_has(tickets.c.facts, name))):
            _names(json.loads(facts), person)


def _names(value: Any, person: Person) -> None:
    """Note each name beside the address, and each of those beside another address."""
    for each in _objects(value):
        name, address = each.get("name"), each.get("address")
        if not isinstance(name, str) or not isinstance(address, str) or not name:
            continue
        if address.lower() == person.address.lower():
            person.names.add(name)
        elif name in person.names:
            person.shared.add(name)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _open(connection: Connection, person: Person) -> Iterator[TicketRef]:
    table = schema.ticket
    for ref in sorted(person.tickets, key=str):
        row = connection.execute(
            select(table.c.status, table.c.gone).where(table.c.account == ref.account, table.c.id == ref.id)
        ).one()
        if row.gone is None and row.status not in TICKET_OVER:
            yield ref


def _replace(connection: Connection, table: Table, person: Person) -> int:
    """Go through one table; answers how many rows changed."""
    keys = list(table.primary_key)
    columns = [
        column for column in table.columns if isinstance(column.type, Text | AnyText) and column not in keys
    ]
    if not columns:
        return 0
    words = [person.address, *person.names]
    found = or_(*(_has(column, word) for column in columns for word in words))
    rows = connection.execute(select(*keys, *columns).where(found).with_for_update()).mappings().all()
    changed = 0
    for row in rows:
        calm = _replacer(person, own=_ticket_of(table, row) in person.tickets)
        values = {
            column.name: new
            for column in columns
            if (old := row[column.name]) is not None and (new := _replaced(old, calm, person)) != old
        }
        if values:
            where = and_(*(key == row[key.name] for key in keys))
            connection.execute(update(table).where(where).values(values))
            changed += 1
    return changed


def _ticket_of(table: Table, row: Any) -> TicketRef | None:
    number = "id" if table is schema.ticket else "ticket"
    return TicketRef(row["account"], row[number]) if {"account", number} <= set(row) else None


def _address(person: Person) -> re.Pattern[str]:
    """The whole address, not the end or the beginning of another."""
    return re.compile(rf"(?<![\w.+-]){re.escape(person.address)}(?!\w|-|\.\w)", re.IGNORECASE)


def _replacer(person: Person, *, own: bool) -> Callable[[str], str]:
    """What is done to a text. On the person's own tickets their name goes wherever it is a word; elsewhere a name of
    one word, or one that others bear, may mean somebody or something else and stays."""
    address = _address(person)
    names = [name for name in person.names if own or (" " in name and name not in person.shared)]
    words = sorted(names, key=len, reverse=True)
    name = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)") if words else None

    def replaced(text: str) -> str:
        text = address.sub(person.pseudonym, text)
        return text if name is None else name.sub(person.pseudonym, text)

    return replaced


def _replaced(text: str, calm: Callable[[str], str], person: Person) -> str:
    """The text, or the texts in it if it is JSON."""
    if text[:1] in {"{", "["}:
        try:
            value = json.loads(text)
        except ValueError:
            return calm(text)
        new = _walked(value, calm, person)
        return text if new == value else json.dumps(new, ensure_ascii=False, separators=(",", ":"))
    return calm(text)


def _walked(value: Any, calm: Callable[[str], str], person: Person) -> Any:
    if isinstance(value, str):
        return calm(value)
    if isinstance(value, list):
        return [_walked(inner, calm, person) for inner in value]
    if isinstance(value, dict):
        whole = {
            key.replace(person.address, person.pseudonym): _walked(inner, calm, person)
            for key, inner in value.items()
        }
        address = value.get("address")
        if isinstance(address, str) and address.lower() == person.address.lower() and "name" in value:
            whole["name"] = person.pseudonym
        return whole
    return value


def _has(column: Any, word: str) -> Any:
    """A row whose text holds the word, capitals aside; more rows than needed do no harm."""
    spelled = json.dumps(word, ensure_ascii=False)[1:-1].lower()
    return or_(
        func.lower(column).contains(word.lower(), autoescape=True),
        func.lower(column).contains(spelled, autoescape=True),
    )


NEWS: Seconds = 7 * 86400
"""News that was looked at: long enough to know the redelivery of a webhook."""

OVER = ("solved", "closed")
BATCH = 500
SPENT: Seconds = 86400
"""Requests that were counted: longer than any helpdesk's window."""

COUNTED: Seconds = 8 * 86400
"""What they were for, which is shown for a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much went."""

    news: int = 0
    texts: int = 0
    tickets: int = 0
    lines: int = 0
    policies: int = 0
    archives: int = 0

    def __add__(self, other: "Forgotten") -> "Forgotten":
        return Forgotten(
            news=self.news + other.news,
            texts=self.texts + other.texts,
            tickets=self.tickets + other.tickets,
            lines=self.lines + other.lines,
            policies=self.policies + other.policies,
            archives=self.archives + other.archives,
        )


def forget(store: Store, now: Instant, *, texts: Seconds, tickets: Seconds, ledger: Seconds) -> Forgotten:
    """Forget what is older, one transaction a batch. A policy's text goes with the ledger's last line of it."""
    total = Forgotten()
    with store.writing() as connection:
        fleet.forget_spending(connection, now - SPENT)
        fleet.forget_silent(connection, now - SPENT)
        fleet.forget_sent(connection, now - COUNTED)
        links.forget(connection, now)
    total += Forgotten(archives=forget_archives(store, now, now - tickets))
    while (batch := forget_batch(store, now, texts, tickets, ledger)) != Forgotten():
        total += batch
    with store.writing() as connection:
        return total + Forgotten(policies=forget_policy_texts(connection, now - ledger))


def forget_batch(store: Store, now: Instant, texts: Seconds, tickets: Seconds, lines: Seconds) -> Forgotten:
    """Forget at most so much that others need not wait long."""
    with store.writing() as connection:
        return Forgotten(
            news=inbox.forget_done(connection, now - NEWS),
            texts=forget_texts(connection, now - texts) + forget_notices(connection, now - texts),
            tickets=forget_tickets(connection, now - tickets),
            lines=forget_lines(connection, now - lines),
        )


def forget_archives(store: Store, now: Instant, before: Instant) -> int:
    """Take the words out of archives whose time for words has come, and delete those that were made before; how many
    files that is. One that cannot be read keeps nobody from forgetting the rest."""
    forgotten = 0
    for path in archive.registered(store):
        try:
            with closing(archive.Archive.open(path)) as file:
                said = file.said()
                if said.made >= before and 0 < said.words_until <= now:
                    file.forget_words()
                    _swept(path)
                    forgotten += 1
            if said.made < before:
                path.unlink()
                archive.unregister(store, path, now)
                forgotten += 1
        except (StoreTrouble, OSError) as trouble:
            log.warning("archive_not_forgotten", file=str(path), reason=str(trouble))
    return forgotten


def forget_texts(connection: Connection, before: Instant) -> int:
    """Take the words out of writes that ended before; their keys stay, so that nothing is written twice."""
    rows = connection.execute(
        select(writes.c.key, writes.c.request)
        .where(writes.c.state.in_(ENDED), writes.c.settled_at < before, writes.c.request.contains('"body"'))
        .limit(BATCH)
    ).all()
    for row in rows:
        bare = replace(codec.load(Write, row.request), intent=(), request={})
        connection.execute(
            update(writes).where(writes.c.key == row.key).values(request=codec.dump(Write, bare))
        )
    return len(rows)


def forget_notices(connection: Connection, before: Instant) -> int:
    """Take the words out of notices that ended before."""
    keys = connection.execute(
        select(notice.c.key).where(notice.c.settled_at < before, notice.c.body != "").limit(BATCH)
    ).scalars()
    ended = notice.c.key.in_(keys.all())
    return connection.execute(update(notice).where(ended).values(title="", body="")).rowcount


def forget_lines(connection: Connection, before: Instant) -> int:
    """Forget the ledger's oldest lines; they stand in the order of their ids."""
    rows = connection.execute(select(ledger.c.id, ledger.c.at).order_by(ledger.c.id).limit(BATCH)).all()
    old = [row.id for row in rows if row.at < before]
    connection.execute(delete(ledger).where(ledger.c.id.in_(old)))
    return len(old)


def forget_tickets(connection: Connection, before: Instant) -> int:
    """Forget tickets that are over and were not seen since: their facts, memory, writes, notices and receipts."""
    rows = connection.execute(
        select(ticket.c.account, ticket.c.id)
        .where(ticket.c.seen_at < before, or_(ticket.c.status.in_(OVER), ticket.c.gone.is_not(None)))
        .limit(BATCH)
    ).all()
    for row in rows:
        for table in (standing, episode, escalated, writes, notice, receipt, timer, aside, link):
            connection.execute(
                delete(table).where(and_(table.c.account == row.account, table.c.ticket == row.id))
            )
        connection.execute(delete(ticket).where(ticket.c.account == row.account, ticket.c.id == row.id))
    return len(rows)


def keep_policy_text(connection: Connection, policy_hash: str, text: str, now: Instant) -> None:
    """Keep the text behind a hash, which is in force now; the text of a hash that is known stays as it is."""
    row = {"hash": policy_hash, "text": text, "first_seen": now, "last_ran": now}
    statement = insert(connection, policy_text).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["hash"], set_={"last_ran": now}))


def note_in_force(connection: Connection, hashes: Collection[str], now: Instant) -> None:
    """Note that these policies are still in force."""
    connection.execute(update(policy_text).where(policy_text.c.hash.in_(hashes)).values(last_ran=now))


def read_policy_text(connection: Connection, policy_hash: str) -> str | None:
    """The text behind a hash."""
    return connection.execute(select(policy_text.c.text).where(policy_text.c.hash == policy_hash)).scalar()


def forget_policy_texts(connection: Connection, before: Instant) -> int:
    """Forget texts that were last in force before, and to which nothing that is kept refers: no line of the ledger, no
    episode."""
    last = func.coalesce(policy_text.c.last_ran, policy_text.c.first_seen)
    old = connection.execute(select(policy_text.c.hash).where(last < before)).scalars().all()
    gone = [each for each in old if not _is_referred_to(connection, each)]
    connection.execute(delete(policy_text).where(policy_text.c.hash.in_(gone)))
    return len(gone)


def _is_referred_to(connection: Connection, policy_hash: str) -> bool:
    held = (table.c.memory.contains(policy_hash, autoescape=True) for table in (episode, standing))
    places = (ledger.c.policy_hash == policy_hash, *held)
    return any(connection.execute(select(exists().where(place))).scalar_one() for place in places)
