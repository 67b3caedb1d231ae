"""What the commands share: the config file checked, the database opened, and how a call is given up."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from connector.render import as_lines, one_line
from connector.store.trouble import NoDatabase, OtherVersion, StoreTrouble, Unreachable

if TYPE_CHECKING:
    from connector.config.secrets import Secrets
    from connector.config.settings import Loaded, Settings
    from connector.store.database import Store
    from policies.language.policy import PolicySet
    from policies.language.references import KnownAccount
    from policies.model import Directory, TicketRef


NEEDS_HUMAN = 1
WRONG = 2

Config = Annotated[
    Path, typer.Option("--config", envvar="UPTIER_CONFIG", help="The config file.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
TicketName = Annotated[str, typer.Argument(metavar="ACCOUNT/ID", help="A ticket, for example acme/4711.")]
CONFIG = Path("uptier.toml")


class Commands(TyperGroup):
    """All commands. One whose database cannot be used ends with what the database said."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        from connector.config.secrets import SecretError
        from connector.store.sqlite import AlreadyRunning

        try:
            return super().invoke(ctx)
        except (StoreTrouble, SecretError, AlreadyRunning) as trouble:
            give_up(str(trouble))


def checked(config: Path) -> "tuple[Settings, PolicySet]":
    """The config, for a command that needs the policies; if anything in it is wrong, that is printed and the call
    ends."""
    loaded = loaded_with_directory(config)
    if loaded.settings is None or loaded.policies is None:
        refuse(config, loaded)
    return loaded.settings, loaded.policies


def settings_of(config: Path) -> "Settings":
    """What runs where, for a command to which the policies are nothing: they may have errors."""
    from connector.config.settings import load

    loaded = load(config)
    if loaded.settings is None:
        refuse(config, loaded)
    return loaded.settings


def refuse(config: Path, loaded: "Loaded") -> NoReturn:
    """Print what is wrong and end the call."""
    for problem in loaded.problems:
        if problem.severity == "error":
            echo(str(problem), err=True)
    give_up(f"{config} has errors; `uptier check` lists them")


def loaded_with_directory(config: Path, *, names: bool = True) -> "Loaded":
    """The config, judged by what is known of its helpdesks: their kinds, and unless `names` are not judged, the last
    directories read."""
    from connector.config.settings import load
    from connector.config.values import vendors
    from policies.language.references import Known

    first = load(config)
    if first.settings is None:
        return first
    kinds, accounts = vendors(), first.settings.accounts
    startless = {
        name for name, one in accounts.items() if one.adapter in kinds and not kinds[one.adapter].target_start
    }
    known = known_directories(first.settings) if names else {}
    return load(config, Known(accounts=known, startless=frozenset(startless)))


def known_directories(settings: "Settings") -> "Mapping[str, KnownAccount]":
    """The names in the directories as last read, by account. Where a server does not answer or the tables
    are those of another version, the rest is judged all the same."""
    from policies.language.references import KnownAccount

    try:
        read = last_directories(settings)
    except (OtherVersion, Unreachable) as trouble:
        echo(f"{trouble}. Groups and people are not checked", err=True)
        return {}
    return {name: KnownAccount.of(directory) for name, directory in read.items()}


def last_directories(settings: "Settings") -> "Mapping[str, Directory]":
    """The directories as last read, by account; none where no database is yet. Raises StoreTrouble."""
    from connector.store import accounts

    try:
        store = database_of(settings)
    except NoDatabase:
        return {}
    with closing(store), store.reading() as connection:
        read = {name: accounts.read_directory(connection, name) for name in settings.accounts}
    return {name: one.directory for name, one in read.items() if one is not None}


@contextmanager
def opened(config: Path) -> "Iterator[Store]":
    """The database of this config, closed at the end whatever happens."""
    with closing(database_of(settings_of(config))) as store:
        yield store


def database_of(settings: "Settings") -> "Store":
    """The database that these settings name."""
    from connector.app.databases import open_database

    return open_database(settings, secrets_here())


def secrets_here() -> "Secrets":
    """The secrets of this environment, for a command that logs nothing."""
    from connector.config.secrets import Secrets
    from connector.logs import Masker

    return Secrets(Masker(), os.environ)


def secrets_beside_trouble() -> "Secrets":
    """The secrets of this environment, for a command that works at once and says itself what it does: of what is logged
    meanwhile, warnings and errors go to standard error, with the secrets masked."""
    import logging

    from connector import logs
    from connector.clock import SystemClock
    from connector.config.secrets import Secrets

    masker = logs.Masker()
    logs.configure(masker, SystemClock(), sys.stderr, logging.WARNING)
    return Secrets(masker, os.environ)


def somebody_is_there() -> bool:
    """Whether questions are answered: the call was made on a terminal."""
    return sys.stdin.isatty()


def ticket_ref(text: str) -> "TicketRef":
    """The ticket named on the command line."""
    from policies.model import TicketRef

    try:
        return TicketRef.parse(text)
    except ValueError as error:
        give_up(str(error))


def never_seen(ref: "TicketRef") -> str:
    """What is said of a ticket that nothing has ever listed or looked at."""
    return (
        f"{ref} has not been seen; is the account right, is it the id that `uptier due` shows, and has `uptier run` "
        "listed its tickets?"
    )


def named(what: str, name: str, known: Iterable[str]) -> None:
    """Give up unless there is a policy, or an account, of this name."""
    from policies.language.document import did_you_mean, listed

    there = tuple(known)
    if name not in there:
        hint = did_you_mean(name, there) or f" There are: {listed(there, 'and')}."
        give_up(f'there is no {what} "{name}".{hint}')


def echo(*lines: str, err: bool = False) -> None:
    """Print lines. All that any command prints goes through here, `put_json` or `put_out`, because texts of tickets,
    people or helpdesks may stand anywhere: each stays one line, and none of them tells the terminal anything."""
    for line in lines:
        typer.echo(one_line(line), err=err)


def put_json(value: Any, indent: int | None = None) -> None:
    """Print a value for a program. What is no ASCII is escaped, so a terminal is told nothing either."""
    echo(*json.dumps(value, indent=indent).replace("\x7f", r"\u007f").split("\n"))


def stamp(at: int) -> str:
    """An instant in this machine's time zone."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what stands in them."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def give_up(text: str) -> NoReturn:
    """Say what is wrong and stop with exit code 2."""
    echo(*f"uptier: {text}".split("\n"), err=True)
    raise typer.Exit(WRONG)


def put_out(text: str, output: Path | None) -> None:
    """Print a document, without what would tell a terminal something, or write it to a file as it is."""
    if output is None:
        typer.echo(as_lines(text), nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        give_up(f"{output} cannot be written: {error.strerror}")
    echo(f"written to {output}", err=True)
