"""The commands that have a helpdesk tell us of changes, and no longer: `connect` and `disconnect`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    SERVICE,
    AsText,
    Config,
    TextFormat,
    complete_account,
    database_of,
    echo,
    give_up,
    in_form,
    named,
    secrets_beside_trouble,
    settings_of,
    somebody_is_there,
)
from connector.render import without_markdown
from connector.store.trouble import NoDatabase

if TYPE_CHECKING:
    from adapters.base import Hooks
    from connector.config.secrets import Secrets
    from connector.config.settings import Settings
    from connector.store.database import Store
    from policies.model import Seconds

app = typer.Typer()

AccountName = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT",
        help="As in [accounts.NAME].",
        autocompletion=complete_account,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
UNSAID = "5m"
"""How long a webhook is waited for where somebody is there who can touch a ticket."""


@app.command(rich_help_panel=SERVICE)
def connect(
    account: AccountName,
    config: Config = CONFIG,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            "--secret-file",
            metavar="FILE",
            help="Keep the webhook's secret in this new file, mode 0600, and not in the keyring.",
        ),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            "--wait",
            metavar="TIME",
            help="How long a webhook is waited for: 5m on a terminal, else not at all.",
        ),
    ] = None,
    yes: Yes = False,
    how: AsText = "text",
) -> None:
    """Have the helpdesk tell of changes at once. What is made there is shown first and made after a yes; where only a
    person can, the text to paste is printed. Then it is tried. No ticket is changed. Called again, it goes on."""
    from contextlib import closing

    from adapters.base import HelpdeskError, NotAllowed, OutcomeUnknown
    from connector.app.connecting import (
        CannotConnect,
        address_of,
        desk_of,
        hooks_of,
        lacks,
        make_secret,
        reference_of,
        set_up_of,
    )
    from connector.clock import SystemClock

    settings = settings_of(config)
    named("account", account, settings.accounts)
    secrets, patience = secrets_beside_trouble(), patience_of(wait, how)
    try:
        adapter = desk_of(settings, account, SystemClock(), secrets).adapter
        hooks = hooks_of(adapter)
        with in_form(how, account=account), closing(made_if_none(settings, secrets)) as store:
            if hooks is None:
                ref = reference_of(settings, account)
                if secret_file is not None:
                    echo(make_secret(secrets, ref, secret_file), "")
                if missing := lacks(settings, account, secrets):
                    echo("First:", *(f"  {line}" for line in missing), "")
                address = address_of(settings, account)
                told = settings.accounts[account].webhook or {"secret": ref}
                echo(*without_markdown(set_up_of(adapter, address, told)).split("\n"))
                named_in(settings, account)
            else:
                made_there(settings, account, store, hooks, secrets, secret_file, yes=yes)
            waited(store, account, patience, asked=hooks is None or wait is not None)
    except OutcomeUnknown as unknown:
        in_trouble(
            f"{unknown}. It may have been made: call `uptier connect {account}` again, which finds it by its name"
        )
    except NotAllowed as refused:
        in_trouble(f"{refused}. Missing: {refused.right}" if refused.right else str(refused))
    except HelpdeskError as trouble:
        in_trouble(str(trouble))
    except (CannotConnect, ValueError) as error:
        give_up(str(error))


def made_there(
    settings: "Settings",
    account: str,
    store: "Store",
    hooks: "Hooks",
    secrets: "Secrets",
    file: Path | None,
    *,
    yes: bool,
) -> None:
    """Show what is to be made, make it after a yes, keep its secret, and have the helpdesk try it."""
    from connector.app import connecting
    from connector.clock import SystemClock
    from connector.work.context import Read

    clock = SystemClock()
    read, ref, said = Read(clock), connecting.reference_of(settings, account), settings.accounts[account]
    held = secrets.at_hand(ref)  # a variable or a file may hold it: then no keyring is looked at for it
    if file is None and held is None and (why := secrets.cannot_keep()) is not None:
        give_up(
            f"no keyring can keep the webhook's secret: {why or 'there is none'}. Name a file: --secret-file FILE"
        )
    todo = connecting.plan(store, hooks, account, connecting.address_of(settings, account), read)
    if held is not None and todo.stands is None:
        raise connecting.CannotConnect(
            f"{secrets.source(ref)} holds a value for {ref}, and a webhook that is made now signs with another, so "
            "nothing was made. Unset or remove that and call again: the new secret goes into the keyring, or with "
            "--secret-file FILE into a file"
        )
    where = f"in {file}, which only its owner can read" if file else "in the keyring"
    kept = f"keep it as {ref} {where}" if file or held is None else f"see whether it is what {ref} holds"
    echo(f"At {said.url} uptier will")
    echo(*(f"  {line}" for line in todo.lines(hooks.posts)))
    echo(f"  read its signing secret and {kept}", "  have it tested by the helpdesk")
    echo(f"No ticket is changed. `uptier disconnect {account}` removes what uptier made.")
    agreed(yes=yes)
    hook = connecting.carry_out(store, hooks, todo, clock.now())
    echo(f'the webhook "{hook.name}" ({hook.id}) posts to {todo.address}')
    value = read(hooks.secret_of, hook.id)
    if file or held is None:
        echo(f"its secret is {connecting.keep_secret(secrets, ref, value, file)}")
    named_in(settings, account)
    if (other := connecting.shadowed(secrets, ref, value)) is not None:
        echo(other, err=True)
        raise typer.Exit(NEEDS_HUMAN)
    well, text = connecting.tested(hooks.test(hook.id), todo.address)
    echo(text)
    if not well:
        raise typer.Exit(NEEDS_HUMAN)


@app.command(rich_help_panel=SERVICE)
def disconnect(account: AccountName, config: Config = CONFIG, yes: Yes = False, how: AsText = "text") -> None:
    """Remove what `connect` made at the helpdesk, and nothing else. It is shown first and removed after a yes. Changes
    are then found by polling alone."""
    settings = settings_of(config)
    named("account", account, settings.accounts)
    with in_form(how, account=account):
        disconnected(settings, account, yes=yes)


def disconnected(settings: "Settings", account: str, *, yes: bool) -> None:
    """Show what `connect` made, and remove it after a yes."""
    from contextlib import closing

    from adapters.base import HelpdeskError
    from connector.app import connecting
    from connector.clock import SystemClock
    from connector.work.context import Read

    secrets, clock = secrets_beside_trouble(), SystemClock()
    try:
        with closing(database_of(settings)) as store:
            if not connecting.all_kept(store, account):
                echo(*nothing_made(settings, account))
                return
            hooks = connecting.hooks_of(connecting.desk_of(settings, account, clock, secrets).adapter)
            if hooks is None:
                give_up(
                    f"the adapter of {account} removes no webhooks; it was another one when this was made"
                )
            mine = connecting.made_here(store, hooks, account, Read(clock))
            echo(
                *(f'remove the webhook "{one.name}" ({one.id}), which posts to {one.address}' for one in mine)
            )
            if mine:
                agreed(yes=yes)
            for one in mine:
                connecting.remove(store, hooks, account, one)
            connecting.forget_all(store, account)
    except NoDatabase:
        echo(*nothing_made(settings, account))
        return
    except HelpdeskError as trouble:
        in_trouble(f"{trouble}. Call `uptier disconnect {account}` again")
    except ValueError as error:
        give_up(str(error))
    echo(f"{len(mine)} removed{set_still(settings, account)}" if mine else "none of it is left there")


def where_pasted(settings: "Settings", account: str) -> str:
    """Where the helpdesk keeps what a person pasted, as the adapter names it, and that the secret stays."""
    from connector.config.values import vendors

    vendor = vendors().get(settings.accounts[account].adapter)
    place = vendor.pasted.replace("ACCOUNT", account) if vendor else ""
    return f": {place}{set_still(settings, account)}" if place else ""


def set_still(settings: "Settings", account: str) -> str:
    """What is left to do in the config and with the secret, once nothing is posted any more."""
    line = settings.accounts[account].webhook
    config = f"; take `webhook` out of [accounts.{account}] too" if line else ""
    return f"{config}. The webhook's secret stays where it is kept, in the keyring or a file, until you remove it"


def nothing_made(settings: "Settings", account: str) -> tuple[str, str]:
    """What is said where nothing is recorded. No secret is needed to know that."""
    return (
        f"nothing recorded: uptier has made nothing at {settings.accounts[account].url} that it could remove",
        f"what somebody pasted in there is removed there, by hand{where_pasted(settings, account)}",
    )


def agreed(*, yes: bool) -> None:
    """Go on after a yes; end the call after a no, or where nobody can be asked."""
    if yes:
        return
    if not somebody_is_there():
        echo("nothing was done; `--yes` does it without asking")
        raise typer.Exit(NEEDS_HUMAN)
    if not typer.confirm("Do it"):
        echo("nothing was done")
        raise typer.Exit(NEEDS_HUMAN)


def named_in(settings: "Settings", account: str) -> None:
    """See that the config names the webhook's secret: else no webhook is taken in, and waiting for one is in vain."""
    from connector.app.connecting import reference_of

    if not settings.accounts[account].webhook_secrets:
        ref = reference_of(settings, account)
        echo(
            f'write webhook = {{ secret = "{ref}" }} under [accounts.{account}], start `uptier run` anew, connect again'
        )
        raise typer.Exit(NEEDS_HUMAN)


