"""In which language people are told. The sources hold English; whoever tells, and for as long as it tells, may say
another: what is decided, kept and written to a helpdesk never depends on it."""

from collections.abc import Callable
from contextvars import ContextVar


def _as_it_is(text: str) -> str:
    return text


TRANSLATE: ContextVar[Callable[[str], str]] = ContextVar("translate", default=_as_it_is)
"""The words of a message in the language of whoever is told."""


def _(text: str, /, **values: object) -> str:
    """The message in the language of whoever is told, with these values in its `{places}`."""
    told = TRANSLATE.get()(text)
    return told.format(**values) if values else told


def message(text: str) -> str:
    """A message that is told later, by `_`: marked, so that the catalogues have it."""
    return text
