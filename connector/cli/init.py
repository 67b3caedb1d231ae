"""`uptier init`: asks for a helpdesk, looks at it, and writes a first config. It reads there and writes nothing.

What was answered is kept beside the config until all is done, so that a call that was given up goes on there;
secrets are in the keyring, or in the files that were named, and never among it."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    SERVICE,
    AsText,
    Config,
    echo,
    give_up,
    in_form,
    somebody_is_there,
    stamp,
)

if TYPE_CHECKING:
    from adapters.base import Finding, Survey, Vendor
    from connector.config.secrets import Secrets
    from connector.config.settings import Settings
    from connector.config.starter import Ladder, Starter
    from policies.language.document import Document
    from policies.model import Directory

app = typer.Typer()

PARTS = {"first": "--first", "next": "--next", "duty": "--duty"}
ASKED = {
    "first": "Which group works on new tickets",
    "next": "Which group takes an escalated ticket",
    "duty": "Which group answers when nobody else did",
}

KNOWN_AS = {
    "helpdesk": "helpdesk", "url": "address", "account": "called", "kind": "sign-in by", "user": "user",
    "client_id": "OAuth client", "first": "new tickets with", "next": "escalated ones with",
    "duty": "in the end", "listen": "listens on", "outside": "reached by",
}  # fmt: skip
"""How answers are told that an earlier call kept; what is not here is of no use to a reader."""


FIRST_ROWS = 10
"""Rows of what is due that are shown at the end; `uptier due` lists the others."""


class NotThis(Exception):
    """An answer that will not do: which ones are to be asked for again, and why."""

    def __init__(self, why: str, *keys: str, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.keys = keys
        self.secrets = secrets


@dataclass(kw_only=True)
class Answers:
    """What was answered so far: by flags, in an earlier call, or now. `file` holds it until all is done."""

    file: Path
    asks: bool
    given: Mapping[str, str]
    kept: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    needs_human: bool = False
    refused: set[str] = field(default_factory=set)
    """Names of secrets that the helpdesk did not take."""
    stored: set[str] = field(default_factory=set)
    """Names of secrets that this call put into the keyring."""

    @classmethod
    def of(cls, file: Path, given: Mapping[str, str], *, asks: bool) -> "Answers":
        """Go on with what was answered before, if anything was. Flags are remembered at once: whatever this call stops
        at, the next one needs none of them again. ValueError for a file that cannot be read."""
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"kept": {}, "before": {}}
        try:
            kept, before = (
                {str(key): str(value) for key, value in found[part].items()} for part in ("kept", "before")
            )
        except (KeyError, TypeError, AttributeError) as odd:
            raise ValueError(str(odd)) from odd
        answers = cls(file=file, asks=asks, given=given, kept={**kept, **given}, before=before)
        if given and file.parent.is_dir():
            answers._save()
        return answers

    def known(self, key: str) -> str | None:
        """What is known of a question without asking."""
        return self.given.get(key) or self.kept.get(key)

    def keep(self, key: str, value: str) -> None:
        """Remember an answer for the next call too."""
        self.kept[key] = value
        self._save()

    def _save(self) -> None:
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"kept": self.kept, "before": self.before}, out)

    def forget(self, keys: Iterable[str]) -> None:
        """Have these asked for again; what they were is the default then."""
        for key in keys:
            if (before := self.known(key)) is not None:
                self.before[key] = before
            self.kept.pop(key, None)
            self.given = {name: value for name, value in self.given.items() if name != key}
        self._save()

    def ask(
        self,
        key: str,
        flag: str,
        question: str,
        judge: Callable[[str], str],
        default: str | None = None,
        *,
        settles: bool = False,
    ) -> str:
        """The answer to a question, as `judge` makes it, who raises NotThis. Where nobody is there, the default is
        taken if it `settles` the question."""
        known = self.known(key)
        while True:
            if known is None and not self.asks:
                if default is None or not settles:
                    give_up(f"nobody is there to ask: {question}? Say it with {flag}")
                known = default
            said = (
                known if known is not None else typer.prompt(question, default=self.before.get(key, default))
            )
            try:
                value = judge(str(said).strip())
            except NotThis as wrong:
                self.forget([key])
                if not self.asks:
                    give_up(f"{flag}: {wrong}")
                echo(f"  {wrong}")
                known = None
                continue
            self.keep(key, value)
            return value

    def done(self) -> None:
        """All is written; nothing needs to be remembered."""
        self.file.unlink(missing_ok=True)


@app.command(rich_help_panel=SERVICE)
def init(
    helpdesk: Annotated[
        str | None, typer.Option("--helpdesk", metavar="NAME", help="zendesk, freshdesk, servicenow.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="The helpdesk's address, or its YOURS.")] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="What it is called in the config.")
    ] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", metavar="KIND", help="The kind of credentials: docs/config.md.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="For credentials that have a user.")] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="For credentials of an OAuth client.")
    ] = None,
    token_file: Annotated[
        list[str] | None,
        typer.Option(
            "--token-file", metavar="[KEY=]FILE", help="A file that holds a secret; may be repeated."
        ),
    ] = None,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the secrets from standard input, a line each.")
    ] = False,
    first: Annotated[
        str | None, typer.Option("--first", metavar="GROUP", help="Who works on new tickets.")
    ] = None,
    next_: Annotated[
        str | None, typer.Option("--next", metavar="GROUP", help="Who takes an escalated one.")
    ] = None,
    duty: Annotated[
        str | None, typer.Option("--duty", metavar="GROUP", help="Who answers when nobody else did.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Where webhooks and the console will be."),
    ] = None,
    outside: Annotated[
        str | None,
        typer.Option(
            "--outside", metavar="URL", help="The address the helpdesk reaches that by; - for none."
        ),
    ] = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Connect a helpdesk: ask for what is needed, look at it, write a first config in observe, show what is due.

    Nothing is written to the helpdesk. Run again, it goes on where it stopped, or adds another account."""
    flags = {
        "helpdesk": helpdesk, "url": url, "account": account, "kind": auth, "user": user, "client_id": client_id,
        "first": first, "next": next_, "duty": duty, "listen": listen,
        "outside": outside,
    }  # fmt: skip
    given = {key: value for key, value in flags.items() if value}
    with in_form(how, config=str(config)):
        set_up(config, given, tuple(token_file or ()), token_stdin=token_stdin)


