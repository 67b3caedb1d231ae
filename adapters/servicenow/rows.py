"""Values in the rows of an answer, asked for with `sysparm_display_value=all`.

A column is then `{"value": raw, "display_value": label}`. It may also be a plain text, null, or not there at
all: a column that we may not read is left out, or empty, with a 200. Raw stamps are UTC; labels are in the zone
and the format of whoever asks and are never read as values. Vendor sheet 1.3 and 1.6,
https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.base import AccessLost
from policies.model import Instant

Row = Mapping[str, Any]

FORM = "%Y-%m-%d %H:%M:%S"


def raw(row: Row, column: str) -> str | None:
    """The stored text of a column: empty where it holds nothing, None where the answer leaves it out."""
    if column not in row:
        return None
    held = row[column]
    if isinstance(held, Mapping):
        held = held.get("value", held.get("display_value"))
    return "" if held is None else str(held)


def text(row: Row, column: str) -> str:
    """The stored text of a column; empty also where it is hidden."""
    return raw(row, column) or ""


def label(row: Row, column: str) -> str:
    """What a column shows to people, else its stored text."""
    held = row.get(column)
    shown = held.get("display_value") if isinstance(held, Mapping) else None
    return str(shown) if shown else text(row, column)


def needed(row: Row, column: str) -> str:
    """The text of a column that we cannot work without; AccessLost where it is hidden or empty."""
    held = text(row, column)
    if not held:
        raise AccessLost(
            f"ServiceNow shows us no {column}. Let Uptier's user read that column (Access Control rules)"
        )
    return held


def number(row: Row, column: str) -> int | None:
    """A whole number, which comes as text; None where there is none."""
    held = text(row, column).strip()
    return int(held) if held.removeprefix("-").isdecimal() else None


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
