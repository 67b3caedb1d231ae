"""Bringing a database to the newest migration, inside the caller's transaction."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.store.revision import Migrated, keep_oldest, newer, revision
from connector.store.schema import HEAD
from connector.store.trouble import OtherVersion


def configuration() -> Config:
    """Alembic's configuration; there is no alembic.ini, the migrations ship in the package."""
    config = Config()
    config.set_main_option("script_location", "connector.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, name: str) -> Migrated:
    """Run what is missing. OtherVersion, with nothing done, when the database is ahead of us; `name` says which
    that is."""
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
    scripts = ScriptDirectory.from_config(configuration()).walk_revisions()
    return max(
        each.revision for each in scripts if getattr(each.module, "STOPS_OLDER", each.revision == "0001")
    )
