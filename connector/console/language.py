"""The pages' languages: catalogues, the choice among them, and templates whose words are messages without a mark.

Catalogues are gettext's, in `locale/`: `make words` renews them from the sources, which needs Babel; reading them needs
nothing but Python.
"""

import gettext
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape

from policies.model import TRANSLATE, message

DOMAIN = "uptier"
QUIET = frozenset({"code", "pre", "svg", "script", "style"})
"""Elements whose text is no words of ours."""
READ = frozenset(
    {"title", "aria-label", "alt", "placeholder", "label"}
    | {"data-title", "data-none", "data-some", "data-first"}
)
"""Attributes that people read, some of them by way of a script."""
AROUND = " \t\n,;:()·|/→–…\"'"
"""What may stand around the words of a message and is none of it."""
WORD = re.compile(r"[^\W\d_]{2,}")
ENTITY = re.compile(r"&#?\w+;")


LEDGER = (
    message("started"),
    message("fired"),
    message("observed"),
    message("skipped"),
    message("overtaken"),
    message("refused"),
    message("rejected"),
    message("owner"),
    message("ended"),
    message("acknowledged"),
    message("snoozed"),
    message("deescalated"),
    message("escalated"),
    message("approved"),
    message("released"),
    message("undone"),
    message("held"),
    message("approval asked"),
    message("made up"),
    message("repeated"),
    message("written"),
    message("write refused"),
    message("write dropped"),
    message("write unknown"),
    message("part refused"),
    message("not taken"),
    message("partly"),
    message("not notified"),
    message("notified"),
    message("notification failed"),
    message("alarm"),
    message("alarm over"),
    message("order refused"),
    message("set aside"),
    message("no longer aside"),
    message("left out"),
    message("account paused"),
    message("would overrule"),
    message("plan applied"),
    message("plan drifted"),
    message("plan held"),
    message("plan refused"),
)
"""The ledger's words for what happened, of every release: they are kept as they are, and said when they are shown."""

STATES = (
    message("waiting"),
    message("due"),
    message("awaiting approval"),
    message("would ask for approval"),
    message("customer"),
    message("automation"),
    message("somebody"),
    message("enforce"),
    message("observe"),
    message("off"),
    message("team"),
    message("group"),
    message("assignee"),
    message("status"),
    message("priority"),
    message("tags"),
)
"""How a level stands, who acted, and how a policy runs, and what of a ticket changes."""


@cache
def languages() -> dict[str, str]:
    """The languages there are, by their code: each by its own name."""
    found = {"en": "English"}
    for folder in sorted(files("connector.console").joinpath("locale").iterdir(), key=lambda each: each.name):
        if folder.is_dir() and folder.joinpath("LC_MESSAGES", f"{DOMAIN}.mo").is_file():
            found[folder.name] = catalogue(folder.name).gettext(message("English"))
    return found


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The messages of a language; English is what the sources hold."""
    if language == "en":
        return gettext.NullTranslations()
    file = files("connector.console").joinpath("locale", language, "LC_MESSAGES", f"{DOMAIN}.mo")
    with file.open("rb") as opened:
        return gettext.GNUTranslations(opened)


def accepted(header: str) -> str:
    """The language among ours that a browser wants most, by its `Accept-Language`; English if none."""
    wanted = []
    for part in header[:1000].split(","):
        name, _, said = part.strip().partition(";")
        quality = said.strip().removeprefix("q=") if said else "1"
        if re.fullmatch(r"[01](\.\d{1,3})?", quality):
            wanted.append((-float(quality), name.strip().lower().partition("-")[0]))
    return next(
        (name for weight, name in sorted(wanted, key=lambda each: each[0]) if weight and name in languages()),
        "en",
    )


def worded(text: str) -> str:
    """A text that was marked elsewhere, in the reader's language; any other as it is."""
    inner = text.strip(AROUND)
    if not inner:
        return text
    begin = text.index(inner)
    return text[:begin] + TRANSLATE.get()(inner) + text[begin + len(inner) :]


