"""Answers of a simulated helpdesk, and the rows that it keeps."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `body` is JSON-able, or text for an answer that is not JSON, or None for an empty one."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request is answered with an error and changes nothing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body}")
        self.reply = reply


def refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Refused:
    """Make the exception that carries this answer."""
    return Refused(Reply(status=status, body=body, headers=headers or {}))


def html_page(status: int, text: str) -> Reply:
    """A page for people where an answer for programs was due."""
    return Reply(status=status, body=text, headers={"Content-Type": "text/html; charset=utf-8"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one vendor answers. `preset` gives the usual answer of a status, for a fault that has no body of its own;
    `not_played` refuses what the simulator does not know; `cancelled` is what follows the result in a stream that is
    cut off by an error."""

    preset: Callable[[int], Reply]
    not_played: Callable[[str], Refused]
    json_type: str = "application/json; charset=utf-8"
    types_empty: bool = True  # an empty answer says a Content-Type all the same
    ascii: bool = False  # JSON is written in ASCII
    has_sessions: bool = False  # callers come with cookies, which are logged
    cancelled: Mapping[str, Any] = field(default_factory=dict)


Answer = Callable[[Request, bytes], Reply]


def answering(dialect: Dialect, played: Sequence[tuple[Sequence[str], str, Answer]]) -> list[Route]:
    """The routes of an API: methods, path, and what answers there; every other path answers 501."""

    def unknown(request: Request, _: bytes) -> Reply:
        raise dialect.not_played(f"{request.method} {request.url.path}")

    def route(methods: Sequence[str], path: str, answer: Answer) -> Route:
        async def served(request: Request) -> Response:
            content = await request.body()
            try:
                reply = answer(request, content)
            except Refused as refusal:
                reply = refusal.reply
            return _response(dialect, reply)

        return Route(path, served, methods=list(methods))

    return [route(*each) for each in (*played, (VERBS, "/{path:path}", unknown))]


def _response(dialect: Dialect, reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is None:
        kind = dialect.json_type if dialect.types_empty else None
        return Response(status_code=reply.status, headers=headers, media_type=kind)
    text = reply.body
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=dialect.ascii)
    return Response(text, status_code=reply.status, headers=headers, media_type=dialect.json_type)


def read_json(content: bytes, otherwise: Reply) -> Any:
    """The body of a request, None where there is none; Refused with `otherwise` if it is no JSON."""
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise Refused(otherwise) from None


def read_form(content: bytes) -> dict[str, str]:
    """The fields of a form."""
    return dict(parse_qsl(content.decode()))


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
