"""What the commands share: the config file checked, the database opened, how an answer is printed, and how a call is
given up."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from connector.render import Step, as_lines, columns, csv_text, html_page, markdown, markdown_table, one_line
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

TICKETS, POLICIES, PEOPLE, SERVICE, RECORDS = "Tickets", "Policies", "People", "Service", "Records"
GROUPS = (TICKETS, POLICIES, PEOPLE, SERVICE, RECORDS)
"""What `--help` lists the commands under, in this order."""

NAMED_BEFORE = "uptier.config"
"""Under this key a call keeps the config file that was named before its command."""


def keep_config(ctx: typer.Context, config: Path | None) -> None:
    """Remember a config file that is named before the command."""
    if config is not None:
        ctx.meta[NAMED_BEFORE] = config


def config_of_call(ctx: typer.Context, config: Path) -> Path:
    """The config file: named behind the command, else before it, else by the variable, else the one of this folder."""
    source = ctx.get_parameter_source("config")
    if source is not None and source.name == "COMMANDLINE":
        return config
    named_before: Path = ctx.meta.get(NAMED_BEFORE, config)
    return named_before


Config = Annotated[
    Path,
    typer.Option(
        "--config",
        envvar="UPTIER_CONFIG",
        help="The config file.",
        show_default=True,
        callback=config_of_call,
    ),
]
ConfigBefore = Annotated[
    Path | None,
    typer.Option("--config", help="The config file, as behind the command.", callback=keep_config),
]
RowsFormat = Literal["table", "json", "csv", "md", "html"]
"""How a command that prints rows prints them."""

TextFormat = Literal["text", "json"]
"""How every other command says what it has to say."""

AsRows = Annotated[RowsFormat, typer.Option("--format", help="How it is printed.")]
AsText = Annotated[TextFormat, typer.Option("--format", help="How it is printed.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to this file.")]
CONFIG = Path("uptier.toml")
COMPLETED = 50
"""How many tickets a shell is offered at most."""


def of_line(ctx: typer.Context) -> "Loaded | None":
    """The config that is meant by a line which a shell completes; None if it cannot be read."""
    from connector.config.settings import load

    named_in_line = ctx.params.get("config") or ctx.find_root().params.get("_config") or CONFIG
    try:
        return load(Path(named_in_line))
    except (OSError, ValueError):
        return None


def complete_account(ctx: typer.Context, incomplete: str) -> list[str]:
    """The accounts that begin so. Nothing is said where the config cannot be read."""
    loaded = of_line(ctx)
    names = loaded.settings.accounts if loaded and loaded.settings else ()
    return [name for name in names if name.startswith(incomplete)]


def complete_policy(ctx: typer.Context, incomplete: str) -> list[str]:
    """The policies that begin so. Nothing is said where the config cannot be read."""
    loaded = of_line(ctx)
    policies = loaded.policies.policies if loaded and loaded.policies else ()
    return [each.name for each in policies if each.name.startswith(incomplete)]


def complete_ticket(ctx: typer.Context, incomplete: str) -> list[str]:
    """The accounts that begin so, or some open tickets of one. Nothing is said where they cannot be read."""
    from connector.config.secrets import SecretError
    from connector.store.tickets import some_open

    account, slash, begins = incomplete.partition("/")
    if not slash:
        return [f"{name}/" for name in complete_account(ctx, incomplete)]
    loaded = of_line(ctx)
    if loaded is None or loaded.settings is None:
        return []
    try:
        with closing(database_of(loaded.settings)) as store, store.reading() as connection:
            return [f"{account}/{one}" for one in some_open(connection, account, begins, COMPLETED)]
    except (StoreTrouble, NoDatabase, SecretError):
        return []


TheseAccounts = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="This account only; may be repeated.",
        autocompletion=complete_account,
    ),
]


TicketName = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT/ID",
        help="A ticket, by its id or its number, for example acme/4711 or acme/INC0010023.",
        autocompletion=complete_ticket,
    ),
]


COMPLETES = "_UPTIER_COMPLETE"
"""The variable by which a shell asks how a line goes on."""


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
        except (
            typer.BadParameter
        ) as wrong:  # pydantic, which judges choices for typer, puts its own words before
            wrong.message = wrong.message.replace("Value error, ", "")
            raise

    def main(self, *words: Any, **more: Any) -> Any:
        """Run the call, or answer a shell that completes one."""
        if COMPLETES in os.environ:
            from typer.completion import completion_init  # type: ignore[attr-defined]

            completion_init()
        return super().main(*words, **more)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands under what they are about, each group in the order of its files."""
        every = [(name, command) for name, command in self.commands.items() if not command.hidden]
        every.sort(key=lambda one: one[0] != "init")  # what a newcomer looks for stands first
        wide = max(len(name) for name, _ in every)
        for group in GROUPS:
            with formatter.section(group):
                formatter.write_dl(
                    [
                        (name.ljust(wide), command.get_short_help_str(formatter.width - wide - 6))
                        for name, command in every
                        if command.rich_help_panel == group  # type: ignore[attr-defined]
                    ]
                )


