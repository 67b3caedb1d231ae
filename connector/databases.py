"""The database that the config names, opened with the password that it refers to."""

from sqlalchemy import make_url

from connector.secrets import Secrets
from connector.settings import Settings
from connector.store.database import Store
from connector.store.opening import migrate, open_store


def open_database(settings: Settings, secrets: Secrets) -> Store:
    """Raises StoreTrouble or SecretError."""
    return open_store(settings.service.database, password(settings, secrets))


def migrate_database(settings: Settings, secrets: Secrets) -> str | None:
    """Bring it to this version; answers the migration it stood at, None for an empty one. Raises as above."""
    return migrate(settings.service.database, password(settings, secrets))


def queue_address(settings: Settings, secrets: Secrets) -> str:
    """The address of a PostgreSQL database, password and all, for the queue's own connections."""
    url = make_url(settings.service.database)
    given = password(settings, secrets)
    return (url if given is None else url.set(password=given)).render_as_string(hide_password=False)


def password(settings: Settings, secrets: Secrets) -> str | None:
    """None leaves it to what PostgreSQL's own clients use: PGPASSFILE, a certificate, the socket's owner."""
    named = settings.service.database_password
    return None if named is None else secrets.get(named)
