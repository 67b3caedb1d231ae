"""The commands that show what would be done before it is, and then do exactly that: `plan`, `apply`, `enforce` and
`observe`."""

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    POLICIES,
    AsRows,
    AsText,
    Config,
    Listing,
    TextFormat,
    checked,
    complete_account,
    complete_policy,
    database_of,
    echo,
    give_up,
    named,
    progress,
    put_out,
    put_rows,
    put_text,
    secrets_beside_trouble,
    somebody_is_there,
    stamp,
)
from connector.render import columns, many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connector.app.applying import Applied
    from connector.config.enforcing import ModeLine
    from connector.config.settings import Loaded, Settings
    from connector.store.database import Store
    from connector.work.plans import ManyPlan, PlanLine
    from policies.language.policy import PolicySet


app = typer.Typer()


@app.command(rich_help_panel=POLICIES)
def plan(
    config: Config = CONFIG,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="NAME", help="Of this policy alone.", autocompletion=complete_policy
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
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="TIME",
            help='As of TIME, if nothing happens until then: "now", "+2h" or "2026-11-26 14:00" in this '
            "machine's time zone. A plan for later is to be looked at; it cannot be applied.",
        ),
    ] = "now",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Keep it, for `uptier apply FILE`.")
    ] = None,
    how: AsRows = "table",
) -> None:
    """Show what would be done now: each ticket, each field, each message whole. Nothing is written."""
    from connector.work.plans import as_file

    settings, policies = checked(config)
    made = made_plan(settings, policies, policy, account, at)
    found = Listing(
        title=f"What would be done as of {stamp(made.at)}",
        head=PLAN_HEAD,
        rows=plan_rows(made),
        value=json.loads(as_file(made)) if how == "json" else None,
        said=(*summary(made), *onward(made, output)),
        lines=(*in_words(made), *onward(made, output)),
    )
    put_rows(found, how)
    if output is not None:
        put_out(as_file(made), output)
    if made.unread:
        raise typer.Exit(NEEDS_HUMAN)


def made_plan(
    settings: "Settings", policies: "PolicySet", policy: str | None, account: str | None, at: str = "now"
) -> "ManyPlan":
    """A plan as of a time, made by reading what may be due. Says on standard error how far it is."""
    from contextlib import closing

    from connector.app.compose import open_desk
    from connector.clock import SystemClock, moment_asked
    from connector.config.holidays import calendars
    from connector.config.secrets import SecretError
    from connector.store import accounts
    from connector.work.budget import tally
    from connector.work.context import Rules
    from connector.work.planning import Maker

    clock = SystemClock()
    try:
        when = moment_asked(at, clock.now())
    except ValueError as error:
        give_up(str(error))
    if when < clock.now() - 1:
        give_up("a plan is for now or for later; `uptier history ACCOUNT/ID` tells what has happened")
    if account is not None and account not in settings.accounts:
        give_up(f"there is no account {account}; there are {', '.join(settings.accounts)}")
    if policy is not None and policy not in {each.name for each in policies.policies}:
        give_up(
            f'there is no policy "{policy}"; there are {", ".join(each.name for each in policies.policies)}'
        )
    names = [name for name in settings.accounts if account in (None, name)]
    with closing(database_of(settings)) as store:
        try:
            secrets = secrets_beside_trouble()
            desks = {
                name: open_desk(name, settings, clock, secrets, tally(store, name, clock)) for name in names
            }
        except (SecretError, ValueError) as error:
            give_up(str(error))
        with store.reading() as connection:
            first_ran = {name: accounts.first_runs(connection, name) for name in names}
        with progress() as tell:
            maker = Maker(
                store=store,
                desks=desks,
                rules=Rules(policies=policies, calendars=calendars(policies, when), first_ran=first_ran),
                caps=settings.service.caps,
                clock=clock,
                progress=tell,
            )
            return maker.make(policy, account, when)