def before_command(_config: ConfigBefore = None) -> None:
    """What a group of commands takes before the command."""


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
    logs.configure(masker, SystemClock(), sys.stderr, logging.WARNING, style=logs.SENTENCES)
    return Secrets(masker, os.environ)


def somebody_is_there() -> bool:
    """Whether questions are answered: the call was made on a terminal, and not by a program that wants JSON."""
    return sys.stdin.isatty() and HEARD.get() is None


def ticket_ref(text: str, config: Path) -> "TicketRef":
    """The ticket named on the command line, by its id or by the number that people know it by. One that has not been
    seen is taken by its id."""
    said = parsed_ref(text)
    with opened(config) as store:
        return ticket_meant(store, said)


def parsed_ref(text: str) -> "TicketRef":
    """The ticket named on the command line, by its id."""
    from policies.model import TicketRef

    try:
        return TicketRef.parse(text)
    except ValueError as error:
        give_up(str(error))


def ticket_meant(store: "Store", said: "TicketRef") -> "TicketRef":
    """The ticket of that id, else of that number; what was said where none is known."""
    from connector.store import tickets

    with store.reading() as connection:
        found = tickets.meant(connection, said)
    if len(found) > 1:
        give_up(f"{said} is the number of several tickets; say which: {', '.join(map(str, found))}")
    return found[0] if found else said


