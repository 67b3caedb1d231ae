"""The commands about the language itself: `schema` and `fields`."""

from typing import Annotated

import typer

from connector.cli_config import AsJson, echo, put_json

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
) -> None:
    """List what a condition can ask, and where each helpdesk keeps it."""
    from connector.config.vendors import vendors
    from connector.fields_page import as_markdown, as_rows, as_text

    if as_json:
        put_json(as_rows(vendors()))
        return
    echo(*(as_markdown(vendors()) if markdown else as_text(vendors())))
