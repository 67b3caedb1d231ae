"""The commands that carry rules over from elsewhere: `import zendesk-automations` and `import oncall`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    POLICIES,
    AsText,
    Config,
    Output,
    TextFormat,
    before_command,
    complete_account,
    echo,
    give_up,
    known_directories,
    named,
    put_out,
    put_text,
    secrets_beside_trouble,
    settings_of,
)
from connector.render import one_line

if TYPE_CHECKING:
    from adapters.carry import Carried, Names
    from connector.config.importing import Imported
    from policies.language.document import Document
    from policies.language.references import Known

app = typer.Typer()
imports = typer.Typer(
    no_args_is_help=True, help="Policies out of rules that were kept elsewhere.", callback=before_command
)
app.add_typer(imports, name="import", rich_help_panel=POLICIES)

For = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="The account that the policies are to serve.",
        autocompletion=complete_account,
    ),
]

OBSERVES = (
    "Every policy observes: see with `uptier due` and `uptier backtest` what it would do, switch the old rule off, and "
    "`uptier enforce` it then."
)
ONCE = (
    "A policy acts once while its conditions hold, and again once they have failed and hold again; it never takes "
    "back what a person changed after it. Assigning a group keeps the assignee who is a member of it."
)


@imports.command("zendesk-automations")
def zendesk_automations(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|ACCOUNT",
            help="An export of Zendesk's API as JSON, or an account to read.",
            autocompletion=complete_account,
        ),
    ],
    mail_as_note: Annotated[
        bool,
        typer.Option("--mail-as-note", help="Make an internal note of mail to the assignee or the group."),
    ] = False,
    output: Output = None,
    account: For = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Write the policies that Zendesk's triggers, automations and SLA policies correspond to, and of all others why
    they do not. The account is only read."""
    from adapters.carry import Names
    from connector.config.values import vendors

    carry = vendors()["zendesk"].carry
    if carry is None:
        give_up("the Zendesk adapter that is installed carries nothing over")
    path = Path(source)
    if path.is_file() or path.suffix:
        documents, known = beside(config, account)
        names = Names(
            fields={number: name for name, number in said_of(documents, account, "fields").items()},
            statuses=said_of(documents, account, "statuses"),
            mail_as_note=mail_as_note,
        )
        rules = carried(lambda export: carry(export, names), path)
        finish(rules, path.name, account, documents, output, how, known=known)
        return
    rules, requests = read_account(source, config, carry, mail_as_note=mail_as_note)
    echo(f"{source}: read with {requests} requests; nothing was changed", err=True)
    documents, _ = beside(config, account or source)  # what it names is what the account told
    finish(rules, f"the account {source}", account or source, documents, output, how)


