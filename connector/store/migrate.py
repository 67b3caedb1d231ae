"""Bringing a database to the newest migration, inside the caller's transaction."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.store.revision import revision
from connector.store.schema import HEAD
from connector.store.trouble import StoreTrouble


def configuration() -> Config:
    """Alembic's configuration; there is no alembic.ini, the migrations ship in the package."""
    config = Config()
    config.set_main_option("script_location", "connector.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, name: str) -> str | None:
    """Run what is missing; answers where the database stood before. StoreTrouble, with nothing done, when it is
    ahead of us; `name` says which database that is."""
    config = configuration()
    found = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreTrouble(f"{name} was written by a newer Uptier ({found}); install that version or newer")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
    return found
