"""The commands about tickets: `due`, `explain`, `history` and `release`."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    AsJson,
    Config,
    TicketName,
    checked,
    database_of,
    echo,
    give_up,
    named,
    never_seen,
    opened,
    put_json,
    secrets_beside_trouble,
    settings_of,
    stamp,
    ticket_ref,
)
from connector.store.trouble import NoDatabase

if TYPE_CHECKING:
    from connector.store.due import DuePage
    from policies.model import Ticket, TicketRef
    from policies.present.explain import PolicyTrace


app = typer.Typer()

LACKS = ("not taken", "part refused", "write refused", "partly", "held")
"""What of the ledger `explain` repeats: where the ticket is not as a level wanted it."""

SHOWN = 6


@app.command()
def due(
    policy: Annotated[str | None, typer.Option("--policy", help="Only what this policy does.")] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Only the tickets of this account.")
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="TIME", help="Of what comes, only that, such as 4h.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many tickets at most.")] = 200,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what is overdue, held, waiting and coming, a line a ticket, as the database knows it."""
    from connector.clock import SystemClock
    from connector.store import codec
    from connector.store.accounts import every
    from connector.store.due import DuePage, due_page
    from policies.language.document import listed
    from policies.model import seconds

    settings = settings_of(config)
    if policy is not None:
        settings, policies = checked(config)
        named("policy", policy, [each.name for each in policies.policies])
    if account is not None:
        named("account", account, settings.accounts)
    names = tuple(settings.accounts) if account is None else (account,)
    try:
        span = None if within is None else seconds(within)
    except ValueError as error:
        give_up(f"--within: {error}")
    now = SystemClock().now()
    try:
        store = database_of(settings)
    except NoDatabase as none:
        give_up(f"nothing has been read yet; run `uptier run --once` first. {none}")
    with closing(store), store.reading() as connection:
        read = {one.name for one in every(connection) if one.census_at is not None}
        page = due_page(connection, now, names=names, policy=policy, within=span, limit=limit)
    unread = [name for name in names if name not in read]
    if len(unread) == len(names):
        give_up(
            f"the open tickets of {listed(unread)} have not been listed yet; run `uptier run --once` first"
        )
    if as_json:
        put_json(json.loads(codec.dump(DuePage, page)))
    else:
        echo(*due_lines(page, stamp, now))
    if unread:
        echo(f"not yet listed, so not among these: the tickets of {listed(unread)}", err=True)


def due_lines(page: "DuePage", when: "Callable[[int], str]", now: int) -> list[str]:
    """The rows under the heading of each stand, their columns one below the other."""
    from connector.render import away
    from connector.store.due import STANDS

    cells = {
        one.ref: (
            str(one.ref),
            f"{when(one.at)[:16]} ({away(one.at, now)})",
            " / ".join(part for part in (one.policy, one.level) if part) or "-",
            one.owner + (f" -> {one.to}" if one.to and one.to != one.owner else ""),
        )
        for one in page.rows
    }
    widths = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
    lines = []
    for stand in STANDS:
        rows = [one for one in page.rows if one.stand == stand]
        if rows:
            lines.append(f"{stand}: {page.many(page.counts[stand])}")
        for one in rows:
            padded = (cell.ljust(width) for cell, width in zip(cells[one.ref], widths, strict=True))
            would = "would fire: " if one.observes else ""
            lines.append("  " + "  ".join((*padded, f"{one.subject} ({would}{one.why})")))
    if page.total > len(page.rows):
        more, all_of_them = page.total - len(page.rows), f"--limit {page.total} lists them all"
        told = f"{more} more; {all_of_them}" if page.is_exact else f"at least {more} more; --limit lists them"
        lines.append(told)
    if page.unseen:
        waiting = f"{page.many(page.unseen)} ticket{'s' * (page.unseen != 1)}"
        lines.append(f"not looked at yet, so not known: {waiting}")
    return lines or ["nothing is due, and nothing comes"]


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
            help='Ask the helpdesk, and judge as of TIME: "now", "+2h", "-3h" or '
            '"2026-11-26 14:00" in this machine\'s time zone.',
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="FILE", help="For a past TIME: this archive instead of the helpdesk."
        ),
    ] = None,
    supposed: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Suppose another value, such as priority=urgent; as often as you like.",
        ),
    ] = None,
) -> None:
    """Say why a ticket is where it is: the trace of the last look at it, or with --at a fresh one. With --set also what
    if it had other values."""
    from connector.config.settings import load
    from connector.store import holds, ledger, tickets
    from connector.work.context import NOT_KEPT, explained

    ref = ticket_ref(ticket)
    if at is not None and (when := moment_before_now(at)) is not None:
        if supposed:
            give_up("--set goes with now or a time to come")
        look_back(ref, config, when, archive, as_json)
        return
    if archive is not None:
        give_up("--archive goes with --at and a past time, such as --at -3h")
    if at is not None or supposed:
        foresee(ref, config, at, as_json, supposed or [])
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
        give_up(never_seen(ref))
    owner = f" Owner: {known.owner}." if known.owner else ""
    head = (
        f"{ref}: {known.ticket.subject}",
        f"Looked at {stamp(known.seen_at)}.{owner}",
        *target_lines(known.ticket, known.seen_at),
        *lacks[-SHOWN:],
    )
    trace = explained(known, load(config).policies)
    if trace is not None:
        show(trace, head, as_json)
    elif as_json:
        put_json(None)
    else:
        echo(*head, "", f"{NOT_KEPT} To ask now: uptier explain {ref} --at now")


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


