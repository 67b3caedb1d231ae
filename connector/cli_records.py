"""The commands about what is kept: `ledger export` and `purge`."""

import json
from typing import Annotated

import typer

from connector.cli_config import CONFIG, Config, checked, give_up, opened

app = typer.Typer()
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: all that happened.")
app.add_typer(ledger_app, name="ledger")

Since = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help='Lines from then on: "2026-11-26 14:00", "now" or "-24h".'),
]


@ledger_app.command("export")
def export(since: Since = None, config: Config = CONFIG) -> None:
    """Print the ledger, one JSON object a line, oldest first."""
    from dataclasses import asdict

    from connector.clock import SystemClock
    from connector.store import ledger
    from connector.times import moment_asked

    try:
        begin = 0 if since is None else moment_asked(since, SystemClock().now())
    except ValueError as error:
        give_up(str(error))
    store = opened(config)
    with store.reading() as connection:
        for line in ledger.onward(connection, 0):
            if line.at >= begin:
                typer.echo(json.dumps(asdict(line)))
    store.close()


@app.command()
def purge(config: Config = CONFIG) -> None:
    """Forget at once what the retention says; a running service does it every hour."""
    from connector.clock import SystemClock
    from connector.store.retention import forget

    settings, _ = checked(config)
    kept = settings.service.retention
    store = opened(config)
    gone = forget(store, SystemClock().now(), texts=kept.texts, tickets=kept.tickets)
    store.close()
    typer.echo(f"forgotten: {gone.news} news, {gone.texts} texts, {gone.tickets} tickets")
