"""The commands that look back with other rules: `archive` and `backtest`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    POLICIES,
    RECORDS,
    AsRows,
    AsText,
    Config,
    Output,
    TheseAccounts,
    before_command,
    checked,
    database_of,
    echo,
    give_up,
    json_text,
    progress,
    put_forms,
    put_text,
    refuse,
    secrets_beside_trouble,
)
from connector.render import Step, many

if TYPE_CHECKING:
    from connector.config.settings import Settings
    from connector.report.backtest_forms import Version
    from connector.report.cases import Period
    from connector.store.archive import Archive, Head, Row

app = typer.Typer()
archive_app = typer.Typer(
    no_args_is_help=True, help="Past tickets, kept in a file to look back with.", callback=before_command
)
app.add_typer(archive_app, name="archive", rich_help_panel=RECORDS)

First = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day: 2026-03-01.")]
Last = Annotated[str, typer.Option("--to", metavar="DATE", help="The last day, included.")]
Timezone = Annotated[str, typer.Option("--timezone", metavar="PLACE", help="Whose days.")]


@archive_app.command("pull")
def pull(
    first: First,
    last: Last,
    account: TheseAccounts = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Keep what people wrote too, for as long as texts are kept.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FILE", help="The file; beside the database if not given."),
    ] = None,
    timezone: Timezone = "UTC",
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Fetch the tickets that lived in these days, as back-fill. The same command goes on where it was stopped."""
    from adapters.base import HelpdeskError
    from connector.app.compose import open_desk
    from connector.clock import SystemClock
    from connector.config.secrets import SecretError
    from connector.intake.past import Pull, head_of
    from connector.store.archive import register
    from connector.work.budget import tally

    settings, policies = checked(config)
    period = days(first, last, timezone)
    strangers = [name for name in account or () if name not in settings.accounts]
    if strangers:
        give_up(f"there is no account {strangers[0]}; there are {', '.join(settings.accounts)}")
    clock, secrets = SystemClock(), secrets_beside_trouble()
    now = clock.now()
    if period.begin >= now:
        give_up(f"{first} is still to come")
    words_until = now + settings.service.retention.texts if with_text else 0
    said = head_of(policies, period.begin, period.end, now, words_until)
    with closing(database_of(settings)) as store:
        path = into or (store.path or config.absolute()).parent / f"archive-{first}-{last}.sqlite3"
        path = path.absolute()
        register(store, path, now)
        lines, counts = [], {}
        with made_or_found(path, said) as archive, progress() as tell:
            for name in account or settings.accounts:
                try:
                    desk = open_desk(name, settings, clock, secrets, tally(store, name, clock))
                    pulling = Pull(
                        archive=archive,
                        store=store,
                        desk=desk,
                        share=settings.accounts[name].budget,
                        policies=policies,
                        clock=clock,
                        told=tell,
                    )
                    done = pulling.run()
                except (SecretError, ValueError) as error:
                    give_up(str(error))
                except HelpdeskError as error:
                    echo(f"uptier: {name}: {error}. The same command goes on where this stopped", err=True)
                    raise typer.Exit(NEEDS_HUMAN) from None
                except KeyboardInterrupt:
                    echo(f"{name}: stopped; the same command goes on", err=True)
                    raise typer.Exit(NEEDS_HUMAN) from None
                lost = f", {done.lost} could not be had" if done.lost else ""
                lines.append(
                    f"{name}: {many(done.kept, 'ticket')}{lost}; {many(pulling.requests, 'request')}"
                )
                counts[name] = {"kept": done.kept, "lost": done.lost, "requests": pulling.requests}
                untold = [f"{field} ({count})" for field, count in archive.untold(name).items()]
                if untold:
                    lines.append(f"{name}: how it was then is not told of {', '.join(untold)}")
        words = f", with what people wrote until {day(words_until)}" if with_text else ", without words"
        lines.append(f"{path}: {first} to {last}{words}")
        put_text(how, *lines, archive=str(path), accounts=counts)


def days(first: str, last: str, timezone: str) -> "Period":
    """The period that is asked for."""
    from connector.report.cases import period_asked, zone_asked

    try:
        return period_asked(first, last, zone_asked(timezone))
    except ValueError as error:
        give_up(str(error))


