"""The command that takes back what escalations wrote: `undo`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    TICKETS,
    AsText,
    Config,
    checked,
    complete_account,
    database_of,
    echo,
    give_up,
    never_seen,
    progress,
    put_json,
    secrets_beside_trouble,
    somebody_is_there,
    ticket_meant,
)
from connector.cli.orders import PolicyName
from connector.render import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.config.settings import Settings
    from connector.store.database import Store
    from connector.work.undoing import Line
    from policies.language.policy import PolicySet
    from policies.model import TicketRef

app = typer.Typer()


@app.command(rich_help_panel=TICKETS)
def undo(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[EPISODE]",
            help="An episode, or an undo, by its key, which `uptier history` names; or a ticket, for its last "
            "episode. With nothing said, what is under way is gone on with.",
        ),
    ] = None,
    policy: PolicyName = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help='Every ticket that the policy has escalated since: "-2h", or "2026-11-26 14:00" in this machine\'s '
            "time zone.",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help="On this account alone.",
            autocompletion=complete_account,
        ),
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="Put back what undos of the policy have taken back since.")
    ] = False,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="Why; it stands in the ledger. Required; on a terminal it is asked for."
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; --reason must be there.")] = False,
    wait: Annotated[
        str, typer.Option("--wait", metavar="TIME", help="How long a running service is waited for.")
    ] = "10m",
    how: AsText = "text",
    config: Config = CONFIG,
) -> None:
    """Take back what escalations wrote, running or ended, unless somebody has changed it since. It is shown first, and
    done after a yes. It can be interrupted, and called again."""
    from contextlib import closing
    from getpass import getuser

    from connector.app.undoing import outcome
    from connector.clock import SystemClock
    from connector.store import ledger, tickets, undone
    from connector.work.undoing import preview, submit
    from policies.model import seconds

    settings, policies = checked(config)
    clock = SystemClock()
    try:
        patience = seconds(wait)
    except ValueError as error:
        give_up(f"--wait: {error}")
    with closing(database_of(settings)) as store:
        lines = asked(store, clock.now(), what, policy, since, account, back=back)
        meant = [line for line in lines if not line.why_not]
        if how == "text":
            echo(*preview(lines) if lines else ())
        elif not yes:
            put_json([told(line) for line in lines], indent=2)
            return
        if meant:
            reason = agreed(reason.strip(), yes=yes)
        with store.reading() as connection:
            before = ledger.newest_id(connection)
        submit(store, meant, who=getuser(), reason=reason, now=clock.now())
        with store.reading() as connection:
            going = undone.under_way(connection)
        refs = [line.ref for line in lines if line.ref in going] if what or policy else sorted(going)
        carried_out(settings, policies, store, refs, patience)
        done = outcome(store, refs, before)
        with store.reading() as connection:
            names = tickets.names(connection, done.waiting)
    if how == "json":
        put_json({"lines": [told(line) for line in lines], **asdict(done)}, indent=2)
    else:
        echo(*done.said)
        counted = ", ".join(f"{many} {word}" for word, many in done.counts.items()) or "nothing to do"
        echo(f"{many(len(refs), 'ticket')}: {counted}.")
        echo(*(f"{names[key]}: not done yet{f': {why}' if why else ''}" for key, why in done.waiting.items()))
        if done.waiting:
            echo("`uptier undo` goes on with it, and so does a running service; nothing is done twice.")
    if done.waiting or done.needs_human:
        raise typer.Exit(NEEDS_HUMAN)


def agreed(reason: str, *, yes: bool) -> str:
    """Why it is to be done, once somebody wants it: asked on a terminal. Without a yes the call ends, and without a
    reason too."""
    if yes and not reason:
        give_up('nothing was done; say why it is to be: --reason "the policy was too wide"')
    if yes:
        return reason
    if not somebody_is_there():
        wanted = "--yes" if reason else '--reason "WHY" --yes'
        echo(f"nothing was done; `{wanted}` does it without asking")
        raise typer.Exit(NEEDS_HUMAN)
    reason = reason or typer.prompt("Why (it stands in the ledger)").strip()
    if not reason or not typer.confirm("Do it"):
        echo("nothing was done")
        raise typer.Exit(NEEDS_HUMAN)
    return reason


def asked(
    store: "Store",
    now: int,
    what: str | None,
    policy: str | None,
    since: str | None,
    account: str | None,
    *,
    back: bool,
) -> "tuple[Line, ...]":
    """The lines of what is asked for; none where only what is under way is to go on."""
    from connector.clock import moment_asked
    from connector.work.undoing import CannotUndo, of_many, of_one

    try:
        if what is not None and since is None:
            what = known_as(store, what)
            return of_one(store, what, policy)
        if what is None and policy is not None and since is not None:
            return of_many(store, policy, moment_asked(since, now), account, back=back)
    except (CannotUndo, ValueError) as error:
        give_up(str(error))
    if what is policy is since is None:
        return ()
    return give_up("say which: an episode or a ticket, or --policy with --since")


def known_as(store: "Store", what: str) -> str:
    """The episode, or the ticket by its id. Gives up where a ticket is meant that has not been seen, or on which no
    level has fired."""
    from connector.store import tickets, undone
    from connector.store.episodes import episodes_of
    from policies.model import TicketRef
    from policies.rules.undo import has_fired

    with store.reading() as connection:
        if undone.ticket_of(connection, what) is not None:
            return what
    try:
        ref = ticket_meant(store, TicketRef.parse(what))
    except ValueError:
        return what
    with store.reading() as connection:
        known, episodes = tickets.known(connection, ref), episodes_of(connection, ref)
    if known is None:
        give_up(never_seen(ref))
    if not any(map(has_fired, episodes)):
        give_up(f"nothing was escalated on {known.ticket.name}, so there is nothing to take back")
    return str(ref)


def told(line: "Line") -> dict[str, object]:
    """A line for a program."""
    return asdict(line) | {"ref": str(line.ref)}


def carried_out(
    settings: "Settings", policies: "PolicySet", store: "Store", refs: "Sequence[TicketRef]", patience: int
) -> None:
    """Beside a running service by that, else here."""
    from connector.app.applying import served_by_others
    from connector.app.service import Service
    from connector.app.undoing import carry_out_here, wait_for_service
    from connector.clock import SystemClock
    from connector.store.sqlite import AlreadyRunning

    if not refs:
        return
    clock, secrets = SystemClock(), secrets_beside_trouble()

    with progress() as tell:

        def beside() -> None:
            tell("a service runs; it does it")
            wait_for_service(store, clock, refs, patience, tell)

        if served_by_others(store, clock):
            beside()
            return
        try:
            with Service(settings, policies, clock, secrets) as service:
                carry_out_here(service.parts, refs, tell)
        except AlreadyRunning:
            beside()
        except KeyboardInterrupt:
            tell("interrupted; `uptier undo` goes on with it")
