"""Bringing a database to the newest migration, inside the caller's transaction."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from connector.store.schema import HEAD


def configuration() -> Config:
    """Alembic's configuration; there is no alembic.ini, the migrations ship in the package."""
    config = Config()
    config.set_main_option("script_location", "connector.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, found: str | None) -> bool:
    """Run what is missing after `found`. False, with nothing done, when `found` is not ours to know."""
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        return False
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
    return True
