"""The commands by which people steer an escalation: `ack`, `snooze`, `escalate`, `deescalate`, `approve`, `reject`.

Each leaves an order for the ticket's next look and says what it will do; the look's ledger line says what became of
it. Nothing is sent from here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    TICKETS,
    AsText,
    Config,
    TextFormat,
    TicketName,
    checked,
    complete_policy,
    give_up,
    opened,
    put_text,
    stamp,
    ticket_ref,
)

if TYPE_CHECKING:
    from policies.model import Order, TicketRef, Verb


app = typer.Typer()

PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME",
        help="Which policy, if several escalate the ticket.",
        autocompletion=complete_policy,
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")]
NeededReason = Annotated[
    str, typer.Option("--reason", help="Why; it stands in the ledger.", show_default=False)
]


@app.command(rich_help_panel=TICKETS)
def ack(
    ticket: TicketName,
    policy: PolicyName = None,
    reason: Reason = "",
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Acknowledge a ticket's escalation, as a person does who takes, answers or notes the ticket."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "acknowledge", reason, policy)
    said(how, ref, given, f"{ticket}: acknowledged with the next look")


@app.command(rich_help_panel=TICKETS)
def snooze(
    ticket: TicketName,
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, for example 2h.")],
    reason: NeededReason,
    policy: PolicyName = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Keep a ticket quiet for a while: no level fires and nothing is said again, whatever begins or ends meanwhile."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "snooze", reason, policy, span=span)
    said(how, ref, given, f"{ticket}: quiet until {stamp(given.until or given.at)}")


@app.command(rich_help_panel=TICKETS)
def escalate(
    ticket: TicketName,
    reason: NeededReason,
    policy: PolicyName = None,
    level: Annotated[
        str | None, typer.Option("--level", metavar="NAME", help="A level ahead; the next one if not given.")
    ] = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Fire a ticket's next level now, whatever the clock says."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "escalate", reason, policy, level=level)
    said(how, ref, given, f"{ticket}: escalates with the next look")


@app.command(rich_help_panel=TICKETS)
def deescalate(
    ticket: TicketName,
    reason: NeededReason,
    policy: PolicyName = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """End a ticket's escalation and put back what it wrote, unless somebody has changed it since."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "deescalate", reason, policy)
    said(how, ref, given, f"{ticket}: de-escalated with the next look")


@app.command(rich_help_panel=TICKETS)
def approve(
    ticket: TicketName,
    policy: PolicyName = None,
    reason: Reason = "",
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Let a level fire that waits for approval."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "approve", reason, policy)
    said(how, ref, given, f"{ticket}: approved with the next look")


@app.command(rich_help_panel=TICKETS)
def reject(
    ticket: TicketName,
    reason: NeededReason,
    policy: PolicyName = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Pass over a level that waits for approval; those after it stay."""
    ref = ticket_ref(ticket, config)
    given = order(config, ref, "reject", reason, policy)
    said(how, ref, given, f"{ticket}: rejected with the next look")


def said(how: TextFormat, ref: "TicketRef", given: "Order", text: str) -> None:
    """Say what was left for the next look."""
    put_text(how, text, ticket=str(ref), order=given.verb, until=given.until)


def order(
    config: Path,
    ref: "TicketRef",
    verb: "Verb",
    reason: str,
    policy: str | None,
    *,
    level: str | None = None,
    span: str = "",
) -> "Order":
    """Leave the order in the inbox, unless nothing could carry it out as things stand."""
    from getpass import getuser

    from connector.clock import SystemClock
    from connector.intake.inbox import OrderRefused, submit_order

    _, policies = checked(config)
    with opened(config) as store:
        try:
            return submit_order(
                store,
                ref,
                verb=verb,
                who=getuser(),
                now=SystemClock().now(),
                policies=policies,
                reason=reason,
                policy=policy,
                level=level,
                span=span,
                admin=True,  # who can read the config and its database is one
            )
        except OrderRefused as refused:
            give_up(str(refused))
