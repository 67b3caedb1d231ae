"""How `make site` makes the documentation into a site: HTML that needs nothing from elsewhere."""

import tomllib
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

with Path(__file__).parents[1].joinpath("pyproject.toml").open("rb") as file:
    _about = tomllib.load(file)["project"]

project = "Uptier"
author = _about["authors"][0]["name"]
version = release = _about["version"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = f"Uptier {version}"
html_show_copyright = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """A ticket's life in a policy test is plain text."""
    app.add_lexer("life", TextLexer)
