"""What is wrong with `[service]`, `[accounts.*]`, `[channels.*]` and `[[alarm]]`, in words and with lines.

Nothing here shows a value: it might be a secret in the wrong place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from connector.config.secrets import PREFIX, secret_name
from policies.language.document import Document, Path, Problem, did_you_mean, listed

SECRET_KEY = re.compile(r"(^|[_-])(token|secret|password|passwd|key|apikey)$", re.IGNORECASE)
TYPES = {
    "string_type": "takes text",
    "tuple_type": 'takes a list, such as ["a", "b"]',
    "frozen_set_type": 'takes a list, such as ["a", "b"]',
    "int_type": "takes a whole number",
    "float_type": "takes a number",
    "model_type": "takes a table",
    "model_attributes_type": "takes a table",
    "mapping_type": "takes a table",
    "dict_type": "takes a table",
    "bool_type": "takes true or false",
}
NAMED: Mapping[Path, str] = {("accounts",): "account", ("channels",): "channel"}
RANGES = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def translate(document: Document, error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """The problems behind a failed validation of the main file."""
    return tuple(_translated(document, details, model) for details in error.errors(include_url=False))


def plain_secrets(document: Document) -> tuple[Problem, ...]:
    """Every token, secret, password or key that is written out, or is no reference that could be resolved."""
    tables = {name: document.data.get(name) for name in ("service", "accounts")}
    return tuple(
        Problem(file=document.name, line=document.line(path), code=code, message=f"{_about(path)}: {text}")
        for path, value in _texts(tables, ())
        if (found := _judge_secret(path, value))
        for code, text in (found,)
    )


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text in tables and lists, but for `fields` and `statuses`, whose keys are not ours."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict) and path[2:3] not in {("fields",), ("statuses",)}:
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


def _judge_secret(path: Path, value: str) -> tuple[str, str] | None:
    key = path[-1]
    if not isinstance(key, str) or not SECRET_KEY.search(key):
        return None
    if not value.startswith(PREFIX):
        return "plain-secret", (
            f"`{key}` holds the secret itself. Keep it with `uptier secret set NAME` and write here "
            f'{key} = "secret:NAME"; replace it at the helpdesk if others could read this file.'
        )
    try:
        secret_name(value)
    except ValueError as error:
        return "bad-secret", f"`{key}`: {error}."
    return None


def _translated(document: Document, details: ErrorDetails, model: type[BaseModel]) -> Problem:
    path, table = _walk(details["loc"], model)
    code, text = _say(details, path, table)
    about = _about(path)
    return Problem(
        file=document.name,
        line=document.line(path),
        code=code,
        message=f"{about}: {text}" if about else text,
    )


def _say(details: ErrorDetails, path: Path, table: type[BaseModel] | None) -> tuple[str, str]:
    """The code and the sentence for one error."""
    kind, context = details["type"], details.get("ctx", {})
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    fields = table.model_fields if table else {}
    match kind:
        case "missing":
            return "missing", f"`{key}` is missing; add for example {_example(fields[key])}."
        case "extra_forbidden":
            hint = did_you_mean(key, fields) or f" Known here: {listed(sorted(fields), 'and')}."
            return "unknown-key", f"`{key}` is not a key here.{hint}"
        case "literal_error" | "enum":
            return _say_choice(key, details["input"], context["expected"])
        case _ if kind in TYPES:
            return "wrong-type", f"`{key}` {TYPES[kind]}."
        case _ if kind in RANGES:
            return "out-of-range", f"`{key}` {RANGES[kind].format(**context)}."
        case _:
            return kind, details["msg"]


def _say_choice(key: str, said: object, expected: str) -> tuple[str, str]:
    """A word that is none of those that can stand here; pydantic lists them as `'a', 'b' or 'c'`."""
    words = sorted(re.findall(r"'([^']+)'", expected))
    near = did_you_mean(said, words) if isinstance(said, str) else ""
    return "unknown-value", f"`{key}` is none of {listed(words)}.{near}"


def _example(field: FieldInfo) -> str:
    return str((field.examples or ["a value"])[0])


def _about(path: Path) -> str:
    if path[:1] in NAMED and len(path) > 1:
        return f'{NAMED[path[:1]]} "{path[1]}"'
    return str(path[0]) if len(path) > 1 else ""


def _inner(annotation: Any) -> Any:
    """What stands there if anything does: a table that may be left out is annotated as one or None."""
    args = get_args(annotation)
    if type(None) not in args:
        return annotation
    return next((one for one in args if isinstance(one, type) and issubclass(one, BaseModel)), annotation)


def _walk(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[Path, type[BaseModel] | None]:
    """The place in the file that a pydantic location means, and the model of the table that holds it."""
    path: Path = ()
    table: type[BaseModel] | None = None
    here: Any = model
    for step in loc:
        path = (*path, step)
        table = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        field = table.model_fields.get(str(step)) if table else None
        inner = get_args(here)
        here = (
            _inner(field.annotation) if field else next(iter(inner[:1] if ... in inner else inner[1:]), None)
        )
    return path, table
