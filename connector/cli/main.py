"""The command line: reads arguments, calls one part, prints, and answers with an exit code.

0 done, 1 something needs a human, 2 the configuration or the call is wrong. Heavy parts are imported inside
the commands, so that `--help` is quick.
"""

import os
import signal
import sys
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connector.cli import (
    connect,
    doctor,
    documents,
    imports,
    init,
    notify,
    orders,
    past,
    plan,
    records,
    tickets,
    undo,
    users,
)
from connector.cli.common import (
    COMPLETES,
    CONFIG,
    NEEDS_HUMAN,
    PEOPLE,
    POLICIES,
    SERVICE,
    WRONG,
    AsRows,
    AsText,
    Commands,
    Config,
    ConfigBefore,
    Listing,
    before_command,
    echo,
    give_up,
    in_form,
    known_directories,
    loaded_with_directory,
    opened,
    progress,
    put_json,
    put_rows,
    put_text,
    secrets_here,
    settings_of,
)
from connector.render import many

if TYPE_CHECKING:
    from connector.app.service import Service
    from connector.config.settings import Settings
    from policies.language.policy import PolicySet
    from policies.policy_tests import PolicyTest


Wait = Annotated[
    str, typer.Option("--wait", metavar="TIME", help="How long PostgreSQL is waited for, such as 90s or 5m.")
]
TAKES_UP = 15.0
"""Real seconds in which a running service has read its policies again."""

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # loading it takes as long as all the rest of `--help`
    help="Escalation beside your helpdesk.",
)
secret = typer.Typer(no_args_is_help=True, help="Secrets in this machine's keyring.", callback=before_command)
app.add_typer(init.app)
app.add_typer(doctor.app)
app.add_typer(tickets.app)
app.add_typer(orders.app)
app.add_typer(plan.app)
app.add_typer(undo.app)
app.add_typer(past.app)
app.add_typer(documents.app)
app.add_typer(records.app)
app.add_typer(notify.app)
app.add_typer(connect.app)
app.add_typer(imports.app)
app.add_typer(users.app, name="user", rich_help_panel=PEOPLE)
app.add_typer(secret, name="secret", rich_help_panel=SERVICE)


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        from importlib.metadata import version

        echo(f"uptier {version('uptier')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False,
    _config: ConfigBefore = None,
) -> None:
    """Escalation beside your helpdesk."""


@app.command(rich_help_panel=SERVICE)
def run(
    config: Config = CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Work until nothing is due, then stop.")] = False,
    roles: Annotated[
        str | None,
        typer.Option(
            "--roles",
            metavar="NAMES",
            help="On PostgreSQL: what this process does, of receiver, worker, poller and console, with commas between.",
        ),
    ] = None,
    wait: Wait = "1m",
    how: AsText = "text",
) -> None:
    """Run the service, or one round of it with --once."""
    from connector import logs
    from connector.app.compose import ALL, roles_named
    from connector.app.listener import CannotListen
    from connector.app.service import Service
    from connector.clock import SystemClock
    from connector.config.secrets import SecretError, Secrets
    from connector.store.sqlite import AlreadyRunning

    orders: SimpleQueue[int] = SimpleQueue()
    if not once:  # asked to read the policies again while still starting, it does so as soon as it runs
        signal.signal(signal.SIGHUP, lambda given, _: orders.put(given))
    first = settings_of(config)
    wait_for(first, wait)
    migrate_file(first)
    settings, policies, tests = told(config)
    masker, clock = logs.Masker(), SystemClock()
    logs.configure(masker, clock, sys.stderr)
    try:
        does = ALL if roles is None else roles_named(roles)
        with Service(
            settings, policies, clock, Secrets(masker, os.environ), does, tests, config=config
        ) as service:
            if once:
                with progress() as told_how_far:
                    summary = service.once(told_how_far)
                if how == "json":
                    put_json(summary.as_json())
                else:
                    echo(*summary.lines())
                raise typer.Exit(NEEDS_HUMAN if summary.needs_human else 0)
            serve(service, config, orders)
    except (SecretError, AlreadyRunning, CannotListen, ValueError) as error:
        give_up(str(error))


