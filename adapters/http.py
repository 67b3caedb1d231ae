"""A helpdesk's answer as JSON, with every text in it fit to be stored.

One odd character must not cost the whole answer: what is no character (half of a surrogate pair, NUL, bytes that
are no UTF-8) becomes U+FFFD, what is no number (NaN, Infinity, more digits than any id has) becomes null or text."""

import json
import math
import re
from typing import Any

NO_CHARACTER = re.compile("[\ud800-\udfff\x00]")
MAY_HOLD_ONE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)|\x00")
LONGEST_NUMBER = 40
"""Digits. Python refuses to read numbers of more than 4,300."""


def read_json(content: bytes) -> Any:
    """The JSON in these bytes. ValueError where there is none, RecursionError where it is nested too deeply."""
    said = json.loads(
        content.decode("utf-8-sig", "replace"),
        strict=False,
        parse_int=whole,
        parse_float=finite,
        parse_constant=lambda _: None,
    )
    return legible(said) if MAY_HOLD_ONE.search(content) else said


def whole(digits: str) -> int | str:
    """A whole number; as text where it is too long to be one."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def finite(digits: str) -> float | None:
    """A number with a point or exponent; None where it is beyond what a float holds."""
    value = float(digits)
    return value if math.isfinite(value) else None


def legible(value: Any) -> Any:
    """The same JSON value with every odd character replaced, in keys too."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [legible(each) for each in value]
    if isinstance(value, dict):
        return {clean(key): legible(each) for key, each in value.items()}
    return value


def clean(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair and every NUL: no database stores those."""
    return NO_CHARACTER.sub("\ufffd", text)
