"""Custom fields have no declared kind: each line reads its field as the kind it asks for.

What cannot be read so is a missing value. Helpdesks send numbers and checkboxes as text at times.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite

from policies.fields import Field, Kind
from policies.model import Ticket, Value
from policies.operators import Operator, Wanted, every


def read_as(field: Field, kind: Kind) -> Field:
    """The custom field read as this kind; `custom` reads it as it is."""
    read, turn = field.read, TURN[kind]

    def turned(ticket: Ticket) -> Value:
        return turn(read(ticket))

    return replace(field, kind=kind, read=turned)


def kind_asked(operator: Operator, wanted: Wanted) -> Kind:
    """The kind of value that this operator and operand ask for."""
    if operator.name == "known":
        return "custom"
    if operator.operand in ("number", "holder"):
        return "number"
    if "list" in operator.kinds:
        return "list"
    first = every(wanted)[0]
    if isinstance(first, bool):
        return "yes_no"
    return "text" if isinstance(first, str) else "number"


def as_it_is(value: Value) -> Value:
    """An empty text or list is a missing value."""
    return None if value in ("", ()) else value


def as_text(value: Value) -> Value:
    """A text, or a number as text."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    return (value if isinstance(value, str) else f"{value:g}") or None


def as_number(value: Value) -> Value:
    """A number, or a text that is one."""
    if isinstance(value, bool) or value is None or isinstance(value, tuple):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def as_yes_no(value: Value) -> Value:
    """A yes or no, or the text `true` or `false`."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


def as_list(value: Value) -> Value:
    """A list; a single value is a list of one, a missing one an empty list."""
    if isinstance(value, tuple):
        return value
    text = as_text(value)
    return (text,) if isinstance(text, str) else ()


TURN: Mapping[Kind, Callable[[Value], Value]] = {
    "custom": as_it_is,
    "text": as_text,
    "number": as_number,
    "yes_no": as_yes_no,
    "list": as_list,
}
