"""Between a simulated helpdesk and Uptier: one thing at a time is broken in what the helpdesk answers.

A mutation of a *row* (a ticket's own row, or a row of its history) breaks one ticket. One of a *path* makes the answers
about one ticket fail. One of an *envelope* breaks an answer that is about no ticket alone: a page, the directory, the
probe, the token. The simulator knows nothing of it; its request log still says what it carried out.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HALF = "hello \ud83d"
"""Half of a surrogate pair: JSON can say it, UTF-8 cannot."""

ABSENT = object()
VALUES: Mapping[str, Any] = {
    "missing": ABSENT,
    "null": None,
    "a list": ["urgent"],
    "a list with a hole": [None, "urgent"],
    "a table": {"value": {"value": 7}},
    "a huge number": 10**30,
    "a truth": True,
    "a fraction": -0.5,
    "too long": "x" * 300_000,
    "half a character": HALF,
    "a NUL": "nul \0 inside",
    "an unknown word": "banana",
}
SHAPES: Mapping[str, str] = {
    "nothing": "",
    "no JSON": "<html><body>Bad Gateway</body></html>",
    "a table": '{"error": {"message": "no", "detail": "no", "title": "no"}, "status": "failure"}',
    "a sentence": '{"error": "NotPossible", "description": "no", "message": "no", "code": "no"}',
    "a list": "[]",
    "a null": "null",
    "a number": "7",
    "half": '{"tickets": [{"id": 1, "subj',
}
STATUSES = (400, 403, 404, 405, 409, 410, 415, 418, 422, 423, 451, 500, 501, 502, 503, 504, 520, 599)
UNSENT = ("Date", "Link", "X-Total-Count", "Content-Type", "X-RateLimit-Remaining", "Retry-After")


@dataclass
class Answer:
    """What the helpdesk answers, as it can still be broken."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Told = Callable[[str, str, str, dict[str, Any]], dict[str, Any] | None]
"""A mutation told as a function of method, path (with its query), the ticket's key and the answer (`status`,
`headers` by lower-case name, `json` or else `text`): the answer broken, or None where it is not concerned."""


@dataclass
class Mutation:
    """One thing that is broken. `ticket` is the helpdesk's key of the only ticket it is about, None for an envelope.
    `hits` counts the answers it broke."""

    about: Literal["row", "history", "path", "envelope"]
    what: str
    seed: int
    ticket: Any = None
    method: str = "GET"
    path: str = ""
    status: int | None = None
    shape: str | None = None
    value: str | None = None
    header: str | None = None
    applied: bool = False
    hits: int = 0
    field: str = ""
    told: Told | None = None

    def __str__(self) -> str:
        return f"{self.about} {self.what} {self.field}".strip()

    def wants(self, method: str, path: str) -> bool:
        """Whether this request's answer is to be broken."""
        if self.told is not None:
            return True
        if self.about in ("row", "history"):
            return method == "GET"
        return method == self.method and re.fullmatch(self.path, path) is not None


@dataclass
class Odd:
    """The simulator's ASGI app with mutations in front of it."""

    app: ASGIApp
    mutations: list[Mutation] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the helpdesk answer, and break it."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self.app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        whole = path + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        wanted = [each for each in list(self.mutations) if each.wants(method, path)]
        refusing = next((each for each in wanted if each.status is not None and not each.applied), None)
        if refusing is not None:
            await _read(receive)
            await _send(send, broken_whole(refusing, Answer(refusing.status or 500, [], b"")))
            return
        answer = await self._asked(scope, receive)
        if answer is None:
            return
        for each in wanted:
            answer = broken(each, method, whole, answer)
        await _send(send, answer)

    async def _asked(self, scope: Scope, receive: Receive) -> Answer | None:
        """The helpdesk's own answer; None where it dropped the connection."""
        said: list[Message] = []

        async def hear(message: Message) -> None:
            said.append(message)

        await self.app(scope, receive, hear)
        if not said:
            return None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in said[0]["headers"]]
        return Answer(said[0]["status"], headers, b"".join(each.get("body", b"") for each in said[1:]))


async def _read(receive: Receive) -> None:
    """The request to its end."""
    while (await receive()).get("more_body", False):
        pass


async def _send(send: Send, answer: Answer) -> None:
    kept = [(k, v) for k, v in answer.headers if k.lower() not in ("content-length", "transfer-encoding")]
    pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in kept]
    pairs.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})


def broken(mutation: Mutation, method: str, path: str, answer: Answer) -> Answer:
    """The answer with this mutation in it."""
    if mutation.told is not None:
        return broken_as_told(mutation, method, path, answer)
    if mutation.about in ("path", "envelope") and mutation.value is None:
        return broken_whole(mutation, answer)
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return answer
    if mutation.about == "envelope":
        said = broken_envelope(mutation, said)
    else:
        for row in rows(path, said):
            if str(row.ticket) == str(mutation.ticket) and row.history is (mutation.about == "history"):
                break_row(mutation, row)
    return Answer(answer.status, answer.headers, json.dumps(said).encode())


def broken_as_told(mutation: Mutation, method: str, path: str, answer: Answer) -> Answer:
    """The answer as the mutation's function makes it."""
    assert mutation.told is not None
    try:
        said, text = json.loads(answer.body), ""
    except (ValueError, RecursionError):
        said, text = None, answer.body.decode("utf-8", "surrogateescape")
    headers = {name.lower(): value for name, value in answer.headers}
    given = {"status": answer.status, "headers": headers, "json": said, "text": text}
    made = mutation.told(method, path, str(mutation.ticket), given)
    if made is None:
        return answer
    mutation.hits += 1
    body = made["text"] if made.get("json") is None else json.dumps(made["json"])
    return Answer(made["status"], list(made["headers"].items()), body.encode("utf-8", "surrogateescape"))


