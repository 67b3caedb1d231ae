"""The commands about what is kept: `ledger export`, `gaps`, `budget`, `purge` and `forget`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    POLICIES,
    RECORDS,
    SERVICE,
    AsRows,
    AsText,
    Config,
    Listing,
    RowsFormat,
    before_command,
    echo,
    give_up,
    opened,
    put_json,
    put_rows,
    put_text,
    refuse,
    settings_of,
    stamp,
)
from connector.render import many

LISTED = 1000
"""How many uncovered tickets of an account are listed."""

app = typer.Typer()
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: all that happened.", callback=before_command)
app.add_typer(ledger_app, name="ledger", rich_help_panel=RECORDS)

Since = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help='Lines from then on: "2026-11-26 14:00", "now" or "-24h".'),
]


LedgerFormat = Literal["lines", RowsFormat]


@ledger_app.command("export")
def export(
    since: Since = None,
    config: Config = CONFIG,
    how: Annotated[
        LedgerFormat, typer.Option("--format", help="How it is printed; `lines` are one JSON object each.")
    ] = "lines",
) -> None:
    """Print the ledger, one JSON object a line, oldest first."""
    from dataclasses import asdict, fields

    from connector.clock import SystemClock, moment_asked
    from connector.store import ledger

    try:
        begin = 0 if since is None else moment_asked(since, SystemClock().now())
    except ValueError as error:
        give_up(str(error))
    with opened(config) as store, store.reading() as connection:
        meant = (asdict(ledger.in_words(line)) for line in ledger.onward(connection, 0) if line.at >= begin)
        if how == "lines":
            for line in meant:
                put_json(line)
            return
        every = list(meant)
    head = tuple(each.name for each in fields(ledger.LedgerEntry))
    rows = [
        [json.dumps(cell) if isinstance(cell, dict) else cell for cell in map(line.get, head)]
        for line in every
    ]
    put_rows(Listing(title="The ledger", head=head, rows=rows, value=every), how)


@app.command(rich_help_panel=POLICIES)
def gaps(config: Config = CONFIG, how: AsRows = "table") -> None:
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
    only = [name for name in names if name in observed and name not in fired]
    never = {"never_fired": idle, "only_observed": only} if policies else {"never_fired": None}
    rows, lines = [], []
    for name, some in missed.items():
        more = " or more" if len(some) == LISTED else ""
        lines.append(f"{name}: {len(some)}{more} open tickets no policy covers")
        for ticket in some:
            where = ticket.group.name if ticket.group else "no group"
            how_it_is = f"{ticket.status}, {ticket.priority or 'no priority'}, {where}"
            lines.append(f"  {ticket.name}  {how_it_is}: {ticket.subject}")
            rows.append(("ticket", ticket.name, f"no policy covers it: {how_it_is}", ticket.subject))
    for name in names:
        last = f"last fired {stamp(fired[name])}" if name in fired else "has never fired"
        would = f", and would have last fired {stamp(observed[name])} in observe" if name in observed else ""
        lines.append(f'policy "{name}" {last}{would}')
        rows.append(("policy", name, f"{last}{would}", ""))
    found = Listing(
        title="What no policy covers, and which policies never fired",
        head=("kind", "name", "finding", "subject"),
        rows=rows,
        value={
            "uncovered": {name: [str(ticket.ref) for ticket in some] for name, some in missed.items()},
            **never,
        },
        lines=tuple(lines),
    )
    put_rows(found, how)
    if policies is None:
        echo("the policies have errors (`uptier check`): which of them never fired cannot be told", err=True)


@app.command(rich_help_panel=SERVICE)
def budget(
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Only this account.")] = None,
    config: Config = CONFIG,
    how: AsRows = "table",
) -> None:
    """Show where the requests to each helpdesk went, what a census will cost, and what would save most."""
    from dataclasses import asdict

    from connector.clock import SystemClock
    from connector.config.settings import load
    from connector.config.values import vendors
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
            calls_of(
                connection,
                name,
                vendor=vendors().get(said.adapter),
                share=said.budget,
                poll=said.poll,
                policies=loaded.policies,
                now=now,
            )
            for name, said in sorted(named.items())
            if account in (None, name)
        ]
    lines, said = [], []
    for one in found:
        lines.append(f"{one.account}: {many(one.day, 'request')} in 24 hours")
        if one.spent:
            lines.append(f"  {'for':14}{'this hour':>10}{'24 hours':>10}{'7 days':>10}")
        lines += [f"  {each.purpose:14}{each.hour:>10}{each.day:>10}{each.week:>10}" for each in one.spent]
        took = f", {spell(one.seconds)} within our share" if one.seconds is not None else ""
        about = [
            *(
                f"limit {limit.bucket}: {limit.total} in {spell(limit.window)}, "
                f"ours at most {max(1, int(limit.total * one.share))}"
                for limit in one.limits
            ),
            f"census: {many(one.open_tickets, 'open ticket')}, about {many(one.census, 'request')}{took}",
            *(f"saves most: {text}" for text in one.advice),
        ]
        lines += [f"  {text}" for text in (*about, *(() if one.advice else ("nothing stands out",)))]
        said += [f"{one.account}: {text}" for text in about]
    put_rows(
        Listing(
            title="Requests to each helpdesk",
            head=("account", "for", "this hour", "24 hours", "7 days"),
            rows=[
                (one.account, each.purpose, each.hour, each.day, each.week)
                for one in found
                for each in one.spent
            ],
            value={one.account: asdict(one) for one in found},
            said=tuple(said),
            lines=tuple(lines),
        ),
        how,
    )


@app.command(rich_help_panel=RECORDS)
def purge(config: Config = CONFIG, how: AsText = "text") -> None:
    """Forget at once what the retention says; a running service does it every hour."""
    from dataclasses import asdict

    from connector.clock import SystemClock
    from connector.store.forgetting import forget

    settings = settings_of(config)
    kept = settings.service.retention
    with opened(config) as store:
        gone = forget(store, SystemClock().now(), texts=kept.texts, tickets=kept.tickets, ledger=kept.ledger)
    put_text(
        how,
        f"forgotten: {gone.news} news, {gone.texts} texts, {gone.tickets} tickets, {gone.lines} lines, "
        f"{gone.policies} old policies, {gone.archives} archives or their words",
        **asdict(gone),
    )


@app.command("forget", rich_help_panel=RECORDS)
def forget_person(
    address: Annotated[str, typer.Argument(help="The email address of who is to be forgotten.")],
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Put one pseudonym in place of a person's name and address in every table, and say what will bring them back."""
    from connector.clock import SystemClock
    from connector.store.forgetting import forget_person

    address = address.strip()
    if "@" not in address or " " in address:
        give_up(f"{address} is no email address")
    with opened(config) as store:
        gone = forget_person(store, address, SystemClock().now())
    lines = [f"{address} is {gone.pseudonym} now, in {many(sum(gone.rows.values()), 'row')}"]
    lines += [f"  {table}: {rows}" for table, rows in sorted(gone.rows.items())]
    if gone.was_user:
        lines.append("  console_user: removed, with sessions and tokens")
    lines += [
        f"others are called {name} too: the name stays outside this person's tickets"
        for name in sorted(gone.shared)
    ]
    back = [f"the open ticket {ref}" for ref in gone.open_tickets]
    back += [f"the directory of {account}" for account in gone.directories]
    back += list(named_in(config, address))
    lines += [f"brings them back when it is read again: {each}" for each in back]
    if gone.traces:
        lines.append(
            "the file is busy, and bytes of what was replaced are still in it: stop Uptier, run this again"
        )
    lines += [f"an archive is left as it was: {each}" for each in gone.unread]
    lines.append(
        "Backups, logs and exports are out of reach of this command: delete them when their time has come."
    )
    put_text(
        how,
        *lines,
        pseudonym=gone.pseudonym,
        rows=dict(gone.rows),
        brings_back=back,
        archives_left=list(gone.unread),
        traces_left=gone.traces,
    )
    if back or gone.traces or gone.unread:
        raise typer.Exit(NEEDS_HUMAN)


def named_in(config: Path, address: str) -> Iterator[str]:
    """The lines of the config that name the address."""
    from connector.config.files import read_files

    for document in read_files(config).documents:
        for number, line in enumerate(document.text.splitlines(), 1):
            if address.lower() in line.lower():
                yield f"{document.name}:{number}"
