"""What a person wrote in a message themselves: without quoted replies, signatures and what programs add.

Also folds a text for comparison, so that capitals, accents and line breaks do not matter.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import re2

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
