"""The commands by which people steer an escalation: `ack`, `snooze`, `escalate`, `deescalate`, `approve`, `reject`.

Each leaves an order for the ticket's next look and says what it will do; the look's ledger line says what became of
it. Nothing is sent from here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli_config import CONFIG, Config, TicketName, checked, give_up, opened, stamp, ticket_ref

if TYPE_CHECKING:
    from policies.memory import Episode
    from policies.model import TicketRef
    from policies.orders import Verb

app = typer.Typer()

PolicyName = Annotated[
    str | None, typer.Option("--policy", metavar="NAME", help="Which policy, if several escalate the ticket.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")]
NeededReason = Annotated[
    str, typer.Option("--reason", help="Why; it stands in the ledger.", show_default=False)
]


@app.command()
def ack(ticket: TicketName, policy: PolicyName = None, reason: Reason = "", config: Config = CONFIG) -> None:
    """Acknowledge a ticket's escalation, as a person does who takes, answers or notes the ticket."""
    ref = ticket_ref(ticket)
    running = escalations(config, ref, policy)
    if not any(each.passed for each in running):
        give_up(f"no level has fired on {ref} yet; there is nothing to acknowledge")
    order(config, ref, "acknowledge", reason, policy)
    typer.echo(f"{ref}: acknowledged with the next look")


@app.command()
def snooze(
    ticket: TicketName,
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="How long, for example 2h.")],
    reason: NeededReason,
    policy: PolicyName = None,
    config: Config = CONFIG,
) -> None:
    """Keep a ticket's escalation quiet for a while: no level fires, nothing is said again."""
    from connector.clock import SystemClock
    from policies.durations import seconds

    ref = ticket_ref(ticket)
    try:
        until = SystemClock().now() + seconds(span)
    except ValueError as error:
        give_up(f"--for: {error}")
    escalations(config, ref, policy)
    order(config, ref, "snooze", reason, policy, until=until)
    typer.echo(f"{ref}: quiet until {stamp(until)}")


@app.command()
def escalate(
    ticket: TicketName,
    reason: NeededReason,
    policy: PolicyName = None,
    level: Annotated[
        str | None, typer.Option("--level", metavar="NAME", help="A level ahead; the next one if not given.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Fire a ticket's next level now, whatever the clock says."""
    ref = ticket_ref(ticket)
    meant = policy_meant(config, ref, policy)
    order(config, ref, "escalate", reason, meant, level=level)
    typer.echo(f'{ref}: policy "{meant}" escalates with the next look')


@app.command()
def deescalate(
    ticket: TicketName, reason: NeededReason, policy: PolicyName = None, config: Config = CONFIG
) -> None:
    """End a ticket's escalation and put back what it wrote, unless somebody has changed it since."""
    ref = ticket_ref(ticket)
    escalations(config, ref, policy)
    order(config, ref, "deescalate", reason, policy)
    typer.echo(f"{ref}: de-escalated with the next look")


@app.command()
def approve(
    ticket: TicketName, policy: PolicyName = None, reason: Reason = "", config: Config = CONFIG
) -> None:
    """Let a level fire that waits for approval."""
    ref = ticket_ref(ticket)
    level = awaiting(config, ref, policy)
    order(config, ref, "approve", reason, policy)
    typer.echo(f'{ref}: level "{level}" is approved and fires with the next look')


@app.command()
def reject(
    ticket: TicketName, reason: NeededReason, policy: PolicyName = None, config: Config = CONFIG
) -> None:
    """Pass over a level that waits for approval; those after it stay."""
    ref = ticket_ref(ticket)
    level = awaiting(config, ref, policy)
    order(config, ref, "reject", reason, policy)
    typer.echo(f'{ref}: level "{level}" is rejected')


def order(
    config: Path,
    ref: "TicketRef",
    verb: "Verb",
    reason: str,
    policy: str | None,
    *,
    level: str | None = None,
    until: int | None = None,
) -> None:
    """Leave the order in the inbox."""
    from getpass import getuser

    from connector.clock import SystemClock
    from connector.store import orders
    from policies.orders import Order

    given = Order(
        verb=verb,
        who=getuser(),
        at=SystemClock().now(),
        reason=reason,
        policy=policy,
        level=level,
        until=until,
    )
    with opened(config) as store, store.writing() as connection:
        orders.give(connection, ref, given)


def escalations(config: Path, ref: "TicketRef", policy: str | None) -> "tuple[Episode, ...]":
    """The episodes that run on the ticket, of this policy if one is named; there must be one."""
    from connector.store import standings
    from policies.episodes import live

    with opened(config) as store, store.reading() as connection:
        known = standings.of_ticket(connection, ref)
    running = tuple(episode for each in known if (episode := live(each)) is not None)
    meant = tuple(each for each in running if policy in (None, each.policy))
    if not meant:
        names = ", ".join(each.policy for each in running) or "none"
        give_up(f"no such escalation runs on {ref}; running: {names}")
    return meant


def policy_meant(config: Path, ref: "TicketRef", policy: str | None) -> str:
    """The policy to escalate by: the one that is named and serves the account, or the only one that runs."""
    if policy is None:
        running = escalations(config, ref, None)
        if len(running) > 1:
            give_up(f"several policies escalate {ref}; name one with --policy")
        return running[0].policy
    _, policies = checked(config)
    names = [each.name for each in policies.serving(ref.account)]
    if policy not in names:
        give_up(f'no policy "{policy}" serves {ref.account}; there are: {", ".join(names) or "none"}')
    return policy


def awaiting(config: Path, ref: "TicketRef", policy: str | None) -> str:
    """The level that waits for approval."""
    waiting = [each.awaiting for each in escalations(config, ref, policy) if each.awaiting]
    if not waiting:
        give_up(f"no level of {ref} waits for approval")
    return waiting[0]
