"""`uptier user`: who may use the console and its API."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import (
    CONFIG,
    AsRows,
    AsText,
    Config,
    Listing,
    before_command,
    echo,
    give_up,
    opened,
    put_json,
    put_rows,
    put_text,
    stamp,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection


app = typer.Typer(no_args_is_help=True, help="Who may use the console.", callback=before_command)
Name = Annotated[str, typer.Argument(help="Under this name they log in and stand in the ledger.")]
TokenName = Annotated[
    str, typer.Argument(metavar="TOKEN", help="The token's name, as `uptier user tokens` shows it.")
]


@contextmanager
def writing(config: Path) -> "Iterator[Connection]":
    """A write transaction on the config's database."""
    with opened(config) as store, store.writing() as connection:
        yield connection


@app.command()
def add(
    name: Name,
    role: Annotated[
        str,
        typer.Option(
            "--role", help="viewer looks, operator acts on tickets, admin also releases whole accounts."
        ),
    ] = "operator",
    sign_on: Annotated[
        bool,
        typer.Option("--sign-on", help="They come through single sign-on alone and have no password here."),
    ] = False,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Add a user, or give one another role and password: then their sessions and tokens end. The password is asked for,
    or read from standard input."""
    from connector.clock import SystemClock
    from connector.console.access import checked_name, checked_password, hasher
    from connector.store import users
    from connector.store.users import ROLES, User

    known = next((each for each in ROLES if each == role), None)
    if known is None:
        give_up(f"there is no role {role}; there are {', '.join(ROLES)}")
    try:
        kept = "" if sign_on else hasher.hash(checked_password(password_of(name)))
        user = User(name=checked_name(name), role=known, password=kept)
    except ValueError as error:
        give_up(str(error))
    with writing(config) as connection:
        users.keep(connection, user, SystemClock().now())
    put_text(how, f"{user.name} may log in as {known}", user=user.name, role=known)


def password_of(name: str) -> str:
    """The password, asked for twice, or from standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.read().rstrip("\n")
    asked: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    return asked


@app.command("list")
def list_users(config: Config = CONFIG, how: AsRows = "table") -> None:
    """List the users and their roles."""
    from connector.store import users

    with writing(config) as connection:
        rows = [
            (user.name, user.role, "password" if user.password else "single sign-on")
            for user in users.every(connection)
        ]
    none = () if rows else ("there is no user; `uptier user add NAME` adds one",)
    put_rows(Listing(title="Users", head=("user", "role", "comes by"), rows=rows, said=none), how)


@app.command()
def remove(name: Name, config: Config = CONFIG, how: AsText = "text") -> None:
    """Remove a user, with all sessions and tokens."""
    from connector.store import users

    with writing(config) as connection:
        known = users.remove(connection, name)
    if not known:
        give_up(f"there is no user {name}")
    put_text(how, f"{name} is removed", user=name)


@app.command()
def token(
    name: Name,
    called: Annotated[
        str, typer.Option("--name", help="What you call the token; each of a user's has another name.")
    ] = "api",
    lasts: Annotated[str, typer.Option("--for", help="How long it is good, such as 90d.")] = "90d",
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Make a token for the API that may do what the user may. It is shown once and not kept."""
    from secrets import token_urlsafe

    from connector.clock import SystemClock
    from connector.console.access import checked_name, digest
    from connector.store import users
    from connector.store.users import Token
    from policies.model import seconds

    word, now = token_urlsafe(32), SystemClock().now()
    try:
        made = Token(user=name, name=checked_name(called), since=now, until=now + seconds(lasts), used=None)
    except ValueError as error:
        give_up(str(error))
    with writing(config) as connection:
        if users.get(connection, name) is None:
            give_up(f"there is no user {name}; uptier user add {name}")
        if not users.keep_token(connection, digest(word), made):
            give_up(
                f"{name} has a token named {called}: uptier user revoke {name} {called}, or another --name"
            )
    if how == "json":
        put_json({"token": word, "user": name, "name": made.name, "until": made.until})
        return
    echo(word)
    echo(f"it is good until {stamp(made.until)}", err=True)


@app.command()
def tokens(
    name: Annotated[str | None, typer.Argument(help="The user; all if none is named.")] = None,
    config: Config = CONFIG,
    how: AsRows = "table",
) -> None:
    """List the tokens that have not ended: whose, made when, good until, last used."""
    from connector.clock import SystemClock
    from connector.store import users

    with writing(config) as connection:
        found = users.tokens(connection, SystemClock().now(), name)
    rows = [
        (
            each.user,
            each.name,
            stamp(each.since),
            stamp(each.until),
            "never used" if each.used is None else stamp(each.used),
        )
        for each in found
    ]
    head = ("user", "token", "made", "ends", "last used")
    put_rows(Listing(title="Tokens", head=head, rows=rows, said=() if rows else ("there is no token",)), how)


@app.command()
def revoke(name: Name, called: TokenName, config: Config = CONFIG, how: AsText = "text") -> None:
    """End one token of a user."""
    from connector.store import users

    with writing(config) as connection:
        known = users.revoke(connection, name, called)
    if not known:
        give_up(f"{name} has no token {called}; uptier user tokens {name} lists them")
    put_text(how, f"the token {called} of {name} has ended", user=name, token=called)
