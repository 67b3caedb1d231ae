"""The cards as one HTML document, a printed page each, and as Markdown."""

from collections.abc import Iterator, Sequence

from connector.matrix.cards import Card, Section
from connector.matrix.page import PAGES
from connector.matrix.plain import markdown, plain


def cards_html(cards: Sequence[Card]) -> str:
    """The document: each card begins a page when it is printed."""
    return PAGES.get_template("cards.html").render(cards=cards)


def cards_markdown(cards: Sequence[Card]) -> str:
    """The cards one after the other."""
    return "\n".join(line for card in cards for line in lines(card))


def lines(card: Card) -> Iterator[str]:
    """One card."""
    yield f"# {markdown(card.title)}"
    yield ""
    for section in card.sections:
        yield f"## {section.title}"
        yield ""
        yield from table(section) if section.titles or section.commands else items(section)
        yield ""
    yield f"Policies {card.hash}."
    yield ""


def items(section: Section) -> Iterator[str]:
    """A list."""
    for row in section.rows:
        yield f"- {markdown(''.join(row))}"


def table(section: Section) -> Iterator[str]:
    """A table; one of commands has a title row of its own, which Markdown wants."""
    titles = section.titles or ("To", "Type")
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in section.rows:
        cells = [*map(markdown, row[:-1]), code(row[-1]) if section.commands else markdown(row[-1])]
        yield f"| {' | '.join(cells)} |"


def code(command: str) -> str:
    """A command to be typed; one with a backtick in it is text."""
    said = plain(command)
    return markdown(said) if "`" in said or "|" in said else f"`{said}`"