def never_seen(ref: "TicketRef") -> str:
    """What is said of a ticket that nothing has ever listed or looked at."""
    return (
        f"{ref} has not been seen; is the account right, is it the id or number that `uptier due` shows, and has "
        "`uptier run` listed its tickets?"
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
    heard = HEARD.get()
    if heard is not None and not err:
        heard += lines
        return
    for line in lines:
        typer.echo(one_line(line), err=err)


def put_json(value: Any, indent: int | None = None) -> None:
    """Print a value for a program."""
    put_out(json_text(value, indent), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a command that prints rows has found.

    `value` is what a program gets as JSON: the rows by the names of their columns, if nothing else is said. `said` are
    lines below the table. `lines` is what stands for the table where nobody looks at a terminal, or where the table is
    too wide for it, if that says more than its rows."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    value: Any = None
    said: tuple[str, ...] = ()
    lines: tuple[str, ...] | None = None


def put_rows(found: Listing, how: RowsFormat, output: Path | None = None) -> None:
    """Print what a command has found in the form that was asked for, or write it to a file."""
    exact = [[each.iso if isinstance(each, Stamp) else each for each in row] for row in found.rows]
    if how == "json":
        rows = [dict(zip(found.head, row, strict=True)) for row in exact]
        put_out(json_text(rows if found.value is None else found.value), output)
        return
    if how == "csv":
        put_out(csv_text([found.head, *exact]), output)
        echo(*found.said, err=True)
        return
    rows_in_words = [["" if cell is None else str(cell) for cell in row] for row in found.rows]
    if how == "md":
        table = markdown_table(found.head, ([markdown(cell) for cell in row] for row in rows_in_words))
        below = [line for text in found.said for line in ("", markdown(text))]
        put_out("\n".join([*table, *below]) + "\n", output)
    elif how == "html":
        put_out(html_page(found.title, found.head, rows_in_words, found.said), output)
    elif (
        output is None
        and sys.stdout.isatty()
        and HEARD.get() is None
        and (found.lines is None or fits_terminal(found.head, rows_in_words))
    ):
        draw_table(found.head, rows_in_words)
        echo(*found.said)
    else:
        lines = found.lines
        if lines is None:
            heads = [name.upper() for name in found.head]
            lines = (*(columns(heads, rows_in_words) if rows_in_words else ()), *found.said)
        put_out("".join(f"{one_line(line)}\n" for line in lines), output)


LONG = 2.0
"""Seconds after which something that still goes on is worth a bar, and another line where there is no terminal."""


@contextmanager
def progress() -> "Iterator[Callable[[str], None]]":
    """What hears how far something is, and says it on standard error. On a terminal that is a bar with the time left,
    once it has gone on for two seconds; elsewhere lines, and of steps the first, the last, and one in two seconds."""
    if not sys.stderr.isatty():
        before = -LONG

        def say(text: str) -> None:
            nonlocal before
            now = time.monotonic()
            if isinstance(text, Step) and 1 < text.done < text.whole and now - before < LONG:
                return
            before = now
            echo(text, err=True)

        yield say
        return
    from threading import Timer

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    )
    task = bar.add_task("", total=None)

    def draw(text: str) -> None:
        if isinstance(text, Step):
            bar.update(task, description=one_line(text), completed=text.done, total=text.whole)
        else:
            bar.update(task, description=one_line(text))
            echo(text, err=True)

    begins = Timer(LONG, bar.start)
    begins.daemon = True
    begins.start()
    try:
        yield draw
    finally:
        begins.cancel()
        begins.join()
        bar.stop()


def fits_terminal(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """Whether each row of the table goes on one line of the terminal, two columns apart."""
    widths = [max(len(one_line(cell)) for cell in column) for column in zip(head, *rows, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1) <= shutil.get_terminal_size().columns


def draw_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draw a table on the terminal, in its colours and as wide as it is. What stands in it is text, never markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold cyan", pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    empty = True
    for row in rows:
        empty = False
        table.add_row(*(Text(one_line(cell)) for cell in row))
    if not empty:
        Console().print(table)


def put_forms(forms: "Mapping[str, Callable[[], str]]", how: str, output: Path | None = None) -> None:
    """Print a document in the form that was asked for, or write it to a file; only that form is made."""
    put_out(forms[how](), output)


HEARD: ContextVar[list[str] | None] = ContextVar("HEARD", default=None)
"""What was said so far, where it is to be one JSON object in the end."""


@contextmanager
def in_form(how: TextFormat, **value: Any) -> Iterator[None]:
    """For a command that says things as it goes: what it prints within comes as one JSON object if that was asked for,
    with these keys and the lines under `said`. Then nobody is asked anything. A call that was wrong prints none."""
    if how == "text":
        yield
        return
    heard: list[str] = []
    before = HEARD.set(heard)
    try:
        yield
    except typer.Exit as end:
        HEARD.reset(before)
        if end.exit_code != WRONG:
            put_json({**value, "said": heard})
        raise
    except BaseException:
        HEARD.reset(before)
        raise
    HEARD.reset(before)
    put_json({**value, "said": heard})


def put_text(how: TextFormat, *lines: str, **value: Any) -> None:
    """Say what was done, in lines or as one JSON object: its keys, and the lines under `said`."""
    if how == "json":
        put_json({**value, "said": list(lines)})
    else:
        echo(*lines)


def json_text(value: Any, indent: int | None = None) -> str:
    """A value for a program. What is no ASCII is escaped, so a terminal is told nothing either."""
    return json.dumps(value, indent=indent).replace("\x7f", r"\u007f") + "\n"


class Stamp(str):
    """An instant as a person reads it; `iso` says it with its offset from UTC, for a program."""

    __slots__ = ("iso",)
    iso: str


def stamp(at: int) -> Stamp:
    """An instant in this machine's time zone."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(at, UTC).astimezone()
    said = Stamp(moment.strftime("%Y-%m-%d %H:%M:%S"))
    said.iso = moment.isoformat()
    return said


def give_up(text: str) -> NoReturn:
    """Say what is wrong and stop with exit code 2."""
    echo(*f"uptier: {text}".split("\n"), err=True)
    raise typer.Exit(WRONG)


def put_out(text: str, output: Path | None) -> None:
    """Print a document, without what would tell a terminal something, or write it to a file as it is."""
    heard = HEARD.get()
    if output is None and heard is not None:
        heard += text.splitlines()
        return
    if output is None:
        typer.echo(as_lines(text), nl=False)
        return
    put_bytes(text.encode("utf-8"), output)


def put_bytes(content: bytes, output: Path | None) -> None:
    """Write what is no text to a file, or into a pipe; nobody reads it from a terminal."""
    if output is None:
        if sys.stdout.isatty():
            give_up("this is no text: say into which file, with --output FILE")
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        give_up(f"{output} cannot be written: {error.strerror}")
    echo(f"written to {output}", err=True)
