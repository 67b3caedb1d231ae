"""The JSON API: what the pages show and do, for programs. A bearer token says who asks.

`CALLS` has a row for each call: where it is, what it takes, the type of what it answers. The routes, the checks of what
is sent and the description as OpenAPI 3.1 are made of these rows, the schemas by pydantic from the dataclasses that are
answered: no value is described twice.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

from adapters.http import read_json
from connector.console import queries, story
from connector.console.access import Access, Asking, MustLogIn, NotAllowed, allow
from connector.console.commands import DONE, Refused, digest_of, order, release, undo, undo_shown
from connector.console.documents import Papers, Shown
from connector.console.frame import AGAIN_AFTER, HEADERS
from connector.console.listing import MODES, Now, now_page
from connector.console.planning import Planning, asked_for
from connector.console.planning import Shown as ShownPlan
from connector.intake.inbox import VERBS
from connector.report import formats
from connector.store import codec, holds, ledger, tickets, users
from connector.store.database import Store
from connector.store.due import STANDS, DuePage
from connector.store.escalated import SORTS, STATES
from connector.store.holds import Hold
from connector.store.ledger import LedgerEntry
from connector.store.trouble import StoreTrouble
from connector.store.users import Role, Token
from connector.work.context import NOT_KEPT, explained
from connector.work.undoing import Line
from policies.model import Instant, TicketRef
from policies.present.explain import PolicyTrace
from policies.present.matrix import Matrix

BODY_CAP = 16 * 1024
LONGEST = 1000
"""Characters of one value."""
LINES = 500
"""Of the ledger, in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One thing that a call takes, as text: a part of its address, of the query, or of the body."""

    name: str
    meaning: str = ""
    needed: bool = False
    one_of: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """What may stand there, as JSON Schema."""
        text: dict[str, Any] = {"type": "string", "maxLength": LONGEST}
        return text | ({"enum": list(self.one_of)} if self.one_of else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one call brings: who asks, and the words of address, query and body, each of which `Call.takes` names."""

    who: Asking
    words: Mapping[str, str]

    @property
    def ref(self) -> TicketRef:
        """The ticket of the address."""
        return TicketRef(self.words["account"], self.words["ticket"])

    def __getitem__(self, name: str) -> str:
        return self.words.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `gives` is the type of its answer, `pages` are the console's addresses that show or do the same, `role`
    is who may."""

    method: Literal["GET", "POST"]
    path: str
    summary: str
    gives: Any
    answer: Callable[["Api", Asked], Any]
    takes: tuple[Word, ...] = ()
    role: Role = "viewer"
    pages: tuple[str, ...] = ()

    @property
    def within(self) -> tuple[Word, ...]:
        """The words of the address."""
        return tuple(Word(name=name, needed=True) for name in re.findall(r"{(\w+)}", self.path))

    def described(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The call in OpenAPI's words."""
        taken = tuple((word, "path") for word in self.within)
        taken += tuple((word, "query") for word in self.takes) if self.method == "GET" else ()
        told: dict[str, Any] = {
            "summary": self.summary,
            "description": f"For a {self.role} and above.",
            "parameters": [
                {"name": word.name, "in": where, "required": word.needed, "description": word.meaning,
                 "schema": word.schema()}
                for word, where in taken
            ],
            "responses": {"200": {"description": "Done.", "content": _json(schema)}} | FAILURES,
        }  # fmt: skip
        if self.method == "POST":
            body = {
                "type": "object",
                "required": [word.name for word in self.takes if word.needed],
                "additionalProperties": False,
                "properties": {
                    word.name: word.schema() | {"description": word.meaning} for word in self.takes
                },
            }
            told["requestBody"] = {"required": True, "content": _json(body)}
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of an order, and on how many tickets, holds or tokens."""

    message: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why the last look at a ticket came to what it did, by policy; `note` says why nothing is told."""

    policies: tuple[PolicyTrace, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Each policy in words, with its modes, and the noise of seven days."""

    policies: tuple[Shown, ...]
    noise: tuple[queries.Noise, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """What an undo would do, and the digest that a yes to it brings."""

    lines: tuple[Line, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """All calls over one store."""

    store: Store
    now: Callable[[], Instant]
    access: Access
    papers: Papers
    planning: Planning
    health_now: Callable[[], queries.Health]

    def routes(self) -> list[BaseRoute]:
        """For the app that serves them."""
        served = [Route(call.path, self._answered(call), methods=[call.method]) for call in CALLS]

        def nothing(request: Request) -> Response:
            partly = [each for each in served if each.matches(request.scope)[0] is Match.PARTIAL]
            ways = sorted({way for each in partly for way in each.methods or ()})
            if ways:
                return _said(405, f"this address takes {', '.join(ways)}", {"Allow": ", ".join(ways)})
            return _said(404, "there is no such call; /api/openapi.json names all")

        def document(_request: Request) -> Response:
            return JSONResponse(described(), headers=HEADERS)

        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return [
            Route("/api/openapi.json", document),
            *served,
            Route("/api/v1/{rest:path}", nothing, methods=every),
        ]

    def _answered(self, call: Call) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _body(request) if call.method == "POST" else {}
                found = await run_in_threadpool(self._found, call, request, body)
            except MustLogIn:
                return _said(401, "bring a bearer token: uptier user token", {"WWW-Authenticate": "Bearer"})
            except NotAllowed as error:
                return _said(403, str(error))
            except TooLarge as error:
                return _said(413, str(error))
            except (Refused, ValueError) as error:
                return _said(400, str(error))
            except StoreTrouble as trouble:
                return _said(503, str(trouble), {"Retry-After": str(AGAIN_AFTER)})
            if found is None:
                return _said(404, "not found: no look has seen this ticket")
            return Response(codec.dump(Any, found), 200, HEADERS, media_type="application/json")

        return endpoint

    def _found(self, call: Call, request: Request, body: Mapping[str, str]) -> Any:
        asking = self.access.bearer(request)
        allow(asking, call.role)
        brought = body if call.method == "POST" else _query(request)
        _check(call.takes, brought)
        return call.answer(self, Asked(who=asking, words={**brought, **request.path_params}))

    def escalations(self, asked: Asked) -> Any:
        """What is escalated at this moment."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            return now_page(connection, asked.words, names, asked.who.user.name, self.now())

    def wall(self, asked: Asked) -> Any:
        """What a screen on a wall shows."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            return queries.wall(connection, asked.words, names, self.now())

    def front(self, _asked: Asked) -> Any:
        """How much there is of what."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            return queries.front(connection, names, self.now(), self.health_now())

    def due(self, asked: Asked) -> Any:
        """What is overdue, held, waiting and coming."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            return queries.due(connection, asked.words, names, self.now(), queries.SHOWN)

    def health(self, _asked: Asked) -> Any:
        """How the service is doing."""
        return self.health_now()

    def holds(self, _asked: Asked) -> Any:
        """What is held, the oldest first."""
        with self.store.reading() as connection:
            return holds.every(connection)

    def lines(self, asked: Asked) -> Any:
        """The ledger's lines behind one, or those before one."""
        before, after = asked["before"], asked["after"]
        if before and after:
            raise Refused("take `after` or `before`, not both")
        with self.store.reading() as connection:
            if before:
                place = None if before == "now" else ledger.line_id(before)
                found = ledger.newest(connection, LINES, place)
            else:
                found = ledger.after(connection, ledger.line_id(after or "0"), LINES)
        return tuple(map(ledger.in_words, found))

    def policies(self, _asked: Asked) -> Any:
        """Each policy in plain words, and how often it spoke."""
        with self.store.reading() as connection:
            noise = queries.noise(connection, self.now())
        return Policies(policies=self.papers.policies(), noise=noise)

    def matrix(self, asked: Asked) -> Any:
        """Who answers for which tickets, and what is missing."""
        return self.papers.matrix(asked["team"] or None, asked["policy"] or None)

    def teams(self, _asked: Asked) -> Any:
        """The teams that a matrix can be of."""
        return self.papers.teams()

    def report(self, asked: Asked) -> Any:
        """The measures of the days `from` to `to`."""
        return formats.document(self.papers.report(asked.words, self.now()))

    def ticket(self, asked: Asked) -> Any:
        """All about one ticket."""
        with self.store.reading() as connection:
            return story.ticket_page(connection, asked.ref, self.now())

    def explain(self, asked: Asked) -> Any:
        """Why the last look at a ticket came to what it did."""
        with self.store.reading() as connection:
            seen = story.ticket_page(connection, asked.ref, self.now())
        if seen is None:
            return None
        found = explained(seen.known, self.papers.rules().policies)
        return Explained(policies=found or (), note=NOT_KEPT if found is None else "")

    def ahead(self, asked: Asked) -> Any:
        """What a look at a ticket would come to later, if nobody does anything until then."""
        with self.store.reading() as connection:
            seen = story.ticket_page(connection, asked.ref, self.now())
        if seen is None:
            return None
        return story.ahead(self.store, self.papers.rules().policies, seen.ref, asked["in"], self.now())

    def give_order(self, asked: Asked) -> Any:
        """Leave an order for a ticket."""
        user, running = asked.who.user, self.papers.rules().policies
        with self.store.reading() as connection:
            meant = tickets.meant(connection, asked.ref)
        ref = meant[0] if len(meant) == 1 else asked.ref
        verb = order(self.store, ref, asked.words, user, self.now(), running)
        return Done(message=f"{ref}: {DONE[verb]}")

    def release(self, asked: Asked) -> Any:
        """Let what is held go on."""
        account, ticket, policy, why = (asked[key] for key in ("account", "ticket", "policy", "reason"))
        allow(asked.who, "operator" if ticket else "admin")
        many = release(self.store, account, ticket, policy, asked.who.user.name, why, self.now())
        return Done(message=f"{many} released", count=many)

    def undoable(self, asked: Asked) -> Any:
        """What an undo would do."""
        lines = undo_shown(self.store, asked.words, self.now())
        return Undoable(lines=lines, digest=digest_of(lines))

    def undo(self, asked: Asked) -> Any:
        """A yes to the undo that was shown."""
        many = undo(self.store, asked.words, asked.who.user.name, self.now())
        return Done(message=DONE["undo"], count=many)

    def plan(self, _asked: Asked) -> Any:
        """The plan as it was last asked for."""
        return self.planning.shown()

    def make_plan(self, asked: Asked) -> Any:
        """Begin to make a plan; it takes requests to the helpdesk."""
        running = self.papers.rules().policies
        names = tuple(each.name for each in running.policies)
        self.planning.begin(*asked_for(asked.words, names, tuple(self.papers.settings.accounts)))
        return Done(message="It is being made; GET /api/v1/plan has it when `progress` is empty.")

    def apply_plan(self, asked: Asked) -> Any:
        """A yes to the plan that was shown."""
        self.planning.apply(asked["hash"], asked.who.user.name)
        return Done(message=DONE["apply"])

    def tokens(self, asked: Asked) -> Any:
        """One's own tokens, and for an admin everybody's."""
        whose = None if asked.who.may("admin") else asked.who.user.name
        with self.store.reading() as connection:
            return users.tokens(connection, self.now(), whose)

    def revoke(self, asked: Asked) -> Any:
        """End one token."""
        allow(asked.who, "viewer" if asked["user"] == asked.who.user.name else "admin")
        with self.store.writing() as connection:
            if not users.revoke(connection, asked["user"], asked["name"]):
                raise Refused("there is no such token; it may have ended meanwhile")
        return Done(message=DONE["revoke"])


ACCOUNT = Word(name="account", meaning="The name of an account; all without it.")
POLICY = Word(name="policy", meaning="The name of a policy; all without it.")
REASON = Word(name="reason", meaning="Why; it stands in the ledger.")
UNDONE = (
    Word(name="episode", meaning="The key of an episode or of an undo, such as acme/7:vip:1."),
    Word(name="policy", meaning="In its place: all that this policy did."),
    Word(name="since", meaning="Since when that is, such as -2h, which it is without it, or a time."),
    Word(name="account", meaning="Only what it did there."),
)

CALLS: tuple[Call, ...] = (
    Call(
        method="GET",
        path="/api/v1/wall",
        summary="A small answer for a screen on a wall: counts by level, how many are late, and the worst tickets.",
        gives=queries.Wall,
        answer=Api.wall,
        takes=(ACCOUNT, Word(name="worst", meaning="How many tickets, 1 to 50; 10 without it.")),
        pages=("/wall",),
    ),
    Call(
        method="GET",
        path="/api/v1/overview",
        summary="How many are escalated by level and owner, what is late, held and coming by the hour, what fails, and "
        "how often levels fired in the last days.",
        gives=queries.Front,
        answer=Api.front,
        pages=("/",),
    ),
    Call(
        method="GET",
        path="/api/v1/escalations",
        summary="What is escalated at this moment, the worst first, at most 100 tickets from a place on; what is held.",
        gives=Now,
        answer=Api.escalations,
        takes=(
            Word(
                name="q",
                meaning="Words that stand in the ticket's id, subject, owner, team, level or policy.",
            ),
            ACCOUNT,
            Word(name="team", meaning="The group that has it at the helpdesk; - for none."),
            Word(name="owner", meaning="Who owns it; - for nobody."),
            POLICY,
            Word(name="level", meaning="The level that came last; - for none."),
            Word(name="state", meaning="How it stands.", one_of=STATES),
            Word(name="mode", meaning="What is enforced, or only observed.", one_of=tuple(MODES)),
            Word(
                name="mine", meaning="What the token's user owns, has or has acknowledged.", one_of=("yes",)
            ),
            Word(name="sort", meaning=f"One of {', '.join(SORTS)}; with - before it, the other way round."),
            Word(name="from", meaning="The place of the first, 0 without it."),
        ),
        pages=("/now",),
    ),
    Call(
        method="GET",
        path="/api/v1/due",
        summary="What is overdue, held, waiting and coming, at most 200 tickets from a place on.",
        gives=DuePage,
        answer=Api.due,
        takes=(
            POLICY,
            ACCOUNT,
            Word(name="state", meaning="How it stands.", one_of=STANDS),
            Word(name="within", meaning="Of what comes, only what comes within that time, such as 3h."),
            Word(name="from", meaning="The place of the first, 0 without it."),
        ),
        pages=("/due",),
    ),
    Call(
        method="GET",
        path="/api/v1/tickets/{account}/{ticket}",
        summary="All about one ticket, with what happened to it in one order.",
        gives=story.Seen,
        answer=Api.ticket,
        pages=("/tickets/{account}/{ticket}",),
    ),
    Call(
        method="GET",
        path="/api/v1/tickets/{account}/{ticket}/explain",
        summary="Why the last look at a ticket came to what it did, policy by policy.",
        gives=Explained,
        answer=Api.explain,
        pages=("/tickets/{account}/{ticket}",),
    ),
    Call(
        method="GET",
        path="/api/v1/tickets/{account}/{ticket}/ahead",
        summary="What a look at a ticket would come to after a time, if nobody does anything until then; from the "
        "store alone.",
        gives=story.Ahead,
        answer=Api.ahead,
        takes=(Word(name="in", meaning="How long, such as 4h.", needed=True),),
        pages=("/tickets/{account}/{ticket}",),
    ),
    Call(
        method="POST",
        path="/api/v1/tickets/{account}/{ticket}/orders",
        summary="Leave an order for a ticket.",
        gives=Done,
        answer=Api.give_order,
        takes=(
            Word(name="verb", meaning="What to do.", needed=True, one_of=VERBS),
            Word(name="policy", meaning="Of which policy; needed where several run."),
            REASON,
            Word(name="level", meaning="The level to escalate to."),
            Word(name="for", meaning="How long a snooze lasts, such as 2h."),
        ),
        role="operator",
        pages=("/tickets/{account}/{ticket}/orders", "/now/orders"),
    ),
    Call(
        method="GET",
        path="/api/v1/holds",
        summary="What is held until somebody releases it, the oldest first.",
        gives=tuple[Hold, ...],
        answer=Api.holds,
    ),
    Call(
        method="POST",
        path="/api/v1/holds/release",
        summary="Let what is held go on: a ticket; for an admin an account, or what the start of a policy holds.",
        gives=Done,
        answer=Api.release,
        takes=(
            Word(name="account", meaning="The name of the account.", needed=True),
            Word(name="ticket", meaning="One ticket of it."),
            Word(name="policy", meaning="What the start of this policy holds."),
            REASON,
        ),
        role="operator",
        pages=("/holds/release",),
    ),
    Call(
        method="GET",
        path="/api/v1/undo",
        summary="What an undo would do: of an episode, or of all that a policy did since a time.",
        gives=Undoable,
        answer=Api.undoable,
        takes=UNDONE,
        pages=("/undo",),
    ),
    Call(
        method="POST",
        path="/api/v1/undo",
        summary="Take back what GET showed.",
        gives=Done,
        answer=Api.undo,
        takes=(
            *UNDONE,
            Word(name="digest", meaning="The digest of what was shown.", needed=True),
            Word(name="reason", meaning="Why; it stands in the ledger.", needed=True),
        ),
        role="operator",
        pages=("/undo",),
    ),
    Call(
        method="GET",
        path="/api/v1/plan",
        summary="What would be done now, as it was last asked for, and what became of it.",
        gives=ShownPlan,
        answer=Api.plan,
        pages=("/plan",),
    ),
    Call(
        method="POST",
        path="/api/v1/plan",
        summary="Make a plan; it takes requests to the helpdesk.",
        gives=Done,
        answer=Api.make_plan,
        takes=(POLICY, ACCOUNT),
        role="operator",
        pages=("/plan",),
    ),
    Call(
        method="POST",
        path="/api/v1/plan/apply",
        summary="Have the service do what the plan says.",
        gives=Done,
        answer=Api.apply_plan,
        takes=(Word(name="hash", meaning="The hash of the plan.", needed=True),),
        role="operator",
        pages=("/plan/apply",),
    ),
    Call(
        method="GET",
        path="/api/v1/policies",
        summary="Each policy in plain words, and how often it spoke in seven days.",
        gives=Policies,
        answer=Api.policies,
        pages=("/policies",),
    ),
    Call(
        method="GET",
        path="/api/v1/matrix",
        summary="Who answers for which tickets, when, and what is missing.",
        gives=Matrix,
        answer=Api.matrix,
        takes=(POLICY, Word(name="team", meaning="One of those of GET /api/v1/teams; all without it.")),
        pages=("/matrix", "/matrix/paper", "/matrix/picture", "/matrix/pdf"),
    ),
    Call(
        method="GET",
        path="/api/v1/teams",
        summary="The teams that a matrix can be of.",
        gives=tuple[str, ...],
        answer=Api.teams,
    ),
    Call(
        method="GET",
        path="/api/v1/report",
        summary="The measures of some days; the last thirty if none are named.",
        gives=dict[str, Any],
        answer=Api.report,
        takes=(
            Word(name="from", meaning="The first day, such as 2026-11-01."),
            Word(name="to", meaning="The last day."),
            Word(name="timezone", meaning="Where these days are, such as Europe/Berlin."),
        ),
        pages=("/reports", "/reports/paper"),
    ),
    Call(
        method="GET",
        path="/api/v1/ledger",
        summary="At most 500 lines of the ledger: those behind one, oldest first, or before one, newest first.",
        gives=tuple[LedgerEntry, ...],
        answer=Api.lines,
        takes=(
            Word(
                name="after", meaning="The id of a line; 0, which it is without it, begins at the beginning."
            ),
            Word(name="before", meaning="The id of a line, or `now` for the newest."),
        ),
        pages=("/ledger",),
    ),
    Call(
        method="GET",
        path="/api/v1/health",
        summary="How the service is doing: accounts, feeds, channels, threads, budgets, and what is set aside.",
        gives=queries.Health,
        answer=Api.health,
        pages=("/health",),
    ),
    Call(
        method="GET",
        path="/api/v1/tokens",
        summary="The tokens that have not ended: your own, and for an admin everybody's.",
        gives=tuple[Token, ...],
        answer=Api.tokens,
        pages=("/tokens",),
    ),
    Call(
        method="POST",
        path="/api/v1/tokens/revoke",
        summary="End a token: your own, or as an admin anybody's.",
        gives=Done,
        answer=Api.revoke,
        takes=(
            Word(name="user", meaning="Whose token it is.", needed=True),
            Word(name="name", meaning="Its name.", needed=True),
        ),
        pages=("/tokens/revoke",),
    ),
)


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _failure(text: str) -> dict[str, Any]:
    said = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
    return {"description": text, "content": _json(said)}


FAILURES = {
    "400": _failure(
        "It was not asked in a way that can be done; the message says why, and nothing has changed."
    ),
    "401": _failure("No token, or one that is not known."),
    "403": _failure("The token's user may not do this."),
    "404": _failure("There is no such ticket."),
    "413": _failure("The body is larger than 16 KiB."),
    "503": _failure("The database cannot be used at the moment; Retry-After says when to try again."),
}


@cache
def described() -> dict[str, Any]:
    """All calls as OpenAPI 3.1. An instant is in seconds since 1970, UTC."""
    kinds = [(call.path + call.method, "serialization", TypeAdapter(call.gives)) for call in CALLS]
    schemas, shared = TypeAdapter.json_schemas(
        kinds,  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Any] = {}
    for call in CALLS:
        schema = schemas[call.path + call.method, "serialization"]
        paths.setdefault(call.path, {})[call.method.lower()] = call.described(schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Uptier",
            "version": "1",
            "description": "Instants are seconds since 1970, UTC.",
        },
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": shared.get("$defs", {}),
        },
        "paths": paths,
    }


