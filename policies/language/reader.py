"""One TOML table being read: takes values out by name and type, and notes what is wrong with its place.

A value that is missing and a value that is wrong both come back as None; the wrong one left a problem behind."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

from policies import model
from policies.language.document import Document, Path, Problem, did_you_mean, listed
from policies.model import Seconds

KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table and where it stands. `about` is how messages call it (`policy "urgent"`); problems are shared."""

    document: Document
    path: Path
    values: Mapping[str, Any]
    about: str
    problems: list[Problem] = field(repr=False)

    def report(
        self,
        key: str | int | Path,
        code: str,
        message: str,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Note a problem at this key, or at the table itself for ()."""
        steps = key if isinstance(key, tuple) else (key,)
        line = self.document.line((*self.path, *steps))
        text = f"{self.about}: {message}" if self.about else message
        self.problems.append(
            Problem(file=self.document.name, line=line, code=code, message=text, severity=severity)
        )

    def wrong_type(self, key: str | int | Path, value: object, wanted: str) -> None:
        """Note that a value is of another type than wanted, and what would do."""
        found = KINDS.get(type(value), "a date or time")
        name = ".".join(str(step) for step in key) if isinstance(key, tuple) else str(key)
        self.report(key, "wrong-type", f"`{name}` is {found}; write {wanted}.")

    def only(self, known: Collection[str]) -> None:
        """Note every key that is none of these."""
        for key in self.values:
            if key not in known:
                hint = did_you_mean(key, known) or f" Known here: {listed(sorted(known))}."
                self.report(key, "unknown-key", f"`{key}` is not a key here.{hint}")

    def require(self, key: str, example: str) -> bool:
        """Whether the key is there; if not, note it with an example."""
        if key not in self.values:
            self.report((), "missing", f"`{key}` is missing; add for example {example}.")
        return key in self.values

    def text(self, key: str, example: str) -> str | None:
        """A text that is not empty."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong_type(key, value, f"text, for example {example}")
            return None
        if not value.strip():
            self.report(key, "empty", f"`{key}` is empty; write for example {example}, or remove the line.")
            return None
        return value

    def word(self, key: str, words: Collection[str], code: str = "unknown-value") -> str | None:
        """A text that is one of these words."""
        value = self.text(key, f'"{next(iter(words))}"')
        if value is None or self.among(key, value, words, code):
            return value
        return None

    def among(self, key: str | Path, value: str, words: Collection[str], code: str = "unknown-value") -> bool:
        """Whether the value is one of these words; if not, note it."""
        if value in words:
            return True
        name = key if isinstance(key, str) else str(key[0])
        hint = did_you_mean(value, words) or f" Known: {listed(words)}."
        self.report(key, code, f'`{name}` says "{value}", which is not known.{hint}')
        return False

    def known(self, key: str, example: str, words: Collection[str], code: str) -> str | None:
        """A text; if it is none of these words, that is noted."""
        value = self.text(key, example)
        if value is not None:
            self.among(key, value, words, code)
        return value

    def all_known(self, key: str, example: str, words: Collection[str], code: str) -> tuple[str, ...] | None:
        """A list of texts; each that is none of these words is noted."""
        values = self.texts(key, example)
        for index, value in enumerate(values or ()):
            self.among((key, index), value, words, code)
        return values

    def exists(self, key: str | Path, kind: str, name: str, known: Collection[str], where: str = "") -> None:
        """Note that no table `[kinds.name]` stands in the files, and where to add it."""
        if name not in known:
            hint = did_you_mean(name, known) or f" Add [{kind}s.{name}]{where}."
            self.report(key, f"unknown-{kind}", f'there is no {kind} "{name}".{hint}')

    def texts(self, key: str, example: str) -> tuple[str, ...] | None:
        """A list of texts that is not empty, in file order."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.wrong_type(key, value, f"a list, for example {example}")
            return None
        if not value:
            self.report(key, "empty", f"`{key}` is an empty list; write for example {example}, or remove it.")
            return None
        good = [each for each in value if isinstance(each, str) and each.strip()]
        for index, each in enumerate(value):
            if each not in good:
                self.report((key, index), "wrong-type", f"`{key}` takes texts, for example {example}.")
        return tuple(good) if len(good) == len(value) else None

    def words(self, key: str, words: Collection[str]) -> frozenset[str]:
        """A list of some of these words; empty if there is none."""
        found = self.texts(key, f'["{next(iter(words))}"]') or ()
        return frozenset(each for index, each in enumerate(found) if self.among((key, index), each, words))

    def yes(self, key: str) -> bool:
        """true or false; false if it is not there."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.wrong_type(key, value, "true or false")
            return False
        return value

    def whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number from `least` to `most`."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong_type(key, value, f"a whole number from {least} to {most}")
            return None
        if not least <= value <= most:
            self.report(key, "out-of-range", f"`{key}` is {value}; write a number from {least} to {most}.")
            return None
        return value

    def amount(self, key: str) -> float | None:
        """A number, 0 or more."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.wrong_type(key, value, "a number, for example 500")
            return None
        if not 0 <= value < inf:
            self.report(key, "out-of-range", f"`{key}` is {value}; write a number from 0 on.")
            return None
        return value

    def seconds(self, key: str, calendar: str | None) -> Seconds | None:
        """A duration. On a calendar, days are noted as wrong: a working day has no fixed length."""
        text = self.text(key, '"30m"')
        if text is None:
            return None
        try:
            span = model.seconds(text)
        except ValueError as error:
            self.report(key, "bad-duration", f"`{key}`: {error}.")
            return None
        if calendar is not None and model.says_days(text):
            self.report(
                key,
                "days-on-calendar",
                f'`{key}` says "{text}", but a day is 24 hours and calendar "{calendar}" counts open hours; '
                f"say hours, for example {model.spell(span)!r} or fewer.",
            )
            return None
        return span

    def table(self, key: str, about: str | None = None) -> "Table | None":
        """A table inside this one."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong_type(key, value, "a table")
            return None
        return self.inside((key,), value, about)

    def tables(self, key: str) -> Iterator["Table"]:
        """The tables of an array of tables, in file order."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.wrong_type(key, value, f"an array of tables, each under [[{key}]]")
            return
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield self.inside((key, index), each)
            else:
                self.wrong_type((key, index), each, "a table")

    def named(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """The tables `[key.NAME]`, with their names."""
        if (outer := self.table(key)) is None:
            return
        for name in outer.values:
            if (inner := outer.table(name, f'{key} "{name}"')) is not None:
                yield name, inner

    def inside(self, steps: Path, values: Mapping[str, Any], about: str | None = None) -> "Table":
        """A table further in, sharing the problems."""
        return Table(
            document=self.document,
            path=(*self.path, *steps),
            values=values,
            about=self.about if about is None else about,
            problems=self.problems,
        )

    def called(self, about: str) -> "Table":
        """The same table under another name for messages."""
        return self.inside((), self.values, about)