class Words(str):
    """A constant of a template. It compares and is looked up as it was written, and is shown in the reader's language,
    whoever reads it: what a template imports is made once for all."""

    __slots__ = ()

    def __html__(self) -> Markup:
        return escape(worded(str.__str__(self)))


class Worded(Extension):
    """Makes messages of the words of a template: what stands between tags, in attributes that people read, and in
    constants of several words or with a capital. What hangs together across values is said by `{% trans %}`, and a
    constant of one small word by `_`."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The template's tokens, each text looked up when it is shown."""
        place, before, statement, marked = Place(), "", "", False
        for token in stream:
            if token.type in ("block_begin", "variable_begin"):
                statement = ""
            elif token.type == "name" and before == "block_begin":
                statement = token.value
                marked = statement == "trans" or (marked and statement != "endtrans")
            if token.type == "data":
                for text, read in place.pieces(token.value):
                    if marked or not read:
                        yield Token(token.lineno, "data", text)
                    else:
                        yield from _looked_up(token.lineno, text)
            elif token.type == "string" and statement not in NAMES and place.is_read and speaks(token.value):
                yield from _called(token.lineno, "words", token.value)
            else:
                yield token
            before = token.type


NAMES = frozenset({"extends", "import", "include", "from", "trans"})
"""Statements whose constants are names of files, or are marked already."""


def speaks(constant: str) -> bool:
    """Whether a constant of a template is said to people."""
    several = re.search(r"[^\W\d_]{2,}[.,:;]? [^\W\d_]{2,}|^ ?[^\W\d_]{2,} $|^ [^\W\d_]{2,}", constant)
    capital = re.match(r"[A-Z][a-z]+\b", constant)
    return bool(several or capital) and not re.search(r"[<>={}#/%]", constant)


def _looked_up(line: int, text: str) -> Iterator[Token]:
    inner = text.strip(AROUND)
    if not WORD.search(ENTITY.sub("", inner)):
        yield Token(line, "data", text)
        return
    begin = text.index(inner)
    yield Token(line, "data", text[:begin])
    yield Token(line, "variable_begin", "{{")
    yield from _called(line, "gettext", " ".join(inner.split()).replace("%", "%%"))
    yield Token(line, "variable_end", "}}")
    yield Token(line, "data", text[begin + len(inner) :])


def _called(line: int, name: str, text: str) -> Iterator[Token]:
    yield Token(line, "name", name)
    yield Token(line, "lparen", "(")
    yield Token(line, "string", text)
    yield Token(line, "rparen", ")")


class Place:
    """Where in the HTML one is: templates are read in pieces, with values between them."""

    def __init__(self) -> None:
        self._quiet = 0
        self._tag = False
        self._quote = ""
        self._attribute = ""

    @property
    def is_read(self) -> bool:
        """Whether people read what stands here."""
        return self._attribute in READ if self._quote else not self._tag and not self._quiet

    def pieces(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text in pieces, and whether people read each."""
        while text:
            if self._quote:
                value, found, text = text.partition(self._quote)
                yield value, self._attribute in READ
                if found:
                    yield self._quote, False
                    self._quote = ""
            elif self._tag:
                end_of = re.search(r">|([\w-]+)=([\"'])", text)
                end = len(text) if end_of is None else end_of.end()
                yield text[:end], False
                text = text[end:]
                if end_of is not None and end_of[0] == ">":
                    self._tag = False
                elif end_of is not None:
                    self._attribute, self._quote = end_of[1], end_of[2]
            else:
                words, found, text = text.partition("<")
                yield words, not self._quiet
                if found:
                    named = re.match(r"(/?)(\w*)", text)
                    if named is not None and named[2] in QUIET:
                        self._quiet += -1 if named[1] else 1
                    self._tag = True
                    yield "<", False
