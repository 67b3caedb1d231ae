"""`uptier user`: who may use the console and its API."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli_config import CONFIG, Config, give_up, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = typer.Typer(no_args_is_help=True, help="Who may use the console.")
Name = Annotated[str, typer.Argument(help="Under this name they log in and stand in the ledger.")]
SHORTEST = 10


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
    config: Config = CONFIG,
) -> None:
    """Add a user, or give one another role and password. It is asked for, or read from standard input."""
    from connector.clock import SystemClock
    from connector.console.access import hasher
    from connector.store import users
    from connector.store.users import ROLES, User

    known = next((each for each in ROLES if each == role), None)
    if known is None:
        give_up(f"there is no role {role}; there are {', '.join(ROLES)}")
    word = (
        typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.read().rstrip("\n")
    )
    if len(word) < SHORTEST:
        give_up(f"a password has {SHORTEST} characters or more")
    with writing(config) as connection:
        users.keep(connection, User(name=name, role=known, password=hasher.hash(word)), SystemClock().now())
    typer.echo(f"{name} may log in as {known}")


@app.command("list")
def list_users(config: Config = CONFIG) -> None:
    """List the users and their roles."""
    from connector.store import users

    with writing(config) as connection:
        for user in users.every(connection):
            typer.echo(f"{user.name}  {user.role}")


@app.command()
def remove(name: Name, config: Config = CONFIG) -> None:
    """Remove a user, with all sessions and tokens."""
    from connector.store import users

    with writing(config) as connection:
        known = users.remove(connection, name)
    if not known:
        give_up(f"there is no user {name}")
    typer.echo(f"{name} is removed")


@app.command()
def token(name: Name, config: Config = CONFIG) -> None:
    """Make a token for the API that may do what the user may. It is shown once and not kept."""
    from secrets import token_urlsafe

    from connector.clock import SystemClock
    from connector.console.access import digest
    from connector.store import users

    word = token_urlsafe(32)
    with writing(config) as connection:
        if users.get(connection, name) is None:
            give_up(f"there is no user {name}; uptier user add {name}")
        users.keep_token(connection, digest(word), name, SystemClock().now())
    typer.echo(word)
