"""Values in the rows of an answer, asked for with `sysparm_display_value=all`.

A column is then `{"value": raw, "display_value": label}`. It may also be a plain text, null, or not there at
all: a column that we may not read is left out with a 200, and one that holds nothing is there and empty. Raw
stamps are UTC; labels are in the zone and the format of whoever asks and are never read as values. Vendor sheet
1.3 and 1.6, https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.answers import clean
from policies.model import Instant

Row = Mapping[str, Any]

FORM = "%Y-%m-%d %H:%M:%S"
NUMBER_DIGITS = 15


class OddValue(ValueError):
    """A column holds something that no column of this API holds."""


def raw(row: Row, column: str) -> str | None:
    """The stored text of a column: empty where it holds nothing, None where the answer leaves it out. Raises
    OddValue for a list and the like."""
    if column not in row:
        return None
    held = row[column]
    if isinstance(held, Mapping):
        if "value" not in held:  # what it shows to people is no id, and no empty reference either
            raise OddValue(f"{column} is an object without a value")
        held = held["value"]
    if held is None:
        return ""
    if isinstance(held, bool):
        return "true" if held else "false"
    if not isinstance(held, str | int | float):
        raise OddValue(f"{column} holds a {type(held).__name__}")
    return clean(str(held))


def text(row: Row, column: str) -> str:
    """The stored text of a column; empty also where it is hidden."""
    return raw(row, column) or ""


def user(row: Row, column: str) -> str:
    """The user name in a column; OddValue for what is no text, which would name somebody else."""
    held = row.get(column)
    name = held.get("value") if isinstance(held, Mapping) else held
    if not isinstance(name, str | None):
        raise OddValue(f"{column} is a {type(name).__name__}, not a user name")
    return text(row, column)


def label(row: Row, column: str) -> str:
    """What a column shows to people, else its stored text."""
    held = row.get(column)
    shown = held.get("display_value") if isinstance(held, Mapping) else None
    if shown is not None and not isinstance(shown, str | int | float):
        raise OddValue(f"the label of {column} is a {type(shown).__name__}")
    return clean(str(shown)) if shown else text(row, column)


def needed(row: Row, column: str) -> str:
    """The text of a column that nothing can be made without; OddValue where it is hidden or empty."""
    held = text(row, column)
    if not held:
        raise OddValue(f"{column} is not shown")
    return held


def number(row: Row, column: str) -> int | None:
    """A whole number, which comes as text; None where there is none."""
    held = text(row, column).strip()
    digits = held.removeprefix("-")
    return int(held) if digits.isdecimal() and len(digits) <= NUMBER_DIGITS else None


def truth(row: Row, column: str) -> bool | None:
    """A yes or no, which comes as `true`, `false` or `1`, `0`; None where it is hidden or empty."""
    held = text(row, column).lower()
    return None if not held else held in ("true", "1")


def instant(row: Row, column: str) -> Instant | None:
    """A stamp to the second; None where there is none or it cannot be read."""
    return moment(text(row, column))


def moment(stamp: str) -> Instant | None:
    """`2026-11-25 10:00:00`, which is UTC, as an instant; None if it is no stamp."""
    try:
        return int(datetime.strptime(stamp, FORM).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return None


def literal(at: Instant) -> str:
    """An instant as ServiceNow stores it and as filters must spell it."""
    return datetime.fromtimestamp(at, UTC).strftime(FORM)