@app.command("apply", rich_help_panel=POLICIES)
def apply_plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A plan that `uptier plan -o FILE` has kept.")],
    config: Config = CONFIG,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="TIME", help="How long a running service is waited for, such as 90s or 5m."
        ),
    ] = "2m",
    how: AsRows = "table",
) -> None:
    """Do what a plan says, and nothing else. What has drifted since is left alone and said. It can be called again."""
    from connector.clock import SystemClock
    from connector.work.plans import NotApplicable, from_file, refusal
    from policies.model import seconds

    settings, policies = checked(config)
    try:
        patience = seconds(wait)
    except ValueError as error:
        give_up(f"--wait: {error}")
    try:
        planned = from_file(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        give_up(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}")
    except NotApplicable as wrong:
        give_up(f"{file}: {wrong}")
    why = refusal(planned, settings.accounts, SystemClock().now())
    if why is not None:
        give_up(f"{file} is not applied: {why}")
    done = applied(settings, policies, planned, patience)
    found = Listing(
        title=f"What became of {file}",
        head=("ticket", "fate", "text"),
        rows=outcome_rows(planned, done),
        value={
            "plan": planned.hash,
            "lines": {ticket: {"fate": fate, "text": text} for ticket, (fate, text) in done.fates.items()},
            "waiting": dict(done.waiting),
        },
        said=tuple(outcome_summary(planned, done)),
        lines=(
            *(
                f"{ticket}: {fate}{f': {text}' if text else ''}"
                for ticket, fate, text in outcome_rows(planned, done)
            ),
            *outcome_summary(planned, done),
        ),
    )
    put_rows(found, how)
    if not done.whole:
        raise typer.Exit(NEEDS_HUMAN)


def applied(settings: "Settings", policies: "PolicySet", planned: "ManyPlan", patience: int) -> "Applied":
    """Carry a plan out: beside a running service by its orders, else here."""
    from contextlib import closing
    from getpass import getuser

    from connector.app.applying import apply_here, leave_and_wait, served_by_others
    from connector.app.service import Service
    from connector.clock import SystemClock
    from connector.store.sqlite import AlreadyRunning

    clock, who, secrets = SystemClock(), getuser(), secrets_beside_trouble()

    def beside(store: "Store") -> "Applied":
        tell("a service runs; it does what the plan says")
        return leave_and_wait(store, clock, planned, who, patience, tell)

    with progress() as tell, closing(database_of(settings)) as store:
        if served_by_others(store, clock):
            return beside(store)
        try:
            with Service(settings, policies, clock, secrets) as service:
                return apply_here(service.parts, planned, who, tell)
        except AlreadyRunning:
            return beside(store)


NamedPolicy = Annotated[
    str,
    typer.Argument(
        metavar="POLICY",
        help="The policy, by its name.",
        autocompletion=complete_policy,
    ),
]
OneAccount = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="On this account alone.",
        autocompletion=complete_account,
    ),
]
WithoutAsking = Annotated[bool, typer.Option("--yes", help="Do not ask; write the files.")]


def mode_asked(
    config: Path,
    policy: str,
    account: str | None,
    lines_of: "Callable[[Loaded, str, str | None], Sequence[ModeLine]]",
) -> "tuple[Settings, PolicySet, Sequence[ModeLine]]":
    """The config, and the lines that set the mode of a policy of it; none where it is set so already."""
    from connector.config.enforcing import CannotSetMode
    from connector.config.settings import load

    settings, policies = checked(config)
    named("policy", policy, [each.name for each in policies.policies])
    if account is not None:
        named("account", account, settings.accounts)
    try:
        return settings, policies, lines_of(load(config), policy, account)
    except CannotSetMode as why:
        give_up(str(why))