def serve(service: "Service", config: Path, orders: "SimpleQueue[int]") -> None:
    """Run until Ctrl-C or SIGTERM, then let what is under way end. SIGHUP reads the policies again."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _: orders.put(given))
    url = service.start()
    echo(f"listening on {url}; stop with Ctrl-C", err=True)
    if sys.stdout.isatty() and (path := service.invitation()) is not None:
        echo(f"nobody may log in yet. Make the first administrator, once and within ten minutes: {url}{path}")
    while next_of(orders) == signal.SIGHUP:
        service.reload(loaded_with_directory(config, names=False))
    service.stop()


def next_of(orders: "SimpleQueue[int]") -> int:
    """The next signal. Looked for every second: one that another thread was given wakes nobody here."""
    while True:
        try:
            return orders.get(timeout=1.0)
        except Empty:
            continue


def told(config: Path) -> "tuple[Settings, PolicySet, tuple[PolicyTest, ...]]":
    """The config with its warnings printed, for what starts to run it; with an error in it the call ends. A name that
    a helpdesk does not have is none: its level waits."""
    loaded = loaded_with_directory(config, names=False)
    for problem in loaded.problems:
        echo(str(problem), err=True)
    if loaded.settings is None or loaded.policies is None:
        give_up(f"{config} has errors; `uptier check` lists them")
    return loaded.settings, loaded.policies, loaded.tests


def migrate_file(settings: "Settings") -> None:
    """Bring a SQLite file to this version's tables before the config is judged by what it holds."""
    from connector.app.databases import migrate_database
    from connector.store.opening import file_of

    if file_of(settings.service.database) is not None:
        done = migrate_database(settings, secrets_here())
        if done.copy is not None:
            echo(f"uptier: the database stood at {done.found}; as it was it stands in {done.copy}", err=True)


def wait_for(settings: "Settings", patience: str) -> None:
    """Come back once the database answers; say meanwhile that it does not."""
    from connector.app.databases import wait_for_database
    from connector.clock import SystemClock
    from policies.model import seconds

    try:
        longest = seconds(patience)
    except ValueError as error:
        give_up(f"--wait: {error}")
    wait_for_database(
        settings, secrets_here(), SystemClock(), longest, lambda text: echo(f"uptier: {text}", err=True)
    )


@app.command(rich_help_panel=SERVICE)
def migrate(config: Config = CONFIG, wait: Wait = "1m", how: AsText = "text") -> None:
    """Make the database, or bring it to this version's tables. A SQLite file is copied before; of PostgreSQL make a
    dump first."""
    from connector.app.databases import migrate_database
    from connector.store.trouble import NoDatabase, OtherVersion

    settings = settings_of(config)
    try:
        wait_for(settings, wait)
    except NoDatabase:
        pass
    except OtherVersion as trouble:
        echo(
            f"uptier: {trouble}",
            "Uptier makes no copy of a PostgreSQL database: make a dump first.",
            err=True,
        )
        if sys.stdin.isatty():
            typer.confirm("There is a dump; go on", abort=True)
    with progress() as tell:
        tell(f"{config}: the database is being made ready")
        done = migrate_database(settings, secrets_here())
    said = [f"{config}: the database is ready" + (f" (it stood at {done.found})" if done.found else "")]
    if done.copy is not None:
        said.append(f"as it was before it stands in {done.copy}")
    if done.stops_older:
        said.append("nodes of the version before take no more work; replace them now")
    put_text(how, *said, stood_at=done.found, copy=str(done.copy) if done.copy else None)


