"""The commands that look back with other rules: `archive` and `backtest`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    Config,
    checked,
    database_of,
    echo,
    give_up,
    secrets_here,
)

if TYPE_CHECKING:
    from connector.report.cases import Period
    from connector.store.archive import Archive, Head

app = typer.Typer()
archive_app = typer.Typer(no_args_is_help=True, help="Past tickets, kept in a file to look back with.")
app.add_typer(archive_app, name="archive")

First = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day: 2026-03-01.")]
Last = Annotated[str, typer.Option("--to", metavar="DATE", help="The last day, included.")]
Timezone = Annotated[str, typer.Option("--timezone", metavar="PLACE", help="Whose days.")]


@archive_app.command("pull")
def pull(
    first: First,
    last: Last,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="NAME", help="This account only; may be repeated."),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Keep what people wrote too, for as long as texts are kept.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FILE", help="The file; beside the database if not given."),
    ] = None,
    timezone: Timezone = "UTC",
    config: Config = CONFIG,
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
    clock, secrets = SystemClock(), secrets_here()
    now = clock.now()
    if period.begin >= now:
        give_up(f"{first} is still to come")
    words_until = now + settings.service.retention.texts if with_text else 0
    said = head_of(policies, period.begin, period.end, now, words_until)
    with closing(database_of(settings)) as store:
        path = into or (store.path or config.absolute()).parent / f"archive-{first}-{last}.sqlite3"
        path = path.absolute()
        register(store, path, now)
        with made_or_found(path, said) as archive:
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
                        told=lambda text: echo(text, err=True),
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
                echo(f"{name}: {done.kept} tickets{lost}; {pulling.requests} requests")
        words = f", with what people wrote until {day(words_until)}" if with_text else ", without words"
        echo(f"{path}: {first} to {last}{words}")


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
