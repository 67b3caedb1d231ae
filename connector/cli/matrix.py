"""The commands that print who answers for what: `matrix` and `cards`."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import CONFIG, Config, checked, give_up, last_directories, put_out

if TYPE_CHECKING:
    from connector.config.settings import Settings
    from policies.language.policy import PolicySet
    from policies.present.matrix import Matrix


app = typer.Typer()

Output = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it to this file.")]


class Format(StrEnum):
    """How the matrix is written."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"
    CSV = "csv"
    SVG = "svg"


class CardFormat(StrEnum):
    """How the cards are written."""

    HTML = "html"
    MARKDOWN = "markdown"


@app.command()
def matrix(
    how: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
    output: Output = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="One account; all if not given.")
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="GROUP", help="For the tickets of one group.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Print who answers for which tickets, when and how they hear of it, and what is missing."""
    settings, policies = checked(config)
    put_out(renderers()[how](made(settings, policies, account, team)), output)


@app.command()
def cards(
    role: Annotated[
        str | None,
        typer.Option(
            "--role", help="agent, lead, manager, on-call, ops, admin, or a group or person by name."
        ),
    ] = None,
    how: Annotated[CardFormat, typer.Option("--format", help="How they are written.")] = CardFormat.MARKDOWN,
    output: Output = None,
    config: Config = CONFIG,
) -> None:
    """Print a page for each role: what lands on the desk, what to do by when, and whom to ask."""
    from connector.matrix.cards import cards_html, cards_markdown, desk_cards, service_cards

    settings, policies = checked(config)
    whole = made(settings, policies, None, None)
    every = (*desk_cards(whole, policies), *service_cards(whole, policies))
    refuse_unknown("role", role, tuple(dict.fromkeys(card.role for card in every)))
    meant = [card for card in every if role in (None, card.role)]
    put_out(cards_html(meant) if how is CardFormat.HTML else cards_markdown(meant), output)


def made(settings: "Settings", policies: "PolicySet", account: str | None, team: str | None) -> "Matrix":
    """The matrix of the account and team that are named; both must be known."""
    from policies.present.matrix import known_teams
    from policies.present.matrix import matrix as of

    accounts = tuple(settings.accounts) if account is None else (account,)
    refuse_unknown("account", account, settings.accounts)
    read = last_directories(settings)
    directories = {name: read[name] for name in accounts if name in read}
    refuse_unknown("group", team, known_teams(policies, tuple(directories.values())))
    return of(policies, accounts, directories, settings.service.languages, team)


def refuse_unknown(what: str, name: str | None, known: Collection[str]) -> None:
    """End the call if a name is none of those that are known."""
    from policies.language.document import did_you_mean, listed

    if name is not None and name not in known:
        hint = did_you_mean(name, known) or f" There are {listed(sorted(known), 'and')}."
        give_up(f'there is no {what} "{name}".{hint}')


def renderers() -> "Mapping[Format, Callable[[Matrix], str]]":
    """What writes each format."""
    from connector.matrix.drawing import as_svg
    from connector.matrix.page import as_html
    from connector.matrix.tables import as_csv, as_markdown, as_text

    return {
        Format.TEXT: as_text,
        Format.HTML: as_html,
        Format.MARKDOWN: as_markdown,
        Format.CSV: as_csv,
        Format.SVG: as_svg,
    }
