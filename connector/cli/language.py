"""The commands about the language itself: `schema` and `fields`."""

from typing import Annotated

import typer

from connector.cli.common import AsJson, echo, put_json

app = typer.Typer()


@app.command()
def schema() -> None:
    """Print the JSON Schema of the config and policy files, for your editor."""
    from connector.config.schema import whole

    put_json(whole(), indent=2)


@app.command()
def fields(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/mapping.md.")] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Print the page docs/words.md: every other word of the language.")
    ] = False,
) -> None:
    """List what a condition can ask, and where each helpdesk keeps it."""
    from connector import fields_page
    from connector.config.vendors import vendors

    if as_json:
        put_json(fields_page.as_rows(vendors()))
    elif words:
        echo(*fields_page.words())
    else:
        echo(*(fields_page.as_markdown(vendors()) if markdown else fields_page.as_text(vendors())))