def day(at: int) -> str:
    """The day of an instant."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


@contextmanager
def made_or_found(path: Path, said: "Head") -> "Iterator[Archive]":
    """The archive at this path, made if it is not there; one of another period or kind is refused."""
    from connector.store.archive import Archive

    with closing(Archive.open(path) if path.exists() else Archive.create(path, said)) as archive:
        found = archive.said()
        if (found.begin, found.end) != (said.begin, said.end):
            give_up(f"{path} holds another period; name another file with --into")
        if bool(found.words_until) != bool(said.words_until):
            give_up(f"{path} was begun {'with' if found.words_until else 'without'} --with-text; go on so")
        if (found.asked, found.packs) != (said.asked, said.packs):
            give_up(
                f"{path} was begun with policies that ask other things about words; name another file with --into"
            )
        yield archive


@app.command(rich_help_panel=POLICIES)
def backtest(
    first: First,
    last: Last,
    policies: Annotated[
        Path | None,
        typer.Option("--policies", metavar="FILE", help="Policies in place of the config's own."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Another version; say what would be otherwise."),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", metavar="FILE", help="The newest that holds these days if not given."),
    ] = None,
    soon: Annotated[
        str,
        typer.Option("--soon", metavar="TIME", help="A firing answered within that was a false alarm."),
    ] = "15m",
    timezone: Timezone = "UTC",
    output: Output = None,
    how: AsRows = "table",
    config: Config = CONFIG,
) -> None:
    """Play past tickets by policies: which level, when, for whom. No helpdesk is asked."""
    from connector.report.backtest_forms import (
        Backtest,
        as_csv,
        as_html,
        as_markdown,
        as_text,
        document,
    )
    from connector.store.archive import Archive
    from policies.model import seconds

    settings, _ = checked(config)
    period = days(first, last, timezone)
    try:
        within = seconds(soon)
    except ValueError as error:
        give_up(f"--soon: {error}")
    with closing(Archive.open(archive or found_archive(settings, period))) as file:
        said = file.said()
        if not (said.begin <= period.begin and period.end <= said.end):
            give_up(f"{file.path} holds {day(said.begin)} to {day(said.end - 1)} only")
        lost = sum(file.counted(name).lost for name in settings.accounts)
        owed = sum(file.counted(name).owed for name in settings.accounts)
        if owed:
            echo(f"{file.path} is not whole: {many(owed, 'ticket')} still to be fetched", err=True)
        meant = [policies] if against is None else [policies, against]
        versions = versions_of(file, period, config, meant)
    done = Backtest(
        period=period,
        version=versions[0],
        against=versions[1] if len(versions) > 1 else None,
        soon=within,
        lost=lost,
    )
    forms = {
        "table": lambda: as_text(done),
        "json": lambda: json_text(document(done), indent=2),
        "csv": lambda: as_csv(done),
        "md": lambda: as_markdown(done),
        "html": lambda: as_html(done),
    }
    put_forms(forms, how, output)


def found_archive(settings: "Settings", period: "Period") -> Path:
    """The newest archive that holds this period."""
    from connector.store.archive import covering

    with closing(database_of(settings)) as store:
        path = covering(store, period.begin, period.end)
    if path is None:
        give_up(
            f"no archive holds {period.first} to {period.last}; "
            f"`uptier archive pull --from {period.first} --to {period.last}` makes one"
        )
    return path


def counted(rows: "Iterator[Row]", whole: int, tell: "Callable[[str], None]") -> "Iterator[Row]":
    """The rows of an archive, while it is told how many have been played."""
    for number, row in enumerate(rows, 1):
        tell(Step(f"played {number} of {many(whole, 'ticket')}", number, whole))
        yield row


def versions_of(
    file: "Archive", period: "Period", config: Path, meant: "Sequence[Path | None]"
) -> "list[Version]":
    """What each version of the policies would have done."""
    import time

    from connector.config.settings import policies_of
    from connector.report.backtest import Task, played
    from connector.report.backtest_forms import Version
    from policies.past import AS_NOW, asking_silenced, read_by

    directories, head = file.directories(), file.said()
    read = [policies_of(config, path) for path in meant]
    every = []
    for path, loaded in zip(meant, read, strict=True):
        if loaded.policies is None:
            refuse(path or config, loaded)
        every.append(loaded.policies)
    asking = [asking_silenced(each, head.asked, head.packs) for each in every]
    reads = {name: frozenset[str]().union(*(read_by(each, name) for each in asking)) for name in directories}
    versions = []
    for path, policies in zip(meant, every, strict=True):
        task = Task(
            config=config,
            policies=path,
            directories=directories,
            head=head,
            begin=period.begin,
            end=period.end,
            also_read=reads,
        )
        began = time.monotonic()
        whole = sum(file.counted(name).kept for name in directories)
        with progress() as tell:
            outcome = played(task, policies, counted(file.rows(), whole, tell))
        took = time.monotonic() - began
        name, many = str(path or config), len(policies.policies)
        read_now = frozenset[str]().union(*(read_by(policies, account) for account in directories)) & AS_NOW
        versions.append(
            Version(name=name, policies=many, as_now=tuple(sorted(read_now)), outcome=outcome, took=took)
        )
    return versions