def broken_whole(mutation: Mutation, answer: Answer) -> Answer:
    """Another status, another body, or a header less."""
    mutation.hits += 1
    if mutation.header is not None:
        kept = [(k, v) for k, v in answer.headers if k.lower() != mutation.header.lower()]
        return Answer(answer.status, kept, answer.body)
    body = answer.body if mutation.shape is None else SHAPES[mutation.shape].encode()
    kind = [("Content-Type", "text/html" if body.startswith(b"<") else "application/json")]
    kept = [(k, v) for k, v in answer.headers if k.lower() != "content-type"]
    return Answer(mutation.status or answer.status, kept + kind, body)


def broken_envelope(mutation: Mutation, said: Any) -> Any:
    """The outermost thing, or one thing in it, is another."""
    mutation.hits += 1
    value = VALUES[mutation.value or "null"]
    if not isinstance(said, dict) or not said:
        return None if value is ABSENT else value
    names = sorted(said)
    mutation.field = names[mutation.seed % len(names)]
    if value is ABSENT:
        del said[mutation.field]
    else:
        said[mutation.field] = value
    return said


@dataclass
class Row:
    """One row of an answer: where it stands, and the ticket it belongs to."""

    within: Any
    at: Any
    ticket: Any
    history: bool


def rows(path: str, said: Any) -> Iterator[Row]:
    """The rows of an answer that are one ticket's, on any of the three helpdesks."""
    one = re.search(r"/tickets/([0-9]+)(/[a-z_]+)?", path)
    table = re.search(r"/table/([a-z_]+)", path)
    if table:
        yield from _table_rows(table[1], said)
    elif isinstance(said, list):  # Freshdesk's lists
        for at, row in enumerate(said):
            if isinstance(row, dict):
                yield Row(said, at, one[1] if one else row.get("id"), one is not None)
    elif isinstance(said, dict):
        if one and not one[2] and "id" in said:  # Freshdesk's one ticket
            yield Row({"": said}, "", said["id"], False)
        for name, history in (("tickets", False), ("ticket", False), ("audits", True), ("comments", True)):
            inside = said.get(name)
            if isinstance(inside, dict):
                yield Row(said, name, inside.get("id"), False)
            for at, row in enumerate(inside if isinstance(inside, list) else ()):
                if isinstance(row, dict):
                    yield Row(inside, at, one[1] if one and history else row.get("id"), history)


def _table_rows(table: str, said: Any) -> Iterator[Row]:
    owner = {
        "sys_audit": "documentkey",
        "sys_journal_field": "element_id",
        "task_sla": "task",
        "incident": "sys_id",
    }.get(table)
    inside = said.get("result") if isinstance(said, dict) else None
    if owner is None or inside is None:
        return
    listed = inside if isinstance(inside, list) else [inside]
    for at, row in enumerate(listed):
        if isinstance(row, dict):
            key = row.get(owner)
            key = key.get("value") if isinstance(key, dict) else key
            where = (said, "result") if listed is not inside else (inside, at)
            yield Row(*where, key, table != "incident")


KEPT = frozenset({"id", "sys_id", "documentkey", "element_id", "task"})
"""What says whose row it is."""


def break_row(mutation: Mutation, row: Row) -> None:
    """One field of the row is another thing, or the row itself is nothing."""
    mutation.hits += 1
    if mutation.value == "no row":
        if row.at != "":
            row.within[row.at] = None
        return
    said = row.within[row.at]
    names = sorted(set(said) - KEPT)
    if not mutation.field:
        mutation.field = names[mutation.seed % len(names)]
    value = VALUES[mutation.value or "null"]
    if value is ABSENT:
        said.pop(mutation.field, None)
    elif mutation.field in said:
        said[mutation.field] = value


def of_ticket(seed: int, ticket: Any, paths: Mapping[str, str]) -> Mutation:
    """Something that is wrong with this ticket alone. `paths` are patterns of its paths by method."""
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    about = chance.choice(("row", "row", "history", "path"))
    if about != "path":
        value = chance.choice((*VALUES, "no row"))
        return Mutation(about=about, what=value, seed=seed, ticket=ticket, value=value)  # type: ignore[arg-type]
    method = chance.choice(sorted(paths))
    status = chance.choice((*STATUSES, None))
    shape = chance.choice(sorted(SHAPES))
    applied = status is None or chance.random() < 0.3
    return Mutation(
        about="path",
        what=f"{method} answers {status or 'as ever'} with {shape}{', carried out' if applied else ''}",
        seed=seed,
        ticket=ticket,
        method=method,
        path=paths[method],
        status=status,
        shape=shape,
        applied=applied,
    )


def of_envelope(seed: int, paths: Mapping[str, str]) -> Mutation:
    """Something that is wrong with an answer about no ticket alone. `paths` are patterns by what they are for."""
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    purpose = chance.choice(sorted(paths))
    how = chance.choice(("status", "status", "shape", "value", "header"))
    made = Mutation(about="envelope", what="", seed=seed, path=paths[purpose])
    if how == "header":
        made.header = chance.choice(UNSENT)
        made.what = f"{purpose} without {made.header}"
    elif how == "value":
        made.value = chance.choice(sorted(VALUES))
        made.what = f"{purpose} with {made.value} in"
    else:
        made.status = chance.choice((*STATUSES, 401, 429)) if how == "status" else None
        made.shape = chance.choice(sorted(SHAPES))
        made.what = f"{purpose} answers {made.status or 'as ever'} with {made.shape}"
    return made
