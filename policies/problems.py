"""A fault in a config or policy file, as a value: where it is, what it is, and the next step."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal


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


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?` when one known word is close, else nothing; ready to append to a message."""
    spelled = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), list(spelled), n=1, cutoff=0.6)
    return f' Did you mean "{spelled[close[0]]}"?' if close else ""


def listed(words: Collection[str], last: str = "or") -> str:
    """Words for a sentence: `new, open or pending`; `none` if there are none."""
    *others, end = words or ("none",)
    return f"{', '.join(others)} {last} {end}" if others else end
