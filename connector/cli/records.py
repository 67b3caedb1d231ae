"""The commands about what is kept: `ledger export`, `gaps`, `budget`, `purge` and `forget`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    AsJson,
    Config,
    echo,
    give_up,
    opened,
    put_json,
    refuse,
    settings_of,
    stamp,
)
from connector.render import many

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

    from connector.clock import SystemClock, moment_asked
    from connector.store import ledger

    try:
        begin = 0 if since is None else moment_asked(since, SystemClock().now())
    except ValueError as error:
        give_up(str(error))
    with opened(config) as store, store.reading() as connection:
        for line in ledger.onward(connection, 0):
            if line.at >= begin:
                put_json(asdict(ledger.in_words(line)))


@app.command()
def gaps(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List open tickets that no policy covers, and policies that have never done anything."""
    from connector.config.settings import load
    from connector.store import ledger, tickets

    loaded = load(config)
    if loaded.settings is None:
        refuse(config, loaded)
    settings, policies = loaded.settings, loaded.policies
    with opened(config) as store, store.reading() as connection:
        missed = {name: tickets.uncovered(connection, name, LISTED) for name in settings.accounts}
        fired = ledger.last_of_policies(connection, ("fired",))
        observed = ledger.last_of_policies(connection, ("observed",))
    names = [policy.name for policy in policies.policies] if policies else []
    idle = [name for name in names if name not in fired and name not in observed]
    if as_json:
        found = {name: [str(ticket.ref) for ticket in some] for name, some in missed.items()}
        only = [name for name in names if name in observed and name not in fired]
        never = {"never_fired": idle, "only_observed": only} if policies else {"never_fired": None}
        put_json({"uncovered": found, **never})
        return
    for name, some in missed.items():
        echo(f"{name}: {len(some)}{' or more' if len(some) == LISTED else ''} open tickets no policy covers")
        for ticket in some:
            where = ticket.group.name if ticket.group else "no group"
            echo(
                f"  {ticket.ref}  {ticket.status}, {ticket.priority or 'no priority'}, {where}: {ticket.subject}"
            )
    if policies is None:
        echo("the policies have errors (`uptier check`): which of them never fired cannot be told", err=True)
    for name in names:
        last = f"last fired {stamp(fired[name])}" if name in fired else "has never fired"
        would = f", and would have last fired {stamp(observed[name])} in observe" if name in observed else ""
        echo(f'policy "{name}" {last}{would}')


@app.command()
def budget(
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Only this account.")] = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show where the requests to each helpdesk went, what a census will cost, and what would save most."""
    from dataclasses import asdict

    from connector.clock import SystemClock
    from connector.config.settings import load
    from connector.report.calls import calls_of
    from policies.model import spell

    loaded = load(config)
    if loaded.settings is None:
        refuse(config, loaded)
    named = loaded.settings.accounts
    if account is not None and account not in named:
        give_up(f"{config} has no account {account!r}; it has {', '.join(sorted(named))}")
    now = SystemClock().now()
    with opened(config) as store, store.reading() as connection:
        found = [
            calls_of(connection, name, share=said.budget, poll=said.poll, policies=loaded.policies, now=now)
            for name, said in sorted(named.items())
            if account in (None, name)
        ]
    if as_json:
        put_json({one.account: asdict(one) for one in found})
        return
    for one in found:
        echo(f"{one.account}: {many(one.day, 'request')} in 24 hours")
        if one.spent:
            echo(f"  {'for':14}{'this hour':>10}{'24 hours':>10}{'7 days':>10}")
        for each in one.spent:
            echo(f"  {each.purpose:14}{each.hour:>10}{each.day:>10}{each.week:>10}")
        for limit in one.limits:
            ours = max(1, int(limit.total * one.share))
            echo(f"  limit {limit.bucket}: {limit.total} in {spell(limit.window)}, ours at most {ours}")
        took = f", {spell(one.seconds)} within our share" if one.seconds is not None else ""
        echo(f"  census: {one.open_tickets} open tickets, about {one.census} requests{took}")
        for text in one.advice or ("nothing stands out",):
            echo(f"  saves most: {text}" if one.advice else f"  {text}")


@app.command()
def purge(config: Config = CONFIG) -> None:
    """Forget at once what the retention says; a running service does it every hour."""
    from connector.clock import SystemClock
    from connector.store.forgetting import forget

    settings = settings_of(config)
    kept = settings.service.retention
    with opened(config) as store:
        gone = forget(store, SystemClock().now(), texts=kept.texts, tickets=kept.tickets, ledger=kept.ledger)
    echo(
        f"forgotten: {gone.news} news, {gone.texts} texts, {gone.tickets} tickets, {gone.lines} lines, "
        f"{gone.policies} old policies, {gone.archives} archives or their words"
    )


@app.command("forget")
def forget_person(
    address: Annotated[str, typer.Argument(help="The e-mail address of who is to be forgotten.")],
    config: Config = CONFIG,
) -> None:
    """Put one pseudonym in place of a person's name and address in every table, and say what will bring them back."""
    from connector.clock import SystemClock
    from connector.store.forgetting import forget_person

    address = address.strip()
    if "@" not in address or " " in address:
        give_up(f"{address} is no e-mail address")
    with opened(config) as store:
        gone = forget_person(store, address, SystemClock().now())
    echo(f"{address} is {gone.pseudonym} now, in {many(sum(gone.rows.values()), 'row')}")
    for table, rows in sorted(gone.rows.items()):
        echo(f"  {table}: {rows}")
    if gone.was_user:
        echo("  console_user: removed, with sessions and tokens")
    for name in sorted(gone.shared):
        echo(f"others are called {name} too: the name stays outside this person's tickets")
    back = [f"the open ticket {ref}" for ref in gone.open_tickets]
    back += [f"the directory of {account}" for account in gone.directories]
    back += list(named_in(config, address))
    for each in back:
        echo(f"brings them back when it is read again: {each}")
    if gone.traces:
        echo("the file is busy, and bytes of what was replaced are still in it: stop Uptier, run this again")
    for each in gone.unread:
        echo(f"an archive is left as it was: {each}")
    echo("Backups, logs and exports are out of reach of this command: delete them when their time has come.")
    if back or gone.traces or gone.unread:
        raise typer.Exit(NEEDS_HUMAN)


def named_in(config: Path, address: str) -> Iterator[str]:
    """The lines of the config that name the address."""
    from connector.config.files import read_files

    for document in read_files(config).documents:
        for number, line in enumerate(document.text.splitlines(), 1):
            if address.lower() in line.lower():
                yield f"{document.name}:{number}"
