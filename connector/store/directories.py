"""Directories: groups and people of each account as last read, and whom round robin served when."""

from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, select

from connector.store import codec
from connector.store.dialect import put
from connector.store.schema import directory as directory_table
from connector.store.schema import served
from policies.language.references import KnownAccount
from policies.model import Directory, Instant, Seconds

FRESH: Seconds = 86400
"""A directory is good for the names of levels for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDirectory:
    """A directory, when it was read from the vendor, and the names in it."""

    directory: Directory
    read_at: Instant
    names: KnownAccount

    def names_at(self, now: Instant) -> KnownAccount | None:
        """The names, if they were read lately enough to enforce levels by them (rule 12)."""
        return self.names if now - self.read_at <= FRESH else None


def save_directory(connection: Connection, directory: Directory, now: Instant) -> None:
    """Keep what the vendor and the config say. Its `served` is not looked at: `serve` keeps that."""
    people = codec.dump(Directory, replace(directory, served={}))
    put(connection, directory_table, [{"account": directory.account, "people": people, "read_at": now}])


def read_directory(connection: Connection, account: str) -> KnownDirectory | None:
    """The account's directory, with whom round robin has served; None before the first was read."""
    row = connection.execute(select(directory_table).where(directory_table.c.account == account)).first()
    if row is None:
        return None
    directory = replace(_people(row.people), served=turns_of_round_robin(connection, account))
    return KnownDirectory(directory=directory, read_at=row.read_at, names=_names(row.people))


def turns_of_round_robin(connection: Connection, account: str) -> dict[tuple[str, str], Instant]:
    """When round robin last served each (group id, person id)."""
    rows = connection.execute(select(served).where(served.c.account == account))
    return {(row.group_id, row.person_id): row.at for row in rows}


def note_served(connection: Connection, account: str, group_id: str, person_id: str, now: Instant) -> None:
    """Remember that round robin gave this person a ticket of this group."""
    put(
        connection,
        served,
        [{"account": account, "group_id": group_id, "person_id": person_id, "at": now}],
    )


@lru_cache(maxsize=16)
def _names(text: str) -> KnownAccount:
    return KnownAccount.of(_people(text))


@lru_cache(maxsize=16)
def _people(text: str) -> Directory:
    """Directories are large, seldom change, and are asked for in every look."""
    return codec.load(Directory, text)
