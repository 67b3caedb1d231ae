"""Values as JSON text and back, exactly. The dataclasses themselves say the shape."""

import json
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from adapters.base import Receipt
from adapters.http import legible
from policies.model import Ticket
from policies.rules.judgement import Judgement

T = TypeVar("T")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(kind: type[T], value: T, *, sparse: bool = False) -> str:
    """The value as JSON, its texts fit to be stored; a `sparse` one is without what is as it is by default. `kind` is
    the type to ask for it again: `Ticket`, `tuple[Standing, ...]`. ValueError for a value that is not of its kind: it
    could not be read again."""
    adapter = _adapter(cast(Hashable, kind))
    try:
        return adapter.dump_json(value, warnings="error", exclude_defaults=sparse).decode()
    except PydanticSerializationError:  # it holds half a character
        told = adapter.dump_python(value, mode="json", warnings="error", exclude_defaults=sparse)
        return json.dumps(legible(told), ensure_ascii=False)


def load(kind: type[T], text: str) -> T:
    """The value that `dump` was given. pydantic.ValidationError when another version wrote something else."""
    value: T = _adapter(cast(Hashable, kind)).validate_json(text)
    return value


def dump_facts(ticket: Ticket) -> str:
    """A ticket as JSON, without what people wrote: messages keep their acts and lose their bodies."""
    silent = tuple(replace(message, body="") for message in ticket.messages)
    return dump(Ticket, replace(ticket, description="", messages=silent))


def load_receipt(text: str) -> Receipt:
    """A receipt, with the lists of JSON as the tuples they were."""
    receipt = load(Receipt, text)
    changed = tuple((name, _tuple(before), _tuple(after)) for name, before, after in receipt.changed)
    return replace(receipt, changed=changed)


def load_judged(text: str) -> tuple[Judgement, ...] | None:
    """What a look came to; None of a look that kept words in its place (migration 0025)."""
    return None if text == "null" else load(tuple[Judgement, ...], text)


def dump_names(names: frozenset[str]) -> str:
    """A set of names as JSON, sorted, so that equal sets are equal text; it is read again as `frozenset[str]`."""
    return dump(tuple[str, ...], tuple(sorted(names)))


def _tuple(value: Any) -> Any:
    return tuple(_tuple(one) for one in value) if isinstance(value, list) else value
