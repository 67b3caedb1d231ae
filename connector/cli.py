"""The command line: reads arguments, calls one part, prints, and answers with an exit code.

0 done, 1 something needs a human, 2 the configuration or the call is wrong. Heavy parts are imported inside
the commands, so that `--help` is quick.
"""

import json
import os
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from connector.service import Service
    from connector.settings import Loaded, Settings
    from connector.store.database import Store
    from policies.known import Known
    from policies.model import TicketRef
    from policies.policy import PolicySet

NEEDS_HUMAN = 1
WRONG = 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Escalation beside your helpdesk.",
)
secret = typer.Typer(no_args_is_help=True, help="Secrets in this machine's keyring.")
app.add_typer(secret, name="secret")

Config = Annotated[
    Path, typer.Option("--config", envvar="UPTIER_CONFIG", help="The config file.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
TicketName = Annotated[str, typer.Argument(metavar="ACCOUNT/ID", help="A ticket, for example acme/4711.")]
CONFIG = Path("uptier.toml")


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        typer.echo(f"uptier {version('uptier')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False,
) -> None:
    """Escalation beside your helpdesk."""


@app.command()
def run(
    config: Config = CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Work until nothing is due, then stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the service, or one round of it with --once."""
    from connector import logs
    from connector.clock import SystemClock
    from connector.secrets import SecretError, Secrets
    from connector.service import CannotListen, Service
    from connector.store.database import StoreTrouble
    from connector.store.lock import AlreadyRunning

    settings, policies = checked(config)
    masker, clock = logs.Masker(), SystemClock()
    logs.configure(masker, clock, sys.stderr)
    try:
        with Service(settings, policies, clock, Secrets(masker, os.environ)) as service:
            if once:
                summary = service.once(lambda text: typer.echo(text, err=True))
                typer.echo(json.dumps(summary.as_json()) if as_json else "\n".join(summary.lines()))
                raise typer.Exit(NEEDS_HUMAN if summary.needs_human else 0)
            serve(service)
    except (SecretError, StoreTrouble, AlreadyRunning, CannotListen, ValueError) as error:
        give_up(str(error))


def serve(service: "Service") -> None:
    """Run until Ctrl-C or SIGTERM, then let what is under way end."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    typer.echo(f"listening on {service.start()}; stop with Ctrl-C", err=True)
    stopping.wait()
    service.stop()


@app.command()
def check(
    config: Config = CONFIG,
    online: Annotated[bool, typer.Option("--online", help="Ask the helpdesks too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the config and policy files: every problem with file and line."""
    loaded = loaded_with_directory(config)
    problems = loaded.problems
    wrong = any(problem.severity == "error" for problem in problems)
    findings = probe(loaded.settings) if online and not wrong and loaded.settings else []
    if as_json:
        rows = [
            {name: getattr(p, name) for name in ("file", "line", "code", "severity", "message")}
            for p in problems
        ]
        typer.echo(json.dumps({"problems": rows, "findings": findings}))
    else:
        for problem in problems:
            typer.echo(str(problem))
        for finding in findings:
            mark = "ok " if finding["ok"] else "NOT"
            typer.echo(f"{mark} {finding['account']}: {finding['what']}: {finding['text']}")
        if not wrong and loaded.policies is not None:
            typer.echo(f"{config}: {len(loaded.policies.policies)} policies, no errors")
    if wrong:
        raise typer.Exit(WRONG)
    if any(not finding["ok"] and finding["fatal"] for finding in findings):
        raise typer.Exit(NEEDS_HUMAN)


@app.command()
def explain(ticket: TicketName, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Say why a ticket is where it is: the trace of the last look at it."""
    from connector.store import codec, tickets
    from policies.explain import explain as in_words
    from policies.plan import PolicyTrace

    ref = ticket_ref(ticket)
    store = opened(config)
    with store.reading() as connection:
        known = tickets.known(connection, ref)
    store.close()
    if known is None:
        give_up(f"{ref} has not been seen; is the account right, and has `uptier run` listed its tickets?")
    if as_json:
        typer.echo(codec.dump(tuple[PolicyTrace, ...], known.trace))
        return
    owner = f" Owner: {known.owner}." if known.owner else ""
    typer.echo(f"{ref}: {known.ticket.subject}\nLooked at {stamp(known.seen_at)}.{owner}\n")
    typer.echo(in_words(known.trace) if known.trace else "No policy can match this ticket.")


@app.command()
def history(ticket: TicketName, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List what happened to a ticket: when, how and to whom."""
    from dataclasses import asdict

    from connector.store import ledger

    ref = ticket_ref(ticket)
    store = opened(config)
    with store.reading() as connection:
        lines = ledger.of_ticket(connection, ref)
    store.close()
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines]))
        return
    for line in lines:
        place = " / ".join(part for part in (line.policy, line.level) if part)
        owner = f", owner {line.owner}" if line.owner else ""
        said = f": {line.text}" if line.text else ""
        typer.echo(f"{stamp(line.at)}  {line.what:14} {place}{owner}{said}")
    if not lines:
        typer.echo(f"nothing has happened to {ref}")


@secret.command("set")
def set_secret(name: Annotated[str, typer.Argument(help="As in secret:NAME.")]) -> None:
    """Keep a secret in the keyring. It is read from standard input, or asked for."""
    from connector.logs import Masker
    from connector.secrets import SecretError, Secrets

    value = typer.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    try:
        Secrets(Masker(), os.environ).store(name, value)
    except SecretError as error:
        give_up(str(error))
    typer.echo(f"secret:{name} is kept in the keyring")


@app.command()
def demo() -> None:
    """Play one story in seconds, on simulated helpdesks on this machine."""
    from connector.demo import play

    raise typer.Exit(play(typer.echo))


def checked(config: Path) -> "tuple[Settings, PolicySet]":
    """The config without errors; otherwise its problems are printed and the call ends."""
    loaded = loaded_with_directory(config)
    for problem in loaded.problems:
        typer.echo(str(problem), err=True)
    if loaded.settings is None or loaded.policies is None:
        give_up(f"{config} has errors; `uptier check` lists them")
    return loaded.settings, loaded.policies


def loaded_with_directory(config: Path) -> "Loaded":
    """The config, its groups and people judged by the last directories in the database, if there is one."""
    from connector.settings import load

    first = load(config)
    known = known_directories(first)
    return load(config, known) if known is not None else first


def known_directories(loaded: "Loaded") -> "Known | None":
    """The directories as last read, or None where no database is yet."""
    from connector.store import directories
    from connector.store.database import StoreTrouble, open_store
    from policies.known import Known, KnownAccount

    if loaded.settings is None:
        return None
    url = loaded.settings.service.database
    if not Path(url.removeprefix("sqlite:///")).exists():
        return None
    try:
        store = open_store(url)
    except StoreTrouble as trouble:
        give_up(str(trouble))
    with store.reading() as connection:
        read = {name: directories.read(connection, name) for name in loaded.settings.accounts}
    store.close()
    return Known(
        accounts={name: KnownAccount.of(one.directory) for name, one in read.items() if one is not None}
    )


def probe(settings: "Settings") -> list[dict[str, Any]]:
    """What each helpdesk says of our access to it."""
    from adapters.base import HelpdeskError
    from connector.clock import SystemClock
    from connector.logs import Masker
    from connector.secrets import SecretError, Secrets
    from connector.service import open_desk

    findings: list[dict[str, Any]] = []
    for name in settings.accounts:
        try:
            desk = open_desk(name, settings, SystemClock(), Secrets(Masker(), os.environ))
            said = [(each.what, each.ok, each.text, each.fatal) for each in desk.adapter.probe()]
        except (HelpdeskError, SecretError, ValueError) as error:
            said = [("access", False, str(error), True)]
        findings += [
            {"account": name, "what": what, "ok": ok, "text": text, "fatal": fatal}
            for what, ok, text, fatal in said
        ]
    return findings


def opened(config: Path) -> "Store":
    """The database of this config, to read from."""
    from connector.store.database import StoreTrouble, open_store

    settings, _ = checked(config)
    try:
        return open_store(settings.service.database)
    except StoreTrouble as trouble:
        give_up(str(trouble))


def ticket_ref(text: str) -> "TicketRef":
    """The ticket named on the command line."""
    from policies.model import TicketRef

    try:
        return TicketRef.parse(text)
    except ValueError as error:
        give_up(str(error))


def stamp(at: int) -> str:
    """An instant in this machine's time zone."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def give_up(text: str) -> NoReturn:
    """Say what is wrong and stop with exit code 2."""
    typer.echo(f"uptier: {text}", err=True)
    raise typer.Exit(WRONG)