@app.command("reload", rich_help_panel=SERVICE)
def reload_policies(config: Config = CONFIG, how: AsText = "text") -> None:
    """Have the running service read its policies again; one with errors leaves the old ones running."""
    from connector.app.canary import changed_results, results
    from connector.clock import SystemClock
    from connector.store import accounts, played
    from connector.store.sqlite import holder

    settings, policies, tests = told(config)
    with opened(config) as store:
        if store.path is None:
            give_up("many processes may run on this database; send each of them SIGHUP (docs/operations.md)")
        process = holder(store.path)
        if process is None:
            give_up(f"no uptier runs on {settings.service.database}; `uptier run` starts one")
        os.kill(process, signal.SIGHUP)
        until = time.monotonic() + TAKES_UP
        taken = False
        while not taken and time.monotonic() < until:
            with store.reading() as connection:
                taken = accounts.read_cursor(connection, "", "policies") == policies.hash
            time.sleep(0 if taken else 0.1)
        if taken:  # the service keeps the same a moment later
            found, failed = results(tests, policies, settings.accounts)
            with store.writing() as connection:
                played.keep(connection, found, SystemClock().now())
                others = changed_results(connection)
    if not taken:
        echo(f"process {process} did not take the policies up; see its log", err=True)
        raise typer.Exit(NEEDS_HUMAN)
    put_text(
        how,
        f"process {process} runs {len(policies.policies)} policies, hash {policies.hash}",
        *(f'test "{each.name}" ({each.place}) fails: {each.why}' for each in failed),
        *documents.told_changes(others),
        "a changed [service] or [accounts] needs a restart of `uptier run`: those are read at its start only",
        process=process,
        policies=len(policies.policies),
        hash=policies.hash,
    )


@app.command(rich_help_panel=POLICIES)
def check(
    config: Config = CONFIG,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    how: AsRows = "table",
) -> None:
    """Check the config and policy files: every problem with file and line. `uptier doctor` asks the helpdesks too."""
    from datetime import datetime

    from connector.config.advice import advice, unread, weak_secrets, without_test
    from policies.language.document import listed

    loaded = loaded_with_directory(config)
    today = datetime.now().astimezone().date()
    problems = (*loaded.problems, *weak_secrets(loaded, secrets_here()), *advice(loaded, today))
    if loaded.settings and loaded.policies:
        read = known_directories(loaded.settings)
        problems = (*problems, *unread(loaded.settings, loaded.policies, loaded.documents[0], read))
    untested = without_test(loaded)
    wrong = any(strict or problem.severity == "error" for problem in problems)
    head = ("file", "line", "severity", "code", "message")
    rows = [[getattr(problem, name) for name in head] for problem in problems]
    said = []
    if not wrong and loaded.policies is not None:
        said.append(f"{config}: {many(len(loaded.policies.policies), 'policy', 'policies')}, no errors")
        if untested:
            names = listed([f'"{name}"' for name in untested], "and")
            said.append(f"tip {len(untested)} without a test (`uptier test`): {names}")
    put_rows(
        Listing(
            title=f"What is wrong with {config}",
            head=head,
            rows=rows,
            value={
                "problems": [dict(zip(head, row, strict=True)) for row in rows],
                "untested": untested,
            },
            said=tuple(said),
            lines=(*map(str, problems), *said),
        ),
        how,
    )
    if wrong:
        raise typer.Exit(WRONG)


@secret.command("set")
def set_secret(name: Annotated[str, typer.Argument(help="As in secret:NAME.")], how: AsText = "text") -> None:
    """Keep a secret in the keyring. It is read from standard input, or asked for."""
    from connector.config.secrets import SecretError, Secrets
    from connector.logs import Masker

    value = typer.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    try:
        Secrets(Masker(), os.environ).store(name, value)
    except SecretError as error:
        give_up(str(error))
    put_text(how, f"secret:{name} is kept in the keyring", secret=name)


@app.command(rich_help_panel=SERVICE)
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Whose.", metavar="bash|zsh|fish")],
    how: AsText = "text",
) -> None:
    """Print what a shell needs to complete commands and options: for its start-up file, docs/command-line.md."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name="uptier", complete_var=COMPLETES, shell=shell)
    put_text(how, *script.split("\n"), shell=shell)


@app.command(rich_help_panel=SERVICE)
def demo(how: AsText = "text") -> None:
    """Play one story in seconds, on simulated helpdesks on this machine."""
    from connector.demo import play

    with in_form(how):
        raise typer.Exit(play(lambda text: echo(*text.split("\n"))))
