"""Phrase packs: what customers say when they want something particular, in several languages, as patterns.

All languages of a pack run on all text. The packs that come with Uptier are the files of `phrases/`; the config
adds phrases to them and packs of its own.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

import re2

from policies.facts import History
from policies.model import Ticket
from policies.own_words import folded, own_words

Phrases = Mapping[str, tuple[str, ...]]
"""By language."""

LETTER = r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{N}_"
"""What a phrase must not touch. Scripts without spaces between words are not among them."""

LONGEST_SHOWN = 80
"""How many characters of the words that matched are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack. `search` gives the words of a folded text that match, or None; it compiles when first asked."""

    name: str
    phrases: Phrases
    search: Callable[[str], str | None] = field(compare=False, repr=False)


def made(name: str, phrases: Phrases) -> Pack:
    """A pack of these phrases, all of which `pattern` takes."""
    every = tuple(each for texts in phrases.values() for each in texts)

    def search(text: str) -> str | None:
        return pattern(every)(text)

    return Pack(name=name, phrases=phrases, search=search)


@lru_cache(maxsize=256)
def pattern(phrases: tuple[str, ...]) -> Callable[[str], str | None]:
    """A search for any of these phrases as whole words. Raises re2.error if one is no RE2 pattern."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    either = "|".join(f"(?:{folded(each)})" for each in phrases)
    search = re2.compile(f"(?:^|[^{LETTER}])({either})(?:$|[^{LETTER}])", options=options).search

    def find(text: str) -> str | None:
        match = search(text)
        return None if match is None else str(match[1])

    return find


@cache
def shipped() -> Mapping[str, Pack]:
    """The packs that come with Uptier, by name. They are part of the program, read once."""
    found = sorted(
        (each for each in files("policies").joinpath("phrases").iterdir() if each.name.endswith(".toml")),
        key=lambda each: each.name,
    )
    read = {each.name.removesuffix(".toml"): tomllib.loads(each.read_text("utf-8")) for each in found}
    return {
        name: made(name, {language: tuple(texts) for language, texts in pack.items()})
        for name, pack in read.items()
    }


def found(ticket: Ticket, packs: Iterable[Pack]) -> Mapping[str, str]:
    """The packs that match what the customer wrote, each with the words, those of the newest message first."""
    texts = [folded(each) for each in written(ticket)]
    hits = ((pack.name, next(filter(None, map(pack.search, texts)), None)) for pack in packs)
    return {name: words for name, words in hits if words is not None}


def written(ticket: Ticket) -> Iterator[str]:
    """What the customer wrote: messages, the newest first, then the subject and the description. A description
    that an agent wrote is none of it."""
    history = History.of(ticket, frozenset())
    said = [message for message in ticket.messages if history.is_customers(message)]
    for message in reversed(said):
        yield own_words(message.body)
    yield ticket.subject
    first = ticket.messages[0] if ticket.messages else None
    if first is None or first in said or not history.is_opening(first):
        yield own_words(ticket.description)


def shown(hits: Mapping[str, str]) -> tuple[str, ...]:
    """The packs that matched with the words, for people: `complaint: "fed up"`."""
    return tuple(f'{name}: "{words[:LONGEST_SHOWN]}"' for name, words in hits.items())
