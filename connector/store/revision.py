"""Which migration a database stands at, which processes may work on it, and bringing it to the newest.

Nodes of a fleet are changed one by one, so a process may find that the tables went on under it. A migration that its
release cannot live with says so in the database (`STOPS_OLDER`), where every process looks again and again.
Alembic takes eight megabytes, and a database that stands at the newest migration is opened without it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from connector.store import accounts
from connector.store.schema import HEAD
from connector.store.trouble import OtherVersion

if TYPE_CHECKING:
    from alembic.config import Config

OLDEST = "oldest migration that works on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """Where the database stood before, None for a new one; the copy that was made of it, if one was; and whether
    processes of the release it was made by have to stop."""

    found: str | None
    copy: Path | None = None
    stops_older: bool = False


def revision(connection: Connection) -> str | None:
    """Where the database stands, or None before its first migration."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def keep_oldest(connection: Connection, oldest: str) -> None:
    """Processes whose newest migration comes before this one may not work here."""
    accounts.save_cursor(connection, "", OLDEST, oldest, 0)


def left_behind(connection: Connection) -> str | None:
    """Why a process of this version may not work on this database any more; None while it may."""
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is None or found <= HEAD:
        return None
    oldest = accounts.read_cursor(connection, "", OLDEST)
    if oldest is not None and oldest <= HEAD:
        return None
    return f"stands at {found}, and this version's tables, {HEAD}, do not go with it"


def newer(name: str, found: str) -> str:
    """What to do where a later version has been."""
    return f"{name} was written by a newer Uptier ({found}); install that version or newer"


def older(name: str, found: str, next_step: str) -> str:
    """What to do where an earlier version has been."""
    return f"{name} stands at {found}, not at {HEAD}; {next_step}"


def configuration() -> "Config":
    """Alembic's configuration; there is no alembic.ini, the migrations ship in the package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "connector.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, name: str) -> Migrated:
    """Run what is missing. OtherVersion, with nothing done, when the database is ahead of us; `name` says which
    that is."""
    from alembic import command

    config = configuration()
    found = revision(connection)
    if found is not None and found > HEAD:
        raise OtherVersion(newer(name, found))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
    oldest = oldest_beside()
    keep_oldest(connection, oldest)
    return Migrated(found=found, stops_older=found is not None and found < oldest)


def oldest_beside() -> str:
    """The oldest migration whose release works beside this one's: that of the last one that says `STOPS_OLDER`."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(configuration()).walk_revisions()
    return max(
        each.revision for each in scripts if getattr(each.module, "STOPS_OLDER", each.revision == "0001")
    )
