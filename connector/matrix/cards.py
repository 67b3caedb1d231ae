"""Quick-reference cards: for each role one page with what lands on the desk, what to do by when, and whom to ask."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.matrix.plain import plain

LONGEST = 80
"""Characters of a cell; a longer text loses its tail, for a card is one page."""

TITLES = {
    "agent": "Agent",
    "lead": "Team lead",
    "manager": "Manager, duty manager",
    "on-call": "On call",
    "ops": "Support-ops lead",
    "admin": "Admin",
}
"""The roles that are no names. Cards for a group or person are called by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table on a card, or a list if it has no `titles`. In a section of `commands` the last cell is to be typed."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...] = ()
    commands: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One page. `hash` names the policies that it was made from."""

    role: str
    hash: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """What stands at its head."""
        return TITLES.get(self.role, self.role)


def clipped(text: str, longest: int = LONGEST) -> str:
    """The text on one line, without its tail if it is too long."""
    said = plain(text)
    return said if len(said) <= longest else said[: longest - 1].rstrip() + "…"


def listing(title: str, texts: Sequence[str]) -> Section:
    """A list of texts."""
    return Section(title=title, rows=tuple((text,) for text in texts))


def commands(title: str, *pairs: tuple[str, str]) -> Section:
    """What can be done, and the command for it."""
    return Section(title=title, rows=pairs, commands=True)


def first(rows: Sequence[tuple[str, ...]], most: int, more: str) -> tuple[tuple[str, ...], ...]:
    """The first rows, and one that counts the rest."""
    rest = len(rows) - most
    width = len(rows[0]) if rows else 1
    counted = (f"and {rest} more: {more}", *[""] * (width - 1))
    return (*rows[:most], counted) if rest > 0 else tuple(rows)