def moment_before_now(at: str) -> int | None:
    """The instant that is meant, if it is past."""
    from connector.clock import SystemClock, moment_asked

    now = SystemClock().now()
    try:
        when = moment_asked(at, now)
    except ValueError as error:
        give_up(str(error))
    return when if when < now else None


def look_back(ref: "TicketRef", config: Path, at: int, file: Path | None, as_json: bool) -> None:
    """Judge the ticket as it was then, by the history in this archive or that its helpdesk tells. Nothing is written
    anywhere."""
    from adapters.base import HelpdeskError
    from connector.app.compose import open_desk
    from connector.clock import SystemClock
    from connector.config.secrets import SecretError
    from connector.store.archive import Archive
    from connector.work.context import Unforeseeable
    from connector.work.hindsight import from_archive, from_helpdesk
    from policies.present.explain import explain as in_words

    settings, policies = checked(config)
    named("account", ref.account, settings.accounts)
    clock = SystemClock()
    try:
        if file is not None:
            with closing(Archive.open(file)) as archive:
                past = from_archive(archive, policies, ref)
        else:
            desk = open_desk(ref.account, settings, clock, secrets_beside_trouble())
            with opened(config) as store:
                past = from_helpdesk(store, desk, policies, ref, clock.now())
        seen = past.judged(at)
    except (SecretError, ValueError) as error:
        give_up(str(error))
    except (HelpdeskError, Unforeseeable) as trouble:
        echo(f"uptier: {trouble}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    if as_json:
        put_json([past_json(row, seen.told) for row in trace_json(seen.trace)])
        return
    owner = f" Owner then: {seen.step.plan.owner.name}." if seen.step.plan.owner else ""
    held = [line.text for line in seen.step.lines if line.what == "held"]
    echo(
        f"{ref}: {past.subject}" if past.subject else str(ref),
        f"As of {stamp(at)}, by {past.source}.{owner}",
        "Policies, groups and people are those of now. Of each value: as then, as now (nobody tells its changes), or "
        "unknown.",
        *(f"Held at {stamp(seen.step.now)}: {text}" for text in held),
        "",
        *in_words(seen.trace, seen.told).split("\n"),
    )


def past_json(policy: Any, told: "Mapping[tuple[str, str], str]") -> Any:
    """The trace of a policy for a program, with how each value is known beside it."""

    def line(one: Any) -> Any:
        known = told.get((policy["policy"], one["text"]))
        return {**one, "known": known, "inner": [line(each) for each in one["inner"]]}

    clock = policy["clock"]
    if clock is not None:
        clock = {**clock, "known": told.get((policy["policy"], clock["name"]))}
    return {**policy, "lines": [line(each) for each in policy["lines"]], "clock": clock}


def foresee(ref: "TicketRef", config: Path, at: str | None, as_json: bool, supposed: list[str]) -> None:
    """Read the ticket at its helpdesk, if it is asked for as of a time, else as the last look left it, and judge it.
    Nothing is written anywhere."""
    from adapters.base import HelpdeskError
    from connector.app.compose import open_desk
    from connector.clock import SystemClock, moment_asked
    from connector.config.secrets import SecretError
    from connector.work.context import Unforeseeable, foresight
    from policies.present.explain import traced

    settings, policies = checked(config)
    clock = SystemClock()
    wrong = [each for each in supposed if each.find("=") < 1]
    if wrong:
        give_up(f'--set {wrong[0]}: write FIELD=VALUE, such as priority=urgent; "FIELD=" for no value')
    said = dict(each.split("=", 1) for each in supposed)
    try:
        now = clock.now()
        when = now if at is None else moment_asked(at, now)
    except ValueError as error:
        give_up(str(error))
    named("account", ref.account, settings.accounts)
    customs = [name.removeprefix("custom.") for name in settings.accounts[ref.account].fields]
    try:
        desk = None if at is None else open_desk(ref.account, settings, clock, secrets_beside_trouble())
        with opened(config) as store:
            seen = foresight(store, desk, policies, ref, when, now, said, customs)
    except (SecretError, ValueError) as error:
        give_up(str(error))
    except (HelpdeskError, Unforeseeable) as trouble:
        echo(f"uptier: {trouble}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    owner = f" Owner then: {seen.then.owner.name}." if seen.then.owner else ""
    head = (f"{ref}: {seen.ticket.subject}", f"As of {stamp(when)}, if nothing happens until then.{owner}")
    if not said:
        show(traced(seen.then), head, as_json)
        return
    before, after = traced(seen.as_it_is), traced(seen.then)
    if as_json:
        put_json({"as_it_is": trace_json(before), "what_if": trace_json(after)})
        return
    beside = [
        line
        for one, other in zip(before, after, strict=True)
        for line in (
            f'Policy "{one.policy}" ({one.mode})',
            f"  as it is: {one.verdict}",
            f"  what if:  {other.verdict}",
        )
    ]
    show(after, (*head, f"What if {', '.join(supposed)}?", "", *beside), as_json)


def trace_json(trace: "tuple[PolicyTrace, ...]") -> Any:
    """A trace for a program."""
    from connector.store import codec
    from policies.present.explain import PolicyTrace

    return json.loads(codec.dump(tuple[PolicyTrace, ...], trace))


def show(trace: "tuple[PolicyTrace, ...]", head: tuple[str, ...], as_json: bool) -> None:
    """A trace, in words or whole."""
    from policies.present.explain import explain as in_words

    if as_json:
        put_json(trace_json(trace))
        return
    said = in_words(trace) if trace else "No policy can match this ticket."
    echo(*head, "", *said.split("\n"))


@app.command()
def history(ticket: TicketName, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List what happened to a ticket: when, how and to whom."""
    from dataclasses import asdict

    from connector.store import ledger, tickets

    ref = ticket_ref(ticket)
    with opened(config) as store, store.reading() as connection:
        lines = [ledger.in_words(line) for line in ledger.of_ticket(connection, ref)]
        known = tickets.known(connection, ref)
    if as_json:
        put_json([asdict(line) for line in lines])
        return
    for line in lines:
        place = " / ".join(part for part in (line.policy, line.level) if part)
        owner = f", owner {line.owner}" if line.owner else ""
        text = line.text or (line.episode if line.what == "started" else "")
        said = f": {text}" if text else ""
        echo(f"{stamp(line.at)}  {line.what:14} {place}{owner}{said}")
    if not lines:
        echo(f"nothing has happened to {ref}" if known else never_seen(ref))


@app.command()
def release(
    held: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNT[/ID]]", help="What is to go on; all holds are listed without."),
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", help="What was due on the account when this policy was first enforced.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")] = "",
    config: Config = CONFIG,
) -> None:
    """List the tickets that are held back by a cap, a loop or the start of a policy, or let them go on."""
    from getpass import getuser

    from connector.clock import SystemClock
    from connector.store import holds

    with opened(config) as store:
        if held is None:
            with store.reading() as connection:
                every = holds.every(connection)
            for one in every:
                echo(f"{stamp(one.since)}  {one.ref}  {one.why}")
            echo(f"{len(every)} held")
            return
        account, _, ticket = held.partition("/")
        if policy and ticket:
            give_up(f"--policy is of a whole account: uptier release {account} --policy {policy!r}")
        try:
            with store.writing() as connection:
                now = SystemClock().now()
                many = holds.release(connection, account, ticket, policy, who=getuser(), why=reason, now=now)
        except holds.NotHeld as error:
            give_up(f"{error}; `uptier release` lists what is")
        echo(f"{many} released; they are looked at within a minute")