class TooLarge(Exception):
    """More was sent than any call takes."""


async def _body(request: Request) -> dict[str, str]:
    """The fields of a JSON object, all of them text. Raises Refused or TooLarge."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > BODY_CAP:
            raise TooLarge("the body is larger than 16 KiB")
    try:
        found = read_json(bytes(read))
    except (ValueError, RecursionError):
        raise Refused("the body is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused("the body is an object whose values are text")
    return found


def _query(request: Request) -> dict[str, str]:
    """The words behind the address. Raises Refused for one that is there twice."""
    asked = request.query_params.multi_items()
    found = dict(asked)
    if len(found) < len(asked):
        raise Refused("a word stands in the address twice")
    return found


def _check(takes: tuple[Word, ...], brought: Mapping[str, str]) -> None:
    """Raise Refused for words that the call does not take, cannot do without, or not so."""
    known = {word.name: word for word in takes}
    for name, value in brought.items():
        if (word := known.get(name)) is None:
            there = f"it takes {', '.join(known)}" if known else "it takes none"
            raise Refused(f"there is no {name[:40]!r} here; {there}")
        if len(value) > LONGEST:
            raise Refused(f"{name} is longer than {LONGEST} characters")
        if word.one_of and value not in word.one_of:
            raise Refused(f"there is no {name} {value[:40]!r}; there are {', '.join(word.one_of)}")
    for word in takes:
        if word.needed and not brought.get(word.name, "").strip():
            raise Refused(f"{word.name} is missing")


def _said(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    return JSONResponse({"message": text}, status, HEADERS | (more or {}))
