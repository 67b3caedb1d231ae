"""Values out of Zendesk's JSON, each of the kind that its reference gives it.

A row that holds another kind is `Odd`: it is set aside by name, and never read as if it were empty.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from requests import Response

from adapters.answers import clean, read_json
from policies.model import Instant, Value

Row = Mapping[str, Any]

NUMBER = re.compile(r"-?[0-9]{1,19}")
"""An id: 64 bits wide, and -1 is the system."""


class Odd(ValueError):
    """A value is not of the kind that Zendesk says it has."""


def content(response: Response) -> dict[str, Any]:
    """The body as an object with clean texts; empty for HTML, an empty body and anything else that is none."""
    try:
        body = read_json(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def ident(value: Any) -> str | None:
    """An id as text. Zendesk writes none as null, and in events and audits also as an empty text or a 0."""
    if value in (None, "", "0", 0) and value is not False:
        return None
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    if not plain or not NUMBER.fullmatch(str(value)):
        raise Odd(f"{shown(value)} is no id")
    return str(value)


def key_of(row: Any) -> str:
    """The row's own id; Odd without one."""
    found = ident(row.get("id")) if isinstance(row, dict) else None
    if found is None or found.startswith("-"):
        raise Odd("it has no id")
    return found


def named(row: Any) -> str:
    """The row's id as far as it can be told, else empty."""
    try:
        return key_of(row)
    except Odd:
        return ""


def text(row: Row, key: str) -> str:
    """A text; empty where Zendesk sent null or nothing."""
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise Odd(f"{key} is {shown(value)} and not a text")


def texts(row: Row, key: str) -> tuple[str, ...]:
    """A list of texts; empty where Zendesk sent null or nothing."""
    value = row.get(key)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise Odd(f"{key} is {shown(value)} and not a list of texts")


def instant(value: Any) -> Instant | None:
    """`2026-11-25T10:00:00Z` as an instant, to the second; None where there is none or it cannot be read. A time
    without a zone is none."""
    try:
        read = datetime.fromisoformat(value)
        at = int(read.timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
    return at if read.tzinfo is not None and at > 0 else None


def moment(row: Row, key: str) -> Instant:
    """An instant that must be there; Odd where it cannot be read."""
    at = instant(row.get(key))
    if at is None:
        raise Odd(f"{key} is {shown(row.get(key))} and not a time")
    return at


def value(raw: Any) -> Value:
    """A custom field's value; an empty text or list is none."""
    if isinstance(raw, list):
        if not all(isinstance(each, str | int) for each in raw):
            raise Odd(f"a field holds {shown(raw)}")
        return tuple(str(each) for each in raw) or None
    if raw is None or raw == "":
        return None
    if isinstance(raw, str | bool | int) or (isinstance(raw, float) and isfinite(raw)):
        return raw
    raise Odd(f"a field holds {shown(raw)}")


def shown(value: Any) -> str:
    """A value for a sentence, cut short."""
    return clean(repr(value))[:60]