@imports.command()
def oncall(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="What the API of Grafana OnCall or PagerDuty gives, or `terraform show -json`, as JSON or YAML.",
        ),
    ],
    tag: Annotated[
        str, typer.Option("--tag", metavar="TAG", help="The ticket's tag by which a chain begins.")
    ] = "page",
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME=GROUP",
            help="Which of your groups a schedule or a team is; once for each.",
        ),
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="The channel that each level notifies.")
    ] = "",
    output: Output = None,
    account: For = None,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Write the policies that escalation chains correspond to, and of all others why they do not."""
    from adapters.oncall import Page, carry

    pairs = [each.partition("=") for each in group or ()]
    if wrong := [left for left, equals, right in pairs if not (left and equals and right)]:
        give_up(f'--group {wrong[0]}: write --group "SCHEDULE=GROUP"')
    page = Page(tag=tag, channel=channel, groups={left.strip(): right.strip() for left, _, right in pairs})
    rules = carried(lambda export: carry(export, page), source)
    documents, known = beside(config, account)
    finish(rules, source.name, account, documents, output, how, [OBSERVES], known)


def read_account(
    account: str, config: Path, carry: "Callable[[Any, Names], tuple[Carried, ...]]", *, mail_as_note: bool
) -> "tuple[tuple[Carried, ...], int]":
    """What the account's own rules come to, and how many requests that took. They are counted with all others."""
    from contextlib import closing

    from adapters.base import ExportsRules, HelpdeskError
    from adapters.carry import Names
    from connector.app.connecting import desk_of
    from connector.cli.common import database_of
    from connector.clock import SystemClock
    from connector.store.trouble import StoreTrouble
    from connector.work.budget import keep_spending
    from connector.work.context import Read

    settings, clock = settings_of(config), SystemClock()
    named("account", account, settings.accounts)
    secrets = secrets_beside_trouble()
    try:
        desk = desk_of(settings, account, clock, secrets)
        adapter = desk.adapter
        if not isinstance(adapter, ExportsRules):
            give_up(
                f"{account} is a {settings.accounts[account].adapter} account, whose adapter tells no rules of its own"
            )
        export = Read(clock)(adapter.export_rules)
        mapped = {str(key): name for name, key in settings.accounts[account].fields.items()}
        rules = carry(
            export,
            Names(fields=mapped, statuses=settings.accounts[account].statuses, mail_as_note=mail_as_note),
        )
    except HelpdeskError as trouble:
        echo(f"uptier: {trouble}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    except ValueError as error:
        give_up(f"{account}: {error}")
    sent = desk.budget.sent()
    try:
        with closing(database_of(settings)) as store:
            keep_spending(store, [desk], clock.now())
    except StoreTrouble:
        pass  # there is none yet, or it is away: what is counted decides nothing
    return rules, sent


def carried(carry: "Callable[[Any], tuple[Carried, ...]]", path: Path) -> "tuple[Carried, ...]":
    """What the rules in this file come to. One that cannot be read, or holds none, ends the call."""
    try:
        return carry(document_in(path))
    except ValueError as error:
        give_up(f"{path}: {error}")


def document_in(path: Path) -> Any:
    """What a JSON file holds, or a YAML file by its name. ValueError where it holds none."""
    if path.suffix == ".tf":
        raise ValueError(
            "it is written in Terraform's own language; give what `terraform show -json` prints where it is applied"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    if path.suffix not in (".yaml", ".yml"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is no JSON: {error}") from None
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {one_line(str(error))}") from None


def beside(config: Path, account: str | None) -> "tuple[tuple[Document, ...], Known]":
    """The config files beside which the new one will stand, none where there is no config, and the names that the
    helpdesks know."""
    from connector.config.settings import load
    from policies.language.references import Known

    if not config.is_file():
        return (), Known()
    loaded = load(config)
    if loaded.settings is None:
        return loaded.documents, Known()
    if account is not None:
        named("account", account, loaded.settings.accounts)
    return loaded.documents, Known(accounts=known_directories(loaded.settings))


def said_of(documents: "Sequence[Document]", account: str | None, key: str) -> dict[str, str]:
    """A table of texts that the config has for the account, empty where it has none."""
    tables = documents[0].data.get("accounts") if documents and account else None
    table = tables.get(account, {}).get(key) if isinstance(tables, dict) else None
    return {str(name): str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def finish(
    rules: "Sequence[Carried]",
    source: str,
    account: str | None,
    documents: "Sequence[Document]",
    output: Path | None,
    how: TextFormat,
    head: "Sequence[str]" = (OBSERVES, ONCE),
    known: "Known | None" = None,
) -> None:
    """Write the file, and say what came of each rule."""
    from connector.config.importing import imported

    made = imported(rules, source, account, documents, head, known)
    if output is not None and output.exists():
        give_up(f"{output} is there already; name another file, or remove that one")
    if how == "text" or output is not None:
        put_out(made.text, output)
    if how == "json":
        rules_told = [
            {"kind": rule.kind, "title": rule.title, "fate": rule.fate, "why": rule.why}
            for rule in made.rules
        ]
        put_text(how, made.counts, policies=made.text, rules=rules_told)
        return
    told(made)


def told(made: "Imported") -> None:
    """What came of each rule, line by line where a line is in the way."""
    for rule in made.rules:
        echo(f'{rule.fate}: {rule.kind} "{rule.title}"{f": {rule.why}" if rule.why else ""}', err=True)
        if rule.fate == "not carried over":
            echo(*(f"    {line.text}: {line.why}" for line in rule.lines if line.why), err=True)
    echo(made.counts, err=True)
