"""The commands about tickets: `due`, `explain`, `history` and `release`."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    TICKETS,
    AsRows,
    AsText,
    Config,
    Listing,
    TextFormat,
    TicketName,
    checked,
    complete_account,
    complete_policy,
    complete_ticket,
    database_of,
    echo,
    give_up,
    named,
    never_seen,
    opened,
    parsed_ref,
    put_json,
    put_rows,
    secrets_beside_trouble,
    settings_of,
    stamp,
    ticket_meant,
    ticket_ref,
)
from connector.render import many
from connector.store.trouble import NoDatabase

if TYPE_CHECKING:
    from connector.store.due import DuePage, Stand
    from policies.model import Ticket, TicketRef
    from policies.present.explain import PolicyTrace


app = typer.Typer()

LACKS = ("not taken", "part refused", "write refused", "partly", "held")
"""What of the ledger `explain` repeats: where the ticket is not as a level wanted it."""

SHOWN = 6


@app.command(rich_help_panel=TICKETS)
def due(
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            help="Only what this policy does.",
            autocompletion=complete_policy,
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            help="Only the tickets of this account.",
            autocompletion=complete_account,
        ),
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="TIME", help="Of what comes, only that, such as 4h.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many lines at most.")] = 200,
    config: Config = CONFIG,
    how: AsRows = "table",
) -> None:
    """List what is overdue, held, waiting and coming, a line a ticket and policy, as the database knows it."""
    from connector.clock import SystemClock
    from connector.config.settings import load
    from connector.render import away
    from connector.store import codec
    from connector.store.accounts import every, read_directory
    from connector.store.due import DuePage, due_page
    from policies.language.document import listed
    from policies.language.references import KnownAccount
    from policies.model import seconds
    from policies.rules.assignment import lacking

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
        give_up(f"nothing has been read yet; run `uptier run --once` first ({str(none).split('; ')[0]})")
    with closing(store), store.reading() as connection:
        known = every(connection)
        read = {one.name for one in known if one.census_at is not None}
        paused = [one for one in known if one.name in names and one.paused_at is not None]
        page = due_page(connection, now, names=names, policy=policy, within=span, limit=limit)
        directories = {name: read_directory(connection, name) for name in names}
    unread = [name for name in names if name not in read]
    if len(unread) == len(names):
        if paused:
            give_up(
                f"the open tickets of {listed(unread)} could not be listed: {paused[0].paused_reason}; "
                "`uptier doctor` says how to mend that"
            )
        give_up(
            f"the open tickets of {listed(unread)} have not been listed yet; run `uptier run --once` first"
        )
    rows = [
        (
            one.stand,
            one.ref.named(one.number),
            stamp(one.at),
            one.policy,
            one.level,
            one.owner,
            one.to or "",
            one.subject,
            f"{'would fire: ' if one.observes else ''}{one.why}",
        )
        for one in page.rows
    ]
    found = Listing(
        title="What is due",
        head=("stand", "ticket", "at", "policy", "level", "owner", "to", "subject", "why"),
        rows=rows,
        value=json.loads(codec.dump(DuePage, page)) if how == "json" else None,
        said=tuple(due_remarks(page)),
        lines=tuple(due_lines(page, stamp, now)),
    )
    put_rows(found, how)
    for one in paused:
        since = one.paused_at or now
        echo(
            f"{one.name}: as of {stamp(since)}, {away(since, now)}; the helpdesk could not be read since: "
            "`uptier doctor`",
            err=True,
        )
    if unread:
        echo(f"not yet listed, so not among these: the tickets of {listed(unread)}", err=True)
    if (written := load(config).policies) is not None:
        for name, directory in directories.items():
            people = None if directory is None else KnownAccount.of(directory.directory)
            for lack in lacking(written, name, people) if people else ():
                echo(f"{name}: {lack.said}", err=True)


def due_remarks(page: "DuePage") -> "Iterator[str]":
    """What is not among the rows."""
    if page.total > len(page.rows):
        more, all_of_them = page.total - len(page.rows), f"`uptier due --limit {page.total}` lists them all"
        yield (
            f"{more} more; {all_of_them}"
            if page.is_exact
            else f"at least {more} more; `uptier due --limit NUMBER` lists them"
        )
    if page.unseen:
        yield f"not looked at yet, so not known: {page.many(page.unseen)} ticket{'s' * (page.unseen != 1)}"
    if not page.rows and not page.unseen:
        yield "nothing is due, and nothing comes"


def due_lines(page: "DuePage", when: "Callable[[int], str]", now: int) -> list[str]:
    """The rows under the heading of each stand, their columns one below the other."""
    from connector.render import away
    from connector.store.due import STANDS

    cells = {
        (one.ref, one.policy): (
            one.ref.named(one.number),
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
            lines.append(f"{stand}: {page.many(page.counts[stand])}{on_tickets(page, stand)}")
        for one in rows:
            padded = (
                cell.ljust(width) for cell, width in zip(cells[one.ref, one.policy], widths, strict=True)
            )
            would = "would fire: " if one.observes else ""
            lines.append("  " + "  ".join((*padded, f"{one.subject} ({would}{one.why})")))
    return [*lines, *due_remarks(page)]


def on_tickets(page: "DuePage", stand: "Stand") -> str:
    """On how many tickets these rows are, where one has several and all of them are shown."""
    rows = [one for one in page.rows if one.stand == stand]
    tickets = len({one.ref for one in rows})
    if tickets == len(rows) or len(rows) < page.counts[stand]:
        return ""
    return f", on {many(tickets, 'ticket')}"


@app.command(rich_help_panel=TICKETS)
def explain(
    ticket: TicketName,
    config: Config = CONFIG,
    how: AsText = "text",
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

    ref = parsed_ref(ticket) if archive is not None else ticket_ref(ticket, config)
    if at is not None and (when := moment_before_now(at)) is not None:
        if supposed:
            give_up("--set goes with now or a time to come")
        look_back(ref, config, when, archive, how)
        return
    if archive is not None:
        give_up("--archive goes with --at and a past time, such as --at -3h")
    if at is not None or supposed:
        foresee(ref, config, at, how, supposed or [])
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
    policies = load(config).policies
    observed = policies is not None and all(
        policies.mode(each, ref.account) == "observe" for each in policies.policies
    )
    owner = f" Owner{' would be' * observed}: {known.owner}." if known.owner else ""
    head = (
        f"{known.ticket.name}: {known.ticket.subject}",
        f"Looked at {stamp(known.seen_at)}.{owner}",
        *target_lines(known.ticket, known.seen_at),
        *lacks[-SHOWN:],
    )
    trace = explained(known, policies)
    if trace is not None:
        show(trace, head, how)
    elif how == "json":
        put_json(None)
    else:
        echo(*head, "", f"{NOT_KEPT} To ask now: uptier explain {known.ticket.name} --at now")


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


def look_back(ref: "TicketRef", config: Path, at: int, file: Path | None, how: TextFormat) -> None:
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
    if how == "json":
        put_json([past_json(row, seen.told) for row in trace_json(seen.trace)])
        return
    owner = f" Owner then: {seen.step.plan.owner.name}." if seen.step.plan.owner else ""
    held = [line.text for line in seen.step.lines if line.what == "held"]
    echo(
        f"{ref}: {past.subject}" if past.subject else str(ref),
        f"As of {stamp(at)}, by {past.source}.{owner}",
        "Policies, groups and people are those of now. Of each value: as then, as now (nobody tells its changes), or "
        "unknown.",
        *(
            f"Left out, though it was ordered: {stamp(line.at)} {line.what} {line.text}"
            for line in past.orders
            if line.at <= at
        ),
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


def foresee(ref: "TicketRef", config: Path, at: str | None, how: TextFormat, supposed: list[str]) -> None:
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
    head = (
        f"{seen.ticket.name}: {seen.ticket.subject}",
        f"As of {stamp(when)}, if nothing happens until then.{owner}",
    )
    if not said:
        show(traced(seen.then), head, how)
        return
    before, after = traced(seen.as_it_is), traced(seen.then)
    if how == "json":
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
    show(after, (*head, f"What if {', '.join(supposed)}?", "", *beside), how)


def trace_json(trace: "tuple[PolicyTrace, ...]") -> Any:
    """A trace for a program."""
    from connector.store import codec
    from policies.present.explain import PolicyTrace

    return json.loads(codec.dump(tuple[PolicyTrace, ...], trace))


def show(trace: "tuple[PolicyTrace, ...]", head: tuple[str, ...], how: TextFormat) -> None:
    """A trace, in words or whole."""
    from policies.present.explain import explain as in_words

    if how == "json":
        put_json(trace_json(trace))
        return
    said = in_words(trace) if trace else "No policy can match this ticket."
    echo(*head, "", *said.split("\n"))


@app.command(rich_help_panel=TICKETS)
def history(ticket: TicketName, config: Config = CONFIG, how: AsRows = "table") -> None:
    """List what happened to a ticket: when, how and to whom."""
    from dataclasses import asdict

    from connector.store import ledger, tickets

    ref = ticket_ref(ticket, config)
    with opened(config) as store, store.reading() as connection:
        lines = [ledger.in_words(line) for line in ledger.of_ticket(connection, ref)]
        known = tickets.known(connection, ref)
    if not (lines or known):
        give_up(never_seen(ref))
    name = known.ticket.name if known else str(ref)
    texts = [line.text or (line.episode if line.what == "started" else "") for line in lines]
    none = () if lines else (f"nothing has happened to {name}",)
    in_words = []
    for line, text in zip(lines, texts, strict=True):
        place = " / ".join(part for part in (line.policy, line.level) if part)
        owner = f", owner {line.owner}" if line.owner else ""
        in_words.append(f"{stamp(line.at)}  {line.what:14} {place}{owner}{f': {text}' if text else ''}")
    found = Listing(
        title=f"What happened to {name}",
        head=("at", "what", "policy", "level", "owner", "text"),
        rows=[
            (stamp(line.at), line.what, line.policy, line.level, line.owner, text)
            for line, text in zip(lines, texts, strict=True)
        ],
        value=[asdict(line) for line in lines],
        said=none,
        lines=(*in_words, *none),
    )
    put_rows(found, how)


@app.command(rich_help_panel=TICKETS)
def release(
    held: Annotated[
        str | None,
        typer.Argument(
            metavar="[ACCOUNT[/ID]]",
            help="What is to go on; all holds are listed without.",
            autocompletion=complete_ticket,
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            help="What was due on the account when this policy was first enforced.",
            autocompletion=complete_policy,
        ),
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")] = "",
    config: Config = CONFIG,
    how: AsRows = "table",
) -> None:
    """List the tickets that are held back by a cap, a loop or the start of a policy, or let them go on."""
    from getpass import getuser

    from connector.clock import SystemClock
    from connector.store import holds, tickets
    from policies.model import TicketRef

    with opened(config) as store:
        if held is None:
            with store.reading() as connection:
                every = holds.every(connection)
                names = tickets.names(connection, (str(one.ref) for one in every))
            found = Listing(
                title="What is held",
                head=("since", "ticket", "why"),
                rows=[(stamp(one.since), names[str(one.ref)], one.why) for one in every],
                said=(f"{len(every)} held",),
            )
            put_rows(found, how)
            return
        account, _, ticket = held.partition("/")
        if policy and ticket:
            give_up(f"--policy is of a whole account: uptier release {account} --policy {policy!r}")
        if ticket:
            ticket = ticket_meant(store, TicketRef(account, ticket)).id
        try:
            with store.writing() as connection:
                now = SystemClock().now()
                count = holds.release(connection, account, ticket, policy, who=getuser(), why=reason, now=now)
        except holds.NotHeld as error:
            give_up(f"{error}; `uptier release` lists what is")
        put_rows(
            Listing(
                title="Released",
                head=("released", "count"),
                rows=[(held, count)],
                lines=(f"{count} released; they are looked at within a minute",),
            ),
            how,
        )
