"""Records of a simulated account, by id, and the way control methods name them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]
Ref = int | str  # an id, or an address or a name
Rows = Iterable[Mapping[str, Any]]


def stamp(at: int) -> str:
    """Write epoch seconds in UTC, whole seconds, with a Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> int:
    """Read a stamp back; ValueError if it is none. Without a zone it is UTC."""
    read = datetime.fromisoformat(text)
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def add(
    table: dict[int, Record],
    rows: Rows,
    new_id: Callable[[], int],
    blank: Callable[[int, Mapping[str, Any]], Record],
    *not_json: str,
) -> list[int]:
    """Add rows; their ids, which are new where a row says none. A row's other keys overwrite those of the blank record,
    but for what control methods alone know."""
    made = []
    for row in rows:
        number = int(row["id"]) if "id" in row else new_id()
        table[number] = blank(number, row) | {key: value for key, value in row.items() if key not in not_json}
        made.append(number)
    return made


def find(
    table: Mapping[int, Record], ref: Ref, what: str, names: Callable[[Record], Iterable[Any]]
) -> Record:
    """The record of that id or with such a name; KeyError if there is none."""
    if isinstance(ref, int) and ref in table:
        return table[ref]
    for record in table.values():
        if ref in names(record):
            return record
    raise KeyError(f"the simulated account has no {what} {ref!r}; seed it first")
