"""The commands about tickets: `explain`, `history` and `release`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    AsJson,
    Config,
    TicketName,
    checked,
    echo,
    give_up,
    opened,
    put_json,
    stamp,
    ticket_ref,
)

if TYPE_CHECKING:
    from policies.model import Ticket, TicketRef
    from policies.present.explain import PolicyTrace


app = typer.Typer()

LACKS = ("not taken", "part refused", "write refused", "partly", "held")
"""What of the ledger `explain` repeats: where the ticket is not as a level wanted it."""

SHOWN = 6


@app.command()
def explain(
    ticket: TicketName,
    config: Config = CONFIG,
    as_json: AsJson = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help='Ask the helpdesk, and judge as of TIME: "now", "+2h" or '
            '"2026-11-26 14:00" in this machine\'s time zone.',
        ),
    ] = None,
) -> None:
    """Say why a ticket is where it is: the trace of the last look at it, or with --at a fresh one."""
    from connector.config.settings import load
    from connector.store import holds, ledger, tickets
    from connector.work.context import as_listed

    ref = ticket_ref(ticket)
    if at is not None:
        foresee(ref, config, at, as_json)
        return
    with opened(config) as store, store.reading() as connection:
        known = tickets.known(connection, ref)
        lacks = [
            f"{stamp(line.at)}  {line.what}: {line.text}"
            for line in ledger.of_ticket(connection, ref)
            if line.what in LACKS
        ]
        lacks += [
            f"{one.name} is set aside: {one.why}"
            for one in holds.every_aside(connection)
            if one.name == str(ref)
        ]
    if known is None:
        give_up(f"{ref} has not been seen; is the account right, and has `uptier run` listed its tickets?")
    owner = f" Owner: {known.owner}." if known.owner else ""
    head = (
        f"{ref}: {known.ticket.subject}",
        f"Looked at {stamp(known.seen_at)}.{owner}",
        *target_lines(known.ticket, known.seen_at),
        *lacks[-SHOWN:],
    )
    trace, policies = known.trace, load(config).policies
    if not trace and policies is not None:
        trace = as_listed(policies, known.ticket, known.seen_at)
    show(trace, head, as_json)


def target_lines(ticket: "Ticket", now: int) -> list[str]:
    """Every SLA target that the helpdesk gave, how it stands, and how much time is left by the clock on the wall."""
    from policies.model import spell

    lines = []
    for target in ticket.targets:
        said = f"SLA {target.metric}: {target.stage}"
        if target.due is not None:
            left = target.due - now
            wall = f"{spell(left)} left" if left >= 0 else f"missed by {spell(-left)}"
            said += f", due {stamp(target.due)}" + (f" ({wall})" if target.stage == "active" else "")
        lines.append(said)
    return lines


def foresee(ref: "TicketRef", config: Path, at: str, as_json: bool) -> None:
    """Read the ticket at its helpdesk and judge it as of a time. Nothing is written anywhere."""
    from adapters.base import HelpdeskError
    from connector.app.compose import open_desk
    from connector.clock import SystemClock, moment_asked
    from connector.config.secrets import SecretError, Secrets
    from connector.logs import Masker
    from connector.work.context import Unforeseeable, foresight
    from policies.present.explain import traced

    settings, policies = checked(config)
    clock = SystemClock()
    try:
        now = clock.now()
        when = moment_asked(at, now)
    except ValueError as error:
        give_up(str(error))
    if ref.account not in settings.accounts:
        give_up(f"there is no account {ref.account}; there are {', '.join(settings.accounts)}")
    try:
        desk = open_desk(ref.account, settings, clock, Secrets(Masker(), os.environ))
        with opened(config) as store:
            seen, plan = foresight(store, desk, policies, ref, when, now)
    except (SecretError, ValueError) as error:
        give_up(str(error))
    except (HelpdeskError, Unforeseeable) as trouble:
        echo(f"uptier: {trouble}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    owner = f" Owner then: {plan.owner.name}." if plan.owner else ""
    head = (f"{ref}: {seen.subject}", f"As of {stamp(when)}, if nothing happens until then.{owner}")
    show(traced(plan), head, as_json)


def show(trace: "tuple[PolicyTrace, ...]", head: tuple[str, ...], as_json: bool) -> None:
    """A trace, in words or whole."""
    from connector.store import codec
    from policies.present.explain import PolicyTrace
    from policies.present.explain import explain as in_words

    if as_json:
        put_json(json.loads(codec.dump(tuple[PolicyTrace, ...], trace)))
        return
    said = in_words(trace) if trace else "No policy can match this ticket."
    echo(*head, "", *said.split("\n"))


@app.command()
def history(ticket: TicketName, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List what happened to a ticket: when, how and to whom."""
    from dataclasses import asdict

    from connector.store import ledger

    ref = ticket_ref(ticket)
    with opened(config) as store, store.reading() as connection:
        lines = ledger.of_ticket(connection, ref)
    if as_json:
        put_json([asdict(line) for line in lines])
        return
    for line in lines:
        place = " / ".join(part for part in (line.policy, line.level) if part)
        owner = f", owner {line.owner}" if line.owner else ""
        said = f": {line.text}" if line.text else ""
        echo(f"{stamp(line.at)}  {line.what:14} {place}{owner}{said}")
    if not lines:
        echo(f"nothing has happened to {ref}")


@app.command()
def release(
    held: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNT[/ID]]", help="What is to go on; all holds are listed without."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")] = "",
    config: Config = CONFIG,
) -> None:
    """List the tickets that are held back by a cap or a loop, or let them go on."""
    from getpass import getuser

    from connector.clock import SystemClock
    from connector.store import holds

    with opened(config) as store:
        with store.reading() as connection:
            every = holds.every(connection)
        if held is None:
            for one in every:
                echo(f"{stamp(one.since)}  {one.ref}  {one.why}")
            echo(f"{len(every)} held")
            return
        account, _, ticket = held.partition("/")
        meant = [one for one in every if one.ref.account == account and ticket in ("", one.ref.id)]
        if not meant:
            give_up(f"nothing is held at {held}; `uptier release` lists what is")
        if ticket and meant[0].scope == "account":
            give_up(f"the whole account is held, not this ticket alone: uptier release {account}")
        with store.writing() as connection:
            holds.release(
                connection, meant, account, ticket, who=getuser(), why=reason, now=SystemClock().now()
            )
        echo(f"{len(meant)} released; they are looked at within a minute")
