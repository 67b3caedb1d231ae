"""Encoded queries, built so that a value can never become a part of one.

`^` parts conditions and is doubled inside a value; a value that begins with `javascript:` would be run on the
instance; `^OR` binds only to the condition next to it, and `^NQ` is never used. Vendor sheet 1.4 and 1.7,
https://www.servicenow.com/docs/r/platform-user-interface/c_EncodedQueryStrings.html
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST_VALUES = 50
"""How many values one query names, so that its URL stays short enough for every proxy."""

LONGEST_VALUE = 255
SCRIPT = re.compile(r"\s*javascript:", re.IGNORECASE)
UNFIT = re.compile(r"[\x00-\x1f\x7f]")
SYS_ID = re.compile(r"[0-9A-Za-z_-]{1,32}")
COLUMN = re.compile(r"[a-z][a-z0-9_]{0,79}")
WHO_AM_I = "user_name=javascript:gs.getUserName()"
"""The one script that we send ourselves: it names the user behind our credentials."""


def is_safe(value: str) -> bool:
    """Whether a value can stand in a query at all. An empty one would ask for something else, and a very long one
    makes no URL."""
    return 0 < len(value) <= LONGEST_VALUE and not SCRIPT.match(value) and not UNFIT.search(value)


LOOKALIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
"""Letters that a database without accents may take for others, and that Unicode does not take apart."""


def folded(value: str) -> str:
    """The value as a database compares it that minds neither case nor accents."""
    apart = unicodedata.normalize("NFKD", value.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each)).translate(LOOKALIKE).strip()


def term(value: str) -> str:
    """A value as it stands in a query; ValueError for one that cannot."""
    if not is_safe(value):
        raise ValueError(f"{value[:40]!r} cannot stand in a query")
    return value.replace("^", "^^")


def equals(column: str, value: str) -> str:
    """The column holds exactly this, as far as the database's collation tells."""
    return f"{column}={term(value)}"


def any_of(column: str, values: Iterable[str]) -> str:
    """The column holds one of these. `IN` knows no escape for a comma, so this is a chain of `^OR`."""
    return "^OR".join(equals(column, value) for value in values)


def every_of(*conditions: str) -> str:
    """All of these hold; empty ones are left out. Each may be a chain of `^OR` at most."""
    return "^".join(condition for condition in conditions if condition)


def ordered(condition: str, *columns: str) -> str:
    """The condition, with its rows in the order of these columns, ascending."""
    return every_of(condition, *(f"ORDERBY{column}" for column in columns))


def behind(stamp: str, sys_id: str) -> str:
    """All rows after this one in the order of `sys_updated_on` and `sys_id`; without an id, from the stamp on.

    Reads as: not older than T, and (newer than T or with a greater id).
    """
    since = f"sys_updated_on>={term(stamp)}"
    if not sys_id:
        return since
    return f"{since}^sys_updated_on>{term(stamp)}^ORsys_id>{term(sys_id)}"


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """The different values that can stand in a query, as many at a time as one may name."""
    fit = [value for value in dict.fromkeys(values) if is_safe(value)]
    for start in range(0, len(fit), MOST_VALUES):
        yield fit[start : start + MOST_VALUES]
