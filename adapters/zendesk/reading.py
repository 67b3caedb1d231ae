"""Values out of Zendesk's JSON, each of the kind that its reference gives it.

A row that holds another kind is `Odd`: it is set aside by name, and never read as if it were empty. Texts come
clean, without the halves of characters and the NULs that no database takes.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from requests import Response

from policies.model import Instant, Value

Row = Mapping[str, Any]

LONGEST = 19
"""Digits of an id: Zendesk's are 64 bits wide."""
SPOILED = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)|\x00")
"""Where an answer may hold half a surrogate pair or a NUL. Most hold none and need not be gone through."""
NO_CHARACTER = re.compile("[\ud800-\udfff\x00]")
NUMBER = re.compile(r"-?[0-9]{1,19}")


class Odd(ValueError):
    """A value is not of the kind that Zendesk says it has."""


def content(response: Response) -> dict[str, Any]:
    """The body as an object with clean texts; empty for HTML, an empty body and anything else that is none."""
    body = parsed(response)
    if not isinstance(body, dict):
        return {}
    whole: dict[str, Any] = clean(body) if SPOILED.search(response.content) else body
    return whole


def parsed(response: Response) -> Any:
    """The JSON, also where a text holds a bare control character or a number is longer than any of Zendesk's."""
    try:
        return response.json()
    except RecursionError:
        return None
    except ValueError:
        pass
    try:
        return json.loads(response.text, strict=False, parse_int=whole_number)
    except (ValueError, RecursionError):
        return None


def whole_number(digits: str) -> int | str:
    """A number; one with more digits than Python reads stays text, and makes its own row odd, not the page."""
    return int(digits) if len(digits) <= 2 * LONGEST else digits


def clean(value: Any) -> Any:
    """The same with every text fit to be stored: what is no character becomes U+FFFD."""
    if isinstance(value, str):
        return NO_CHARACTER.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: clean(each) for key, each in value.items()}
    return [clean(each) for each in value] if isinstance(value, list) else value


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
    return str(clean(repr(value)))[:60]
