"""The JSON API: what the pages show and do, for programs, and its description as OpenAPI 3.1. A bearer token says
who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.http import read_json
from connector.console import queries
from connector.console.access import Access, Asking, MustLogIn, NotAllowed, allow
from connector.console.commands import DONE, Refused, order, release
from connector.console.documents import Papers
from connector.console.frame import HEADERS
from connector.intake.inbox import VERBS
from connector.report import formats
from connector.store import codec, ledger
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from policies.model import Instant, TicketRef


def _get(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": ANSWERS}}


def _post(summary: str, schema: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        "post": {
            "summary": summary, "parameters": list(parameters), "requestBody": body, "responses": ANSWERS,
        }
    }  # fmt: skip


def _within(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


TEXT = {"type": "string"}
JSON: dict[str, Any] = {"application/json": {"schema": {}}}
ANSWERS = {
    "200": {"description": "Done.", "content": JSON},
    "400": {"description": "It was not asked in a way that can be done; the message says why."},
    "401": {"description": "No token, or one that is not known."},
    "403": {"description": "The token's user may not do this."},
    "404": {"description": "There is no such ticket."},
    "503": {"description": "The database cannot be used at the moment."},
}
TICKET = (_within("account"), _within("ticket"))
ORDER = {
    "type": "object",
    "required": ["verb"],
    "additionalProperties": TEXT,
    "properties": {
        "verb": {"enum": list(VERBS)},
        "policy": TEXT,
        "reason": TEXT,
        "level": TEXT,
        "for": {"type": "string", "description": "How long a snooze lasts, such as 2h."},
    },
}
RELEASE = {
    "type": "object",
    "required": ["account"],
    "properties": {"account": TEXT, "ticket": TEXT, "policy": TEXT, "reason": TEXT},
}
AFTER = {"name": "after", "in": "query", "schema": {"type": "integer", "default": 0}}
DUE: tuple[dict[str, Any], ...] = (
    *({"name": name, "in": "query", "schema": TEXT} for name in ("policy", "account", "within")),
    {"name": "from", "in": "query", "schema": {"type": "integer", "default": 0}},
)
DAYS = (
    {"name": "from", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "to", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "timezone", "in": "query", "schema": TEXT},
)

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Uptier", "version": "1"},
    "security": [{"bearer": []}],
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/api/v1/escalations": _get("What is escalated at this moment."),
        "/api/v1/due": _get(
            "What is overdue, held, waiting and coming, at most 200 tickets from a place on.", *DUE
        ),
        "/api/v1/health": _get("How the service is doing."),
        "/api/v1/ledger": _get("The ledger's lines behind an id, at most 500.", AFTER),
        "/api/v1/policies": _get("Each policy in plain words, and how often it spoke in seven days."),
        "/api/v1/matrix": _get("Who answers for which tickets, when, and what is missing."),
        "/api/v1/report": _get("The measures of some days; the last thirty if none are named.", *DAYS),
        "/api/v1/tickets/{account}/{ticket}": _get("All about one ticket.", *TICKET),
        "/api/v1/tickets/{account}/{ticket}/orders": _post("Leave an order for a ticket.", ORDER, *TICKET),
        "/api/v1/holds/release": _post("Let what is held go on.", RELEASE),
    },
}


BODY_CAP = 16 * 1024
Answer = Callable[[Request, Asking, dict[str, str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """All calls over one store."""

    store: Store
    now: Callable[[], Instant]
    access: Access
    papers: Papers
    health_now: Callable[[], queries.Health]

    def routes(self) -> list[BaseRoute]:
        """For the app that serves them."""
        return [
            Route("/api/v1/openapi.json", self.document),
            Route("/api/v1/escalations", self._answered(self.escalations)),
            Route("/api/v1/due", self._answered(self.due)),
            Route("/api/v1/health", self._answered(self.health)),
            Route("/api/v1/ledger", self._answered(self.lines)),
            Route("/api/v1/policies", self._answered(self.policies)),
            Route("/api/v1/matrix", self._answered(self.matrix)),
            Route("/api/v1/report", self._answered(self.report)),
            Route("/api/v1/tickets/{account}/{ticket}", self._answered(self.ticket)),
            Route(
                "/api/v1/tickets/{account}/{ticket}/orders", self._answered(self.give_order), methods=["POST"]
            ),
            Route("/api/v1/holds/release", self._answered(self.release), methods=["POST"]),
        ]

    def _answered(self, answer: Answer) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _body(request) if request.method == "POST" else {}
                return await run_in_threadpool(self._answer, answer, request, body)
            except MustLogIn:
                return _said(401, "bring a bearer token: uptier user token", {"WWW-Authenticate": "Bearer"})
            except NotAllowed as error:
                return _said(403, str(error))
            except (Refused, ValueError) as error:
                return _said(400, str(error))
            except StoreTrouble as trouble:
                return _said(503, str(trouble))

        return endpoint

    def _answer(self, answer: Answer, request: Request, body: dict[str, str]) -> Response:
        asking = self.access.bearer(request)
        found = answer(request, asking, body)
        if found is None:
            return _said(404, "not found")
        return Response(codec.dump(Any, found), 200, HEADERS, media_type="application/json")

    def document(self, _request: Request) -> Response:
        """What there is, as OpenAPI."""
        return JSONResponse(DOCUMENT, headers=HEADERS)

    def escalations(self, _request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """What is escalated at this moment."""
        with self.store.reading() as connection:
            return queries.now_page(connection)

    def due(self, request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """What is overdue, held, waiting and coming."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            return queries.due(connection, request.query_params, names, self.now())

    def health(self, _request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """How the service is doing."""
        return self.health_now()

    def lines(self, request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """The ledger's lines behind the id `after`, at most 500."""
        with self.store.reading() as connection:
            found = ledger.after(connection, ledger.line_id(request.query_params.get("after", "0")))
        return tuple(map(ledger.in_words, found))

    def policies(self, _request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """Each policy in plain words, and how often it spoke."""
        with self.store.reading() as connection:
            noise = queries.noise(connection, self.now())
        return {"policies": self.papers.policies(), "noise": noise}

    def matrix(self, _request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """Who answers for which tickets, and what is missing."""
        return self.papers.matrix()

    def report(self, request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """The measures of the days `from` to `to`."""
        return formats.document(self.papers.report(request.query_params, self.now()))

    def ticket(self, request: Request, _asking: Asking, _body: dict[str, str]) -> Any:
        """All about one ticket."""
        with self.store.reading() as connection:
            return queries.ticket_page(connection, _ref(request))

    def give_order(self, request: Request, asking: Asking, body: dict[str, str]) -> Any:
        """Leave an order for a ticket."""
        allow(asking, "operator")
        ref = _ref(request)
        running = self.papers.rules().policies
        verb = order(self.store, ref, body, asking.user.name, self.now(), running)
        return {"message": f"{ref}: {DONE[verb]}"}

    def release(self, _request: Request, asking: Asking, body: dict[str, str]) -> Any:
        """Let what is held go on."""
        account, ticket, policy, why = (
            body.get(key, "") for key in ("account", "ticket", "policy", "reason")
        )
        allow(asking, "operator" if ticket else "admin")
        released = release(self.store, account, ticket, policy, asking.user.name, why, self.now())
        return {"message": f"{released} released"}


async def _body(request: Request) -> dict[str, str]:
    """The fields of a JSON object, all of them text. Raises Refused."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > BODY_CAP:
            raise Refused("the body is larger than 16 KiB")
    try:
        found = read_json(bytes(read))
    except (ValueError, RecursionError):
        raise Refused("the body is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused("the body is an object whose values are text")
    return found


def _ref(request: Request) -> TicketRef:
    return TicketRef(request.path_params["account"], request.path_params["ticket"])


def _said(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    return JSONResponse({"message": text}, status, HEADERS | (more or {}))
