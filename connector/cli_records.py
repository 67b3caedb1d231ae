"""The commands about what is kept: `ledger export`, `gaps` and `purge`."""

import json
from typing import Annotated

import typer

from connector.cli_config import CONFIG, AsJson, Config, give_up, opened, refuse, settings_of, stamp

LISTED = 1000
"""How many uncovered tickets of an account are listed."""

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
    with opened(config) as store, store.reading() as connection:
        for line in ledger.onward(connection, 0):
            if line.at >= begin:
                typer.echo(json.dumps(asdict(line)))


@app.command()
def gaps(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List open tickets that no policy covers, and policies that have never done anything."""
    from connector.settings import load
    from connector.store import ledger, tickets

    loaded = load(config)
    if loaded.settings is None:
        refuse(config, loaded)
    settings, policies = loaded.settings, loaded.policies
    with opened(config) as store, store.reading() as connection:
        missed = {name: tickets.uncovered(connection, name, LISTED) for name in settings.accounts}
        active = ledger.last_of_policies(connection, ("fired", "observed"))
    names = [policy.name for policy in policies.policies] if policies else []
    idle = [name for name in names if name not in active]
    if as_json:
        found = {name: [str(ticket.ref) for ticket in some] for name, some in missed.items()}
        typer.echo(json.dumps({"uncovered": found, "never_fired": idle if policies else None}))
        return
    for name, some in missed.items():
        typer.echo(
            f"{name}: {len(some)}{' or more' if len(some) == LISTED else ''} open tickets no policy covers"
        )
        for ticket in some:
            where = ticket.group.name if ticket.group else "no group"
            typer.echo(
                f"  {ticket.ref}  {ticket.status}, {ticket.priority or 'no priority'}, {where}: {ticket.subject}"
            )
    if policies is None:
        typer.echo(
            "the policies have errors (`uptier check`): which of them never fired cannot be told", err=True
        )
    for name in names:
        last = f"last fired {stamp(active[name])}" if name in active else "has never fired"
        typer.echo(f'policy "{name}" {last}')


@app.command()
def purge(config: Config = CONFIG) -> None:
    """Forget at once what the retention says; a running service does it every hour."""
    from connector.clock import SystemClock
    from connector.store.retention import forget

    settings = settings_of(config)
    kept = settings.service.retention
    with opened(config) as store:
        gone = forget(store, SystemClock().now(), texts=kept.texts, tickets=kept.tickets)
    typer.echo(f"forgotten: {gone.news} news, {gone.texts} texts, {gone.tickets} tickets")