def set_up(config: Path, given: Mapping[str, str], files: tuple[str, ...], *, token_stdin: bool) -> NoReturn:
    """Ask what was not given or answered before, and end the call with its exit code."""
    file = config.with_name(f".{config.name}.init")
    goes_on = file.exists()
    try:
        answers = Answers.of(file, given, asks=somebody_is_there() and not token_stdin)
    except (OSError, ValueError):
        give_up(f"{file} cannot be read; remove it to begin anew")
    if goes_on:
        said = answers.before | answers.kept
        told = ", ".join(f"{KNOWN_AS[key]} {value}" for key, value in said.items() if key in KNOWN_AS)
        echo(f"Going on where the last call stopped: {told}. To begin anew, remove {file}")
    lines = sys.stdin.read().splitlines() if token_stdin else []
    try:
        with_files = Handed(files=files, lines=lines)
        needs_human = connect(config, answers, with_files)
    except (KeyboardInterrupt, typer.Abort):
        echo("", "Stopped. `uptier init` goes on from here: what was answered is kept.", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    raise typer.Exit(NEEDS_HUMAN if needs_human else 0)


@dataclass(kw_only=True)
class Handed:
    """Secrets that came by files, as `[KEY=]FILE`, and by standard input."""

    files: tuple[str, ...]
    lines: list[str]

    def file_of(self, key: str) -> Path | None:
        """The file that was named for this secret; one that was named for none is every secret's."""
        named = dict(each.split("=", 1) for each in self.files if re.match(r"[a-z_]+=", each))
        bare = [each for each in self.files if not re.match(r"[a-z_]+=", each)]
        found = named.get(key) or (bare[0] if bare else None)
        return Path(found) if found else None


@dataclass(kw_only=True)
class Seen:
    """What the helpdesk told."""

    findings: "tuple[Finding, ...]"
    directory: "Directory"
    survey: "Survey"


def connect(config: Path, answers: Answers, handed: Handed) -> bool:
    """All of `init`; whether something is left for a human."""
    from connector.config.starter import Starter
    from connector.config.values import vendors
    from policies.language.document import listed

    document = present(config)
    begun = answers.kept.get("account")
    if (
        document is not None
        and answers.kept.get("written") == "yes"
        and begun in document.data.get("accounts", {})
    ):
        return finish(config, str(begun), answers, handed)
    taken = tuple((document.data.get("accounts") or {}) if document else ())
    known = vendors()
    if document is not None:
        echo(f"{config} has {listed(taken, 'and')}; this adds another account at its end.")
    name = answers.ask("helpdesk", "--helpdesk", f"Which helpdesk ({listed(known)})", one_of(known))
    vendor = known[name]
    while True:
        url = ask_address(answers, vendor)
        account = answers.ask(
            "account",
            "--account",
            "What shall it be called here",
            named(taken),
            called_after(url, taken),
            settles=True,
        )
        try:
            secrets, auth = credentials(answers, handed, vendor, account)
            seen = look(config, account, {"adapter": name, "url": url, "auth": auth}, secrets)
            role = next((each for each in seen.findings if each.what == "credentials" and not each.ok), None)
            if role is None or not answers.asks:
                break
            echo(f"NOT {role.what}: {role.text}")
            if not typer.confirm("Look again, once that is mended", default=True):
                break
        except NotThis as wrong:
            echo(*str(wrong).split("\n"))
            take_back(answers, wrong.secrets)
            if not answers.asks:
                which = " or ".join(flag_of(key) for key in wrong.keys)
                echo(
                    f"{f'Say {which} otherwise' if which else 'Mend that'} and run `uptier init` again; it keeps the "
                    "rest.",
                    err=True,
                )
                raise typer.Exit(NEEDS_HUMAN) from None
            answers.forget(wrong.keys)
            answers.refused |= set(wrong.secrets)
            if not wrong.keys:
                typer.confirm("Try again", default=True, abort=True)
    for finding in seen.findings:
        if finding.ok and finding.what == "credentials":
            echo(finding.text)
        elif not finding.ok and not finding.unseen:
            echo(f"{'tip' if finding.hint else 'NOT'} {finding.what}: {finding.text}")
    ladder = ask_groups(answers, seen)
    listen, outside = "127.0.0.1:8080", "-"
    if document is None and answers.known("listen") is None:
        listen = free_port(listen)
    if document is None:
        listen = answers.ask(
            "listen",
            "--listen",
            "Where shall webhooks and the console be, HOST:PORT",
            address,
            listen,
            settles=True,
        )
        outside = answers.ask(
            "outside",
            "--outside",
            "At which https address does the helpdesk reach that, for webhooks (- for none yet)",
            outside_address,
            "-",
            settles=True,
        )
    starter = Starter(
        account=account,
        adapter=name,
        url=url,
        auth=auth,
        ladder=ladder,
        survey=seen.survey,
        has_targets=any(each.what == "sla targets" and each.ok for each in seen.findings),
        listen=listen,
        outside=None if outside == "-" else outside,
        taken=names_in(config) if document else frozenset(),
    )
    write(config, document, starter)
    answers.keep("written", "yes")
    needs_human = answers.needs_human
    needs_human |= any(not (each.ok or each.hint or each.unseen) for each in seen.findings)
    needs_human |= first_round(config, account, secrets)
    answers.done()
    farewell(config, account, auth, secrets)
    return needs_human


def finish(config: Path, account: str, answers: Answers, handed: Handed) -> bool:
    """What was left to do when the file was written already."""
    from connector.cli.common import settings_of

    auth = dict(settings_of(config).accounts[account].auth)
    environ = dict(os.environ)
    for key, ref in auth.items():
        if ref.startswith("secret:"):
            secret(answers, handed, key, ref, environ)
    secrets = secrets_in(environ)
    needs_human = first_round(config, account, secrets)
    answers.done()
    farewell(config, account, auth, secrets)
    return needs_human


def present(config: Path) -> "Document | None":
    """The config file that is there already, None where none is. One with errors is not touched."""
    from connector.config.files import read_file
    from policies.language.document import Problem

    if not config.exists():
        if not config.parent.is_dir():
            give_up(f"{config.parent} is no directory; make it first, or name another with --config")
        return None
    found = read_file(config)
    if isinstance(found, Problem):
        give_up(f"{found}\nIt is left as it is; mend it, or name another file with --config")
    return found


def flag_of(key: str) -> str:
    """The option that answers this question."""
    if key.startswith("file of "):
        return "--token-file"
    return "--auth" if key == "kind" else f"--{key.replace('_', '-')}"


def one_of(known: Iterable[str]) -> Callable[[str], str]:
    """Judges one of these words, in any capitals."""
    from policies.language.document import did_you_mean, listed

    names = tuple(known)

    def judge(said: str) -> str:
        found = next((name for name in names if name.casefold() == said.casefold()), None)
        if found is None:
            hint = did_you_mean(said, names) or f" There are: {listed(names, 'and')}."
            raise NotThis(f'there is no "{said}".{hint}')
        return found

    return judge


def free_port(place: str) -> str:
    """The address, with the next port that no other program has."""
    from connector.app.doctor import of_port

    host, port = place.rsplit(":", 1)
    ports = range(int(port), int(port) + 20)
    return next((f"{host}:{each}" for each in ports if of_port(host, each).ok), place)


def named(taken: Iterable[str]) -> Callable[[str], str]:
    """Judges an account's name."""
    there = tuple(taken)

    def judge(said: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", said):
            raise NotThis("write the name with letters, digits, - and _ only")
        if said in there:
            raise NotThis(
                f"{said} is in the config already; `uptier doctor {said}` looks at it. Take another name"
            )
        return said

    return judge


def called_after(url: str, taken: Iterable[str]) -> str:
    """A name for the account behind this address."""
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    word = re.sub(r"[^a-z0-9-]", "", host.split(".")[0]) if not host[:1].isdigit() else ""
    names = (word or "helpdesk", *(f"{word or 'helpdesk'}-{number}" for number in range(2, 100)))
    return next(name for name in names if name not in set(taken))


def ask_address(answers: Answers, vendor: "Vendor") -> str:
    """The helpdesk's address, where somebody answers."""
    import httpx
    from pydantic_core import PydanticCustomError

    from connector.app.doctor import knock, why
    from connector.clock import TELLING, said
    from connector.config.values import helpdesk_url

    def judge(text: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9-]+", text):
            text = vendor.address.replace("YOURS", text)
        if "://" not in text:
            text = f"https://{text}"
        try:
            url = helpdesk_url(text)
            skew = knock(url)
        except PydanticCustomError as error:
            raise NotThis(str(error)) from None
        except httpx.HTTPError as error:
            raise NotThis(f"{text}: {why(error)}") from None
        if skew is not None and abs(skew) > TELLING:
            echo(f"NOT clock: {said(skew)}")
            answers.needs_human = True
        return url

    example = vendor.address
    return answers.ask("url", "--url", f"Its address, such as {example} (YOURS alone will do)", judge)


def credentials(
    answers: Answers, handed: Handed, vendor: "Vendor", account: str
) -> "tuple[Secrets, dict[str, str]]":
    """The table `auth`, with a reference for each secret, and who knows the secrets behind them."""
    from connector.config.problems import SECRET_KEY
    from policies.language.document import listed

    kinds = tuple(vendor.auth)
    if answers.asks and answers.known("kind") is None:
        if vendor.user:
            echo(f"A user for Uptier alone. {vendor.user}")
        for kind in kinds:
            echo(f"  {kind}: {vendor.auth[kind].clicks or listed(vendor.auth[kind].needed, 'and')}")
    if len(kinds) == 1 and answers.known("kind") is None:
        answers.keep("kind", kinds[0])
    kind = answers.ask(
        "kind", "--auth", f"How to sign in ({listed(kinds)})", one_of(kinds), kinds[0], settles=True
    )
    auth = {"kind": kind}
    keys = vendor.auth[kind].needed
    if answers.known("user") and "user" not in keys:  # another grant of the same client
        keys += tuple(key for key in vendor.auth[kind].also if key in {"user", "password"})
    for key in keys:
        if not SECRET_KEY.search(key):
            auth[key] = answers.ask(key, f"--{key.replace('_', '-')}", f"{key}", not_empty)
    environ = dict(os.environ)
    for key in keys:
        if SECRET_KEY.search(key):
            auth[key] = f"secret:{account}-{key.replace('_', '-')}"
            secret(answers, handed, key, auth[key], environ)
    return secrets_in(environ), auth


def not_empty(said: str) -> str:
    """Judges any text."""
    if not said:
        raise NotThis("this is needed")
    return said


def address(said: str) -> str:
    """Judges where to listen."""
    from pydantic_core import PydanticCustomError

    from connector.app.doctor import of_port
    from connector.config.values import host_and_port, listen_address

    try:
        place = listen_address(said)
    except PydanticCustomError as error:
        raise NotThis(str(error)) from None
    host, port = host_and_port(place)
    if port and not (free := of_port(host, port)).ok:
        raise NotThis(free.text)
    return place


def outside_address(said: str) -> str:
    """Judges the address that the helpdesk posts to."""
    from pydantic_core import PydanticCustomError

    from connector.config.values import outside_url

    if said == "-":
        return said
    try:
        return outside_url(said if "://" in said else f"https://{said}")
    except PydanticCustomError as error:
        raise NotThis(str(error)) from None


def secrets_in(environ: Mapping[str, str]) -> "Secrets":
    """The secrets of this environment; what is logged meanwhile goes to standard error with them masked."""
    import logging

    from connector import logs
    from connector.clock import SystemClock
    from connector.config.secrets import Secrets

    masker = logs.Masker()
    logs.configure(masker, SystemClock(), sys.stderr, logging.WARNING, style=logs.SENTENCES)
    return Secrets(masker, environ)


def secret(answers: Answers, handed: Handed, key: str, ref: str, environ: dict[str, str]) -> None:
    """Have one secret where `environ`, or the keyring, gives it: from the file or the line that was handed over, as it
    is kept already, or by asking."""
    from connector.config.secrets import SecretError, secret_name, variable_of

    name = secret_name(ref)
    file = handed.file_of(key) or (Path(kept) if (kept := answers.known(f"file of {name}")) else None)
    if file is not None:
        environ[f"{variable_of(name)}_FILE"] = str(file.absolute())
        environ.pop(variable_of(name), None)
        try:
            value = secrets_in(environ).get(ref)
        except SecretError as error:
            raise NotThis(str(error), f"file of {name}") from None
        answers.keep(f"file of {name}", str(file.absolute()))
        keep_secret(name, value, environ)
        return
    if handed.lines:
        value = handed.lines.pop(0).strip()
        if not value:
            give_up(f"standard input holds an empty line where {key} should be")
        keep_secret(name, value, environ)
        environ[variable_of(name)] = value
        return
    try:
        source = secrets_in(environ).source(ref)
    except SecretError:
        source = ""
    if source and name not in answers.refused:
        echo(f"{key}: secret {name} is kept already ({source}).")
        return
    if source and not source.startswith("keyring"):
        give_up(f"{key}: the helpdesk does not take what {source} holds; correct it there")
    if not answers.asks:
        give_up(f"nobody is there to ask for {key}: give it with --token-file FILE, or --token-stdin")
    value = ""
    while not value:
        # with a default an empty line comes back here; without one it is asked for again in silence
        value = typer.prompt(
            f"{key}, which is not shown", hide_input=True, default="", show_default=False
        ).strip()
        if not value:
            echo("  this is needed")
    answers.refused.discard(name)
    if keep_secret(name, value, environ):
        answers.stored.add(name)
        return
    file = keep_in_file(answers, name, value)
    if file is None:
        environ[variable_of(name)] = value
    else:
        environ[f"{variable_of(name)}_FILE"] = str(file)


def keep_in_file(answers: Answers, name: str, value: str) -> Path | None:
    """Keep a secret in a file that only this user can read, where somebody wants that; no file is overwritten."""
    question = "This machine has no keyring. A new file to keep it in, for you alone to read; - for none"
    while True:
        said = typer.prompt(question, default=f"{name}.secret").strip()
        if said == "-":
            return None
        file = Path(said).absolute()
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(value + "\n")
        except OSError as error:
            echo(f"  {file}: {error.strerror}; name another")
            continue
        answers.keep(f"file of {name}", str(file))
        answers.keep(f"made for {name}", str(file))
        return file


def take_back(answers: Answers, refused: Iterable[str]) -> None:
    """Leave no secret that the helpdesk refused where `init` itself put it; files and variables of others stay."""
    for name in refused:
        if (made := answers.kept.get(f"made for {name}")) is not None:
            Path(made).unlink(missing_ok=True)
            answers.forget([f"made for {name}", f"file of {name}"])
            answers.before.pop(f"made for {name}", None)
        if name in answers.stored:
            answers.stored.remove(name)
            secrets_in(os.environ).remove(name)


def keep_secret(name: str, value: str, environ: Mapping[str, str]) -> bool:
    """Put it into the keyring, if this machine has one; whether it is there now."""
    from connector.config.secrets import SecretError

    try:
        secrets_in(environ).store(name, value)
    except SecretError:
        return False
    return True


def look(config: Path, account: str, table: Mapping[str, Any], secrets: "Secrets") -> Seen:
    """What the helpdesk tells of us and of itself. Raises NotThis where an answer must be another one."""
    from adapters.base import AccessLost, HelpdeskError, Survey, Surveyor
    from connector.app.compose import open_desk
    from connector.app.doctor import placed
    from connector.clock import SystemClock
    from connector.config.secrets import secret_name

    settings = settings_with(config, account, table)
    secret_names = [secret_name(ref) for ref in table["auth"].values() if ref.startswith("secret:")]
    sign_in = ("url", "kind", "user", "client_id", *(f"file of {name}" for name in secret_names))
    echo(f"Looking at {table['url']} (reading only) ...")
    try:
        adapter = open_desk(account, settings, SystemClock(), secrets).adapter
        findings = tuple(placed(each, settings.accounts[account]) for each in adapter.probe())
        for each in findings:
            if not each.ok and each.fatal:
                raise NotThis(each.text, *sign_in, secrets=tuple(secret_names))
            if not each.ok and each.what == "access":
                raise NotThis(each.text, "url")
        directory = adapter.directory()
        survey = adapter.survey() if isinstance(adapter, Surveyor) else Survey()
    except AccessLost as error:
        raise NotThis(str(error), *sign_in, secrets=tuple(secret_names)) from None
    except ValueError as error:
        raise NotThis(str(error), *sign_in) from None
    except HelpdeskError as error:
        raise NotThis(f"{table['url']}: groups and people cannot be read: {error}") from None
    return Seen(findings=findings, directory=directory, survey=survey)


def settings_with(config: Path, account: str, table: Mapping[str, Any]) -> "Settings":
    """Settings of this account alone, as they will be."""
    from connector.config.settings import Settings

    said = {"service": {}, "accounts": {account: table}}
    return Settings.model_validate(said, context={"folder": config.parent.absolute()})


def ask_groups(answers: Answers, seen: Seen) -> "Ladder":
    """Who does what, by the account's own group names."""
    from connector.config.starter import Ladder, suggested

    groups = [group.name for group in seen.directory.groups]
    if not groups:
        echo(
            "No group is shown to Uptier's user; make one, or let that user see them, and run `uptier init` again."
        )
        raise typer.Exit(NEEDS_HUMAN)
    guess = suggested(seen.directory)
    echo(f"{len(groups)} groups: {', '.join(groups)}")
    chosen = {
        part: answers.ask(part, flag, ASKED[part], one_of(groups), getattr(guess, part), settles=True)
        for part, flag in PARTS.items()
    }
    return Ladder(**chosen)


def names_in(config: Path) -> frozenset[str]:
    """What the files call their policies, calendars and texts."""
    from connector.config.files import read_files

    found: set[str] = set()
    for document in read_files(config).documents:
        for table in ("calendars", "templates"):
            found.update(document.data.get(table) or ())
        found.update(
            str(each.get("name")) for each in document.data.get("policy") or () if isinstance(each, dict)
        )
    return frozenset(found)


def write(config: Path, document: "Document | None", starter: "Starter") -> None:
    """A new file, or the account at the end of the one that is there, all of which stays as it is."""
    from connector.config import enforcing
    from connector.config.starter import added, new_file
    from policies.language.document import Problem, read

    try:
        if document is None:
            with config.open("x", encoding="utf-8") as out:
                out.write(new_file(starter))
            echo(f"Written: {config}")
            return
        before = enforcing.text_of(config)
        text = before.rstrip("\n") + "\n" + added(starter)
        after = read(str(config), text)
        if isinstance(after, Problem) or starter.account not in after.data.get("accounts", {}):
            echo(*added(starter).split("\n"))
            give_up(
                f"{config} is left as it is: its tables are written so that nothing can be put at the end. "
                "Put the lines above where they belong"
            )
        enforcing.write({config: text})
    except OSError as error:
        give_up(f"{config} cannot be written: {error.strerror}")
    echo(f"Added to the end of {config}: {starter.account}. What stood there is as it was.")


def first_round(config: Path, account: str, secrets: "Secrets") -> bool:
    """List the open tickets, look at them, and print what is due; whether that left something for a human. Nothing is
    done where something of this config is enforced: a round would write."""
    from connector.app.service import Service
    from connector.cli.common import loaded_with_directory
    from connector.cli.tickets import due
    from connector.clock import SystemClock
    from connector.config.secrets import SecretError
    from connector.store.sqlite import AlreadyRunning

    loaded = loaded_with_directory(config, names=False)
    for problem in loaded.problems:
        echo(str(problem))
    settings, policies = loaded.settings, loaded.policies
    if settings is None or policies is None:
        echo(f"{config} has errors; correct them, and `uptier check` says when it is well.", err=True)
        return True
    for each in policies.policies:
        if any(policies.mode(each, one) == "enforce" for one in settings.accounts):
            echo("Something is enforced here, so no round is made now: `uptier run` takes the account up.")
            return False
    try:
        with Service(settings, policies, SystemClock(), secrets, tests=loaded.tests) as service:
            summary = service.once(lambda text: echo(text, err=True))
    except AlreadyRunning as running:
        echo(f"{running}; stop it and start it again, and it takes the account up.")
        return False
    except SecretError as error:  # of another account, or of a channel
        echo(*f"No round is made now. {error}".split("\n"))
        return True
    echo(*summary.lines())
    echo("", "What is due, by `uptier due`:")
    due(account=account, config=config, limit=FIRST_ROWS)
    if summary.waits_until is not None:
        echo(
            "",
            "Nothing is wrong: what was not done yet waits for its share of the helpdesk's requests. "
            f"`uptier run --once` goes on with it from {stamp(summary.waits_until)} on, and `uptier run` by itself.",
        )
        return False
    return bool(summary.needs_human)


def farewell(config: Path, account: str, auth: Mapping[str, str], secrets: "Secrets") -> None:
    """How secrets reach the next command, and what to do next."""
    from connector.config.secrets import secret_name, variable_of

    exports = []
    for ref in auth.values():
        if not ref.startswith("secret:"):
            continue
        name, source = secret_name(ref), secrets.source(ref)
        variable = variable_of(name)
        if source.startswith("keyring"):
            echo("", f"Secret {name} is in the keyring.")
        elif (file := secrets.file_of(ref)) is not None:
            exports.append(f"    export {variable}_FILE={quote(str(file))}")
            echo("", f"Secret {name} is in {file}; a container or a unit needs that variable too.")
        else:
            echo(
                "",
                f"Secret {name} is not in a keyring of this machine. Give it to every command, and to a container, as",
                f"    {variable}_FILE=/path/to/a/file/that/you/alone/can/read",
                f"or in {variable}, or by systemd's LoadCredential={name}:/path.",
            )
    elsewhere = "" if config == CONFIG else f" --config {config}"
    echo(
        "",
        "Next:",
        *exports,
        f"    uptier explain {account}/ID{elsewhere}    why a ticket is due, or is not",
        f"    uptier doctor{elsewhere}    whether all is well, and the way to mend what is not",
        f"    uptier run{elsewhere}    keeps watching; nothing is written while mode is observe",
        f"    uptier enforce POLICY{elsewhere}    shows what it would write, and lets one policy write",
    )
