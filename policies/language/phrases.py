"""Phrase packs: what customers say when they want something particular, as patterns, found in what they wrote
themselves.

All languages of a pack run on all text. The packs that come with Uptier are the files of `phrases/`; the config
adds phrases to them and packs of its own.

Also folds a text for comparison, so that capitals, accents and line breaks do not matter.
"""

import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

import re2

from policies.history import History
from policies.model import Ticket

LONGEST_SIGN_OFF = 80
"""How many characters a line such as "Sent from my phone" may have."""

ATTRIBUTION = re2.compile(
    r"(?i)^\s*(on\b.*\bwrote|am\b.*\bschrieb\b.*|le\b.*\ba écrit|el\b.*\bescribió)\s*:\s*$"
)
BEGUN = re2.compile(r"(?i)^\s*(on|am|le|el)\b.*[0-9@<]")
DIVIDER = re2.compile(
    r"(?i)^\s*(-{3,}\s*[^-]*(message|nachricht|mensaje|mail)[^-]*-{3,}|_{20,}|##- .+ -##)\s*$"
)
HEADER = re2.compile(r"(?i)^\s*(from|von|de)\s*:.*\S")
SENT = re2.compile(r"(?i)^\s*(sent|gesendet|envoyé|enviado|date|datum|fecha)\s*:")
SIGN_OFF = re2.compile(
    r"(?i)^\s*(sent from my\b|get outlook for\b|von meinem\b.*\bgesendet|gesendet von meinem\b"
    r"|envoyé de(puis)? mon\b|enviado desde mi\b)"
)


@lru_cache(maxsize=512)
def own_words(body: str) -> str:
    """The lines of a message that its author wrote. What stands below a quoted header is left out, unless the
    quote is marked line by line: then only the marked lines are."""
    kept: list[str] = []
    lines = body.splitlines()
    skip = 0
    for index, line in enumerate(lines):
        if skip:
            skip -= 1
            continue
        if line.lstrip().startswith(">"):
            continue
        if line.rstrip(" \t") == "--" or DIVIDER.search(line):
            break
        taken = header_lines(lines, index)
        if taken and not is_marked(lines[index + taken :]):
            break
        if taken:
            skip = taken - 1
        elif len(line) > LONGEST_SIGN_OFF or not SIGN_OFF.search(line):
            kept.append(line)
    return "\n".join(kept)


def header_lines(lines: Sequence[str], index: int) -> int:
    """How many lines the header of a quoted reply takes from here on; mail programs wrap it. 0 if there is none."""
    line = lines[index]
    if HEADER.search(line) and any(SENT.search(each) for each in lines[index + 1 : index + 3]):
        return 1
    if not BEGUN.search(line):
        return 0
    for taken in (1, 2, 3):
        if ATTRIBUTION.search(" ".join(lines[index : index + taken])):
            return taken
    return 0


def is_marked(lines: Sequence[str]) -> bool:
    """Whether a quote begins here whose every line is marked with ">"."""
    first = next((line for line in lines if line.strip()), "")
    return first.lstrip().startswith(">")


@lru_cache(maxsize=512)
def folded(text: str) -> str:
    """The text for comparison: one line, plain apostrophes, no accents; capitals are for the pattern to ignore."""
    plain = text.replace("’", "'").replace("ß", "ss").replace("\u00a0", " ")
    apart = unicodedata.normalize("NFD", plain)
    return " ".join("".join(each for each in apart if not "\u0300" <= each <= "\u036f").split())


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


def fault(error: re2.error) -> str:
    """What RE2 says of a text that is no pattern."""
    said = error.args[0] if error.args else "it cannot be read"
    return said.decode() if isinstance(said, bytes) else str(said)


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
