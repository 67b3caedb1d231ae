"""A TOML file as values, with the line of each value, and a fault in one as a value: where it is, what it is, what
next.

`tomllib` reads the values but keeps no positions. The scanner below walks the same text once more and only
notes lines; it runs after `tomllib` has accepted the text, so it never meets broken TOML.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One finding of `check`. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity} {self.code}: {self.message}"


NUMBERS = {
    word: str(number)
    for number, word in enumerate(("one", "two", "three", "four", "five", "six", "seven"), 1)
}
"""Numbers as people write them in names, such as "Tier One"."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?` when one known word is close, or has this word in it as no other, else nothing; ready to
    append to a message."""
    near = nearest(word, known)
    return "" if near is None else f' Did you mean "{near}"?'


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that is close, or has this word in it as no other; None if none is."""
    spelled = {name.casefold(): name for name in known}
    said = word.casefold()
    counted = re.sub(r"[a-z]+", lambda found: NUMBERS.get(found[0], found[0]), said)
    if counted in spelled:
        return spelled[counted]
    part = [name for name in spelled if said in name.split("_")]
    near = part if len(part) == 1 else get_close_matches(said, list(spelled), n=1, cutoff=0.6)
    return spelled[near[0]] if near else None


def listed(words: Collection[str], last: str = "or") -> str:
    """Words for a sentence: `new, open or pending`; `none` if there are none."""
    *others, end = words or ("none",)
    return f"{', '.join(others)} {last} {end}" if others else end


Path = tuple[str | int, ...]

SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
DOT = re.compile(r"[ \t]*\.[ \t]*")
STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # three quotes may be followed by two more
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
BARE = re.compile(r"[^,\]}#\n]*")
DEEPEST = 64
QUOTE = re.compile(r'(?<!\\)"')
WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file. `lines` maps the path of a value, such as `("policy", 0, "level", 1, "after")`, to its line."""

    name: str
    text: str = field(repr=False)
    data: Mapping[str, Any]
    lines: Mapping[Path, int] = field(repr=False)

    def line(self, path: Path) -> int:
        """The line of this value, counted from 1, or of the nearest value around it; 0 for the whole file."""
        for length in range(len(path), 0, -1):
            if (found := self.lines.get(path[:length])) is not None:
                return found
        return 0


def read(name: str, text: str) -> Document | Problem:
    """Read TOML text; `name` is what problems call the file. A syntax error is a Problem, and so are values that stand
    deeper within each other than anything of ours does."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return syntax_problem(name, text, str(error))
    except RecursionError:
        return _too_deep(name)
    if _is_deep(data):
        return _too_deep(name)
    return Document(name=name, text=text, data=data, lines=Scanner(text).scan())


def _is_deep(data: object) -> bool:
    within = [data]
    for _ in range(DEEPEST):
        tables = (
            one.values() if isinstance(one, dict) else one for one in within if isinstance(one, dict | list)
        )
        within = [each for values in tables for each in values]
    return any(isinstance(one, dict | list) for one in within)


def _too_deep(name: str) -> Problem:
    return Problem(
        file=name,
        line=0,
        code="too-deep",
        message=f"tables or lists stand within each other more than {DEEPEST} deep. Write them flatter.",
    )


def syntax_problem(name: str, text: str, message: str) -> Problem:
    """Move the place that tomllib puts into its message to the line of the problem."""
    place = WHERE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    said = WHERE.sub("", message)
    opens = [text.count("\n", 0, each.start()) + 1 for each in re.finditer('"""', text)]
    if place and place[1] is None and len(opens) % 2:
        line, step = (
            opens[-1],
            'The text that begins with """ on this line, or one before it, is never closed by """.',
        )
    elif len(QUOTE.findall(text.split("\n")[line - 1])) % 2:
        step = 'This line has a " too few or too many: most likely the one that closes a text is missing.'
    else:
        step = "Correct this line."
    return Problem(file=name, line=line, code="syntax", message=f"this is not valid TOML: {said}. {step}")


class Scanner:
    """Walks valid TOML text and notes at which line each key, array item and table begins."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {}
        self.newest: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        """Note everything; returns the lines."""
        table: Path = ()
        self.skip()
        while self.at < len(self.text):
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip()
        return self.lines

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, shape: re.Pattern[str]) -> str:
        """Step over what matches here, counting its lines."""
        match = shape.match(self.text, self.at)
        taken = match[0] if match else ""
        self.line += taken.count("\n")
        self.at += len(taken)
        return taken

    def skip(self) -> None:
        self.take(SPACE)

    def note(self, path: Path, line: int) -> None:
        """Remember where a value begins, and the tables that a dotted key opens on the way to it."""
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def keys(self) -> list[str]:
        """A dotted key, quotes taken off."""
        keys = [unquote(self.take(KEY))]
        while self.take(DOT):
            keys.append(unquote(self.take(KEY)))
        self.skip()
        return keys

    def header(self) -> Path:
        """`[table]` or `[[array of tables]]`; returns the path of the table it opens."""
        line = self.line
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        self.skip()
        path = self.resolve(self.keys())
        self.at += 2 if double else 1
        if double:
            self.newest[path] = self.newest.get(path, -1) + 1
            self.note(path, line)
            path = (*path, self.newest[path])
        self.note(path, line)
        return path

    def resolve(self, keys: list[str]) -> Path:
        """A header's path: a name before the last that is an array of tables means its newest table."""
        path: Path = ()
        for key in keys:
            if path in self.newest:
                path = (*path, self.newest[path])
            path = (*path, key)
        return path

    def pair(self, table: Path) -> None:
        """`key = value`."""
        line = self.line
        path = (*table, *self.keys())
        self.note(path, line)
        self.at += 1
        self.skip()
        self.value(path)

    def value(self, path: Path) -> None:
        """Any value; notes what lies inside arrays and inline tables."""
        match self.peek():
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case '"' | "'":
                self.take(STRING)
            case _:
                self.take(BARE)

    def array(self, path: Path) -> None:
        self.at += 1
        self.skip()
        index = 0
        while self.peek() != "]":
            self.note((*path, index), self.line)
            self.value((*path, index))
            self.comma()
            index += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip()
        while self.peek() != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        """Step over what stands between two items."""
        self.skip()
        if self.peek() == ",":
            self.at += 1
        self.skip()


def unquote(key: str) -> str:
    """A key as tomllib reads it."""
    if key[:1] not in {'"', "'"}:
        return key
    return str(tomllib.loads(f"key = {key}")["key"])


def canonical(values: object) -> str:
    """TOML values in their order, as one text; comments and spacing do not count."""
    return json.dumps(values, default=str, separators=(",", ":"), ensure_ascii=False)


def digest(values: object) -> str:
    """Twelve hex digits that stand for these values."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:12]
