"""Texts of a config, fit for any document: names come from people, and may hold anything."""

import re
import unicodedata

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are no text: control and direction marks, and what XML does not take."""

JOINERS = frozenset("\u200c\u200d")
"""Marks without which some scripts cannot be written."""

MARKDOWN = re.compile(r"([\\`*_\[\]|~#$])")
FORMULA = re.compile(r"^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def plain(text: str) -> str:
    """The text on one line, without what cannot be seen."""
    kept = (" " if is_unprintable(each) else each for each in text)
    return " ".join("".join(kept).split())


def is_unprintable(character: str) -> bool:
    """Whether a character shows nothing, or changes how others are shown."""
    return unicodedata.category(character) in UNPRINTABLE and character not in JOINERS


def markdown(text: str) -> str:
    """The text as Markdown that shows it as it is, in a table too."""
    html = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN.sub(r"\\\1", html)


def cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    said = plain(text)
    return f"'{said}" if FORMULA.match(said) else said
