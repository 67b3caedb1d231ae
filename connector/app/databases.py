"""The database that the config names, opened with the password that it refers to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from math import ceil

from sqlalchemy import make_url

from connector.clock import Clock
from connector.config.secrets import Secrets
from connector.config.settings import Settings
from connector.store.database import Store
from connector.store.opening import file_of, migrate, open_store
from connector.store.revision import Migrated
from connector.store.sqlite import only_engine
from connector.store.trouble import Unreachable
from policies.model import Seconds

ASKED_EVERY: Seconds = 2


def open_database(settings: Settings, secrets: Secrets) -> Store:
    """To look, or to leave a word for those who work on it. Raises StoreTrouble or SecretError."""
    return open_store(settings.service.database, password(settings, secrets))


@contextmanager
def working_on(settings: Settings, secrets: Secrets) -> Iterator[Store]:
    """For a process that works on the database. A file is held alone, made, and brought to this version's tables; a
    server's has been prepared by `uptier migrate`. Raises StoreTrouble, SecretError or AlreadyRunning."""
    with ExitStack() as stack:
        address, word = settings.service.database, password(settings, secrets)
        path = file_of(address)
        if path is not None:
            stack.enter_context(only_engine(path))
            migrate(address)
        yield stack.enter_context(closing(open_store(address, word, beside_newer=True)))


def migrate_database(settings: Settings, secrets: Secrets) -> Migrated:
    """Bring it to this version's tables. Raises StoreTrouble, SecretError, or AlreadyRunning for a file that a process
    works on."""
    address, word = settings.service.database, password(settings, secrets)
    path = file_of(address)
    with ExitStack() as stack:
        if path is not None:
            stack.enter_context(only_engine(path))
        return migrate(address, word)


def wait_for_database(
    settings: Settings, secrets: Secrets, clock: Clock, patience: Seconds, progress: Callable[[str], None]
) -> None:
    """Come back once the database answers, whatever it answers; say every few seconds that it does not. Raises
    Unreachable after `patience` seconds, or SecretError."""
    address, word = settings.service.database, password(settings, secrets)
    if file_of(address) is not None:
        return
    until = clock.monotonic() + patience
    while True:
        try:
            open_store(address, word, beside_newer=True).close()
        except Unreachable as trouble:
            left = until - clock.monotonic()
            if left <= 0:
                raise
            progress(f"{trouble}; asked again for {ceil(left)} s")
            clock.sleep(min(ASKED_EVERY, left))
        else:
            return


def queue_address(settings: Settings, secrets: Secrets) -> str:
    """The address of a PostgreSQL database, password and all, for the queue's own connections."""
    url = make_url(settings.service.database)
    given = password(settings, secrets)
    return (url if given is None else url.set(password=given)).render_as_string(hide_password=False)


def password(settings: Settings, secrets: Secrets) -> str | None:
    """None leaves it to what PostgreSQL's own clients use: PGPASSFILE, a certificate, the socket's owner."""
    named = settings.service.database_password
    return None if named is None else secrets.get(named)