@app.command(rich_help_panel=POLICIES)
def enforce(
    policy: NamedPolicy,
    account: OneAccount = None,
    yes: WithoutAsking = False,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Show what enforcing a policy would do now and, after a yes, set its mode in the config files."""
    from connector.config.enforcing import mode_lines
    from connector.work.plans import as_file
    from policies.language.document import listed

    settings, policies, lines = mode_asked(config, policy, account, mode_lines)
    if not lines:
        put_text(
            how,
            f'policy "{policy}" is enforced already; `uptier due --policy {quote(policy)}` lists what comes of it',
            policy=policy,
            lines=[],
            written=False,
        )
        return
    made = made_plan(settings, policies, policy, account)
    most = settings.service.caps.due_at_start
    where = [
        one
        for one in settings.accounts
        if account in (None, one) and any(each.name == policy for each in policies.serving(one))
    ]
    release = listed([f"`uptier release {one} --policy {quote(policy)}`" for one in where], "and")
    later = (
        f"Enforced, this is done by the service, and all that comes due later. If more than {most} tickets are due by "
        f"then, they are held until {release}."
    )
    shown = (
        *in_words(made),
        "",
        later,
        "These lines enforce it:",
        *(f"  {line}" for line in lines),
    )
    told = {"policy": policy, "plan": json.loads(as_file(made))}
    set_modes(config, lines, shown, yes=yes, how=how, told=told)


@app.command(rich_help_panel=POLICIES)
def observe(
    policy: NamedPolicy,
    account: OneAccount = None,
    yes: WithoutAsking = False,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Show what of a policy stops and, after a yes, set its mode back to observe in the config files."""
    from connector.config.enforcing import observe_lines

    settings, _, lines = mode_asked(config, policy, account, observe_lines)
    if not lines:
        put_text(
            how,
            f'policy "{policy}" only observes already; `uptier due --policy {quote(policy)}` lists what would come',
            policy=policy,
            lines=[],
            written=False,
        )
        return
    stops = tuple(stopping(settings, policy, [account] if account else list(settings.accounts)))
    shown = (*stops, "These lines say so:", *(f"  {line}" for line in lines))
    set_modes(config, lines, shown, yes=yes, how=how, told={"policy": policy, "stops": list(stops)})


def stopping(settings: "Settings", policy: str, accounts: "Iterable[str]") -> "Iterator[str]":
    """What a policy has under way on these accounts, and what becomes of it when it only observes."""
    from contextlib import closing

    from connector.store import tickets
    from connector.store.episodes import episodes_of, running_for
    from connector.store.trouble import NoDatabase
    from policies.language.document import listed
    from policies.state import How

    rows = []
    try:
        store = database_of(settings)
    except NoDatabase:
        return
    with closing(store), store.reading() as connection:
        for account in accounts:
            for ref in running_for(connection, account, (policy,)):
                known = tickets.known(connection, ref)
                fired = [
                    passed.level
                    for each in episodes_of(connection, ref)
                    if each.policy == policy and each.ended is None
                    for passed in each.passed
                    if passed.how is How.FIRED
                ]
                levels = listed([f'"{level}"' for level in fired], "and")
                said = f"{levels} fired" if fired else "no level fired yet"
                rows.append(
                    (known.ticket.name if known else str(ref), said, known.ticket.subject if known else "")
                )
    if rows:
        yield from columns(("TICKET", "WHAT STANDS", "SUBJECT"), rows)
        yield ""
    yield (
        f"{many(len(rows), 'running episode')}. Once it observes, nothing more of it is written or told. What was "
        f'written stays until somebody changes it; `uptier undo --policy {quote(policy)} --since "-2h"` takes it back. '
        "Levels that fired stay passed if it is enforced again."
    )


def set_modes(
    config: Path,
    lines: "Sequence[ModeLine]",
    shown: "Sequence[str]",
    *,
    yes: bool,
    how: TextFormat,
    told: "Mapping[str, object]",
) -> None:
    """Show what it is about and write these lines after a yes; a program that asks for JSON is asked nothing. The call
    ends where nobody says it, a file cannot be written, or the config would have errors."""
    from connector.config.enforcing import text_of, with_lines, write
    from connector.config.settings import load

    said = {**told, "lines": [str(line) for line in lines]}
    if how == "text":
        echo(*shown)
    if not yes and not (how == "text" and somebody_is_there() and typer.confirm("Write them")):
        put_text(how, "nothing was changed; `--yes` writes them without asking", **said, written=False)
        raise typer.Exit(NEEDS_HUMAN)
    before = {file: text_of(file) for file in {line.file for line in lines}}
    try:
        write(with_lines(lines))
    except OSError as error:
        echo(f"uptier: {error.filename or lines[0].file} cannot be written: {error.strerror}", err=True)
        put_text(how, "change the lines above by hand, then `uptier reload`", **said, written=False)
        raise typer.Exit(NEEDS_HUMAN) from None
    wrong = [str(each) for each in load(config).problems if each.severity == "error"]
    if wrong:
        write(before)
        give_up("\n".join(["with these lines the config has errors, so nothing was changed:", *wrong]))
    put_text(how, "written; `uptier reload` takes it up, or the next start", **said, written=True)


# --- in words --------------------------------------------------------------------------------------------------


PLAN_HEAD = ("ticket", "level", "owner", "writes", "notifies", "calls")


def plan_rows(made: "ManyPlan") -> "list[tuple[str, ...]]":
    """A plan's table, a row a ticket."""
    return [
        (
            line.ticket,
            "; ".join(f"{step.policy} / {step.level}" for step in line.steps),
            line.owner,
            ", ".join([each.field for each in line.fields] + [each.to for each in line.messages]),
            ", ".join(each.to for each in line.notifies),
            str(line.writes),
        )
        for line in made.lines
    ]


def in_words(made: "ManyPlan") -> "Iterator[str]":
    """A plan for a person: a table, then each ticket with its whole messages, then what it comes to."""
    rows = plan_rows(made)
    if rows:
        yield from columns([name.upper() for name in PLAN_HEAD], rows)
    for line in made.lines:
        yield ""
        yield from line_in_words(line)
    if rows:
        yield ""
    yield from summary(made)


def line_in_words(line: "PlanLine") -> "Iterator[str]":
    """One ticket of a plan."""
    yield f"{line.ticket}: {line.subject}"
    for step in line.steps:
        due = f", due {stamp(step.due)}" if step.due is not None else ""
        yield f"  {step.policy} / {step.level}{'' if step.what == 'fired' else f' ({step.what})'}{due}"
    yield f"  owner: {line.owner}"
    for each in line.fields:
        yield f"  {each.field}: {each.before} -> {each.after}"
    for words in (*line.messages, *line.notifies):
        yield f"  {words.to}{f': {words.title}' if words.title else ':'}"
        yield from (f"    | {part}" for part in words.body.split("\n"))
    for text in line.left_out:
        yield f"  left out: {text}"
    if line.held:
        yield f"  held: {line.held}"


def summary(made: "ManyPlan") -> "Iterator[str]":
    """What a plan comes to."""
    would = bool(made.observes) or made.at > made.made_at
    writes, told = sum(line.writes for line in made.lines), sum(len(line.notifies) for line in made.lines)
    for ticket, why in made.unread.items():
        yield f"{ticket} could not be read: {why}"
    yield from made.remarks
    held = sum(bool(line.held) for line in made.lines)
    again = sum(line.reads for line in made.lines)
    takes = "it would take" if would else "it takes"
    yield (
        f"{many(len(made.lines), 'ticket')} as of {stamp(made.at)}: {takes} {many(writes, 'write')}, "
        f"{many(again, 'request')} to read again, {many(told, 'notification')}. "
        f"To make it took {many(made.reads, 'request')}."
    )
    if held:
        yield f"{held} of them {'is' if held == 1 else 'are'} held back; `uptier release` lists what is held"


def onward(made: "ManyPlan", kept: Path | None) -> "Iterator[str]":
    """What can be done with a plan, and what it leaves out."""
    if made.observes:
        names = ", ".join(made.observes)
        if len(made.observes) == 1:
            only, switches = "observes", "shows this and switches it on"
        else:
            only, switches = "observe", "shows what the first does and switches it on"
        yield (
            f"It cannot be applied: {names} only {only}. `uptier enforce {quote(made.observes[0])}` {switches}."
        )
    elif made.at > made.made_at:
        yield "It is for a time to come, if nothing happens until then, and cannot be applied."
    elif made.lines:
        does = f"does it, until {stamp(made.until)}"
        if kept is None:
            yield f"`uptier plan -o plan.json` keeps it; `uptier apply plan.json` {does}."
        else:
            yield f"`uptier apply {kept}` {does}."
    if made.passed_over:
        names = ", ".join(made.passed_over)
        yield f"It shows nothing of what only observes; `uptier plan --policy NAME` does: {names}."


def outcome_rows(planned: "ManyPlan", done: "Applied") -> "list[tuple[str, str, str]]":
    """What became of each line of a plan."""
    rows = []
    for line in planned.lines:
        if line.ticket in done.waiting:
            rows.append((line.ticket, "not done yet", done.waiting[line.ticket]))
        else:
            fate, text = done.fates[line.ticket]
            rows.append((line.ticket, fate.removeprefix("plan "), text))
    return rows


def outcome_summary(planned: "ManyPlan", done: "Applied") -> "Iterator[str]":
    """What became of a plan in all, and how to go on."""
    counted = [fate.removeprefix("plan ") for fate, _ in done.fates.values()]
    said = [f"{counted.count(word)} {word}" for word in dict.fromkeys(counted)]
    said += [f"{len(done.waiting)} not done yet"] if done.waiting else []
    yield f"{many(len(planned.lines), 'ticket')}: {', '.join(said) or 'nothing to do'}."
    if done.untold:
        yield f"{many(done.untold, 'notification')} not sent yet; `uptier run` sends what waits."
    if done.waiting:
        yield "Apply it again to go on; nothing is done twice."