def patience_of(wait: str | None, how: TextFormat) -> "Seconds | None":
    """How long a webhook is waited for; None where it is not said and nobody is there to touch a ticket."""
    from policies.model import seconds

    if wait is None and (how == "json" or not somebody_is_there()):
        return None
    try:
        return seconds(wait or UNSAID)
    except ValueError as error:
        give_up(f"--wait: {error}")


def waited(store: "Store", account: str, patience: "Seconds | None", *, asked: bool) -> None:
    """Wait for a webhook, where that was `asked` for by a text to paste; without one the helpdesk's test has told."""
    from connector.app.connecting import await_webhook, last_taken
    from connector.clock import SystemClock

    if not asked:
        return
    if not patience:
        if (came := last_taken(store, account, SystemClock().now())) is not None:
            echo("", came)
        return
    echo("", "When that is done, touch a ticket: add a note to one, say.")
    well, text = await_webhook(
        store,
        account,
        SystemClock(),
        patience,
        lambda left: echo(f"waiting for a webhook, {left} s left; Ctrl-C ends the waiting only", err=True),
    )
    echo(text)
    if not well:
        raise typer.Exit(NEEDS_HUMAN)


def made_if_none(settings: "Settings", secrets: "Secrets") -> "Store":
    """The database; a file is made where there is none yet, since `uptier run` may never have run."""
    from connector.app.databases import migrate_database
    from connector.store.opening import file_of

    try:
        return database_of(settings)
    except NoDatabase:
        if file_of(settings.service.database) is None:
            raise
        migrate_database(settings, secrets)
        return database_of(settings)


def in_trouble(text: str) -> NoReturn:
    """Say what the helpdesk said, and end the call."""
    echo(f"uptier: {text}", err=True)
    raise typer.Exit(NEEDS_HUMAN)
