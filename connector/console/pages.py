"""The console's addresses: a page each, the orders, the login, and the stream that says when to look again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from connector.console import seeing
from connector.console.access import (
    COOKIE,
    LASTS,
    Access,
    Asking,
    MustLogIn,
    NotAllowed,
    TooManyTries,
    check_form,
)
from connector.console.acting import Refused, order, release
from connector.console.frame import HEADERS, asset, page, paper
from connector.console.papers import Papers
from connector.matrix.page import as_html as matrix_html
from connector.report.page import as_html as report_html
from connector.settings_values import is_loopback
from connector.store import ledger
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from policies.explain import explain
from policies.model import Instant, TicketRef

FORM_CAP = 16 * 1024
STREAMS = 100
LOOK_EVERY = 1.0
MENU = (
    ("/", "Now"),
    ("/watch", "Watch list"),
    ("/policies", "Policies"),
    ("/matrix", "Matrix"),
    ("/reports", "Reports"),
    ("/ledger", "Ledger"),
    ("/health", "Health"),
)
Answer = Callable[[Request, Asking], Response]


@dataclass(slots=True, kw_only=True)
class Console:
    """All pages over one store."""

    store: Store
    now: Callable[[], Instant]
    access: Access
    papers: Papers
    budgets: seeing.Budgets
    streams: int = 0

    def routes(self) -> list[BaseRoute]:
        """For the app that serves them."""
        shown: Mapping[str, Answer] = {
            "/": self.now_page,
            "/watch": self.watch,
            "/tickets/{account}/{ticket}": self.ticket,
            "/policies": self.policies,
            "/matrix": self.matrix,
            "/matrix/paper": self.matrix_paper,
            "/reports": self.reports,
            "/reports/paper": self.report_paper,
            "/ledger": self.ledger,
            "/health": self.health,
        }
        return [
            *(Route(path, self._shown(answer)) for path, answer in shown.items()),
            Route("/static/{name}", self.static),
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/tickets/{account}/{ticket}/orders", self.give_order, methods=["POST"]),
            Route("/holds/release", self.release, methods=["POST"]),
            Route("/events", self.events),
        ]

    def _shown(self, answer: Answer) -> Callable[[Request], Any]:
        def guarded(request: Request) -> Response:
            try:
                self._from_our_host(request)
                return answer(request, self.access.of(request))
            except MustLogIn:
                return RedirectResponse("/login", 303, HEADERS)
            except NotAllowed as error:
                return self._error(403, str(error))
            except (Refused, ValueError) as error:
                return self._error(400, str(error))
            except StoreTrouble as trouble:
                return self._error(503, str(trouble))

        return guarded

    def _from_our_host(self, request: Request) -> None:
        if not self.access.knows_host(request):
            raise NotAllowed(f"the console is not known as {request.url.hostname}; see [service] hosts")

    def _error(self, status: int, text: str) -> Response:
        return page(
            "error.html", status, title="That did not work", text=text, menu=MENU, path="", asking=None
        )

    def _page(self, request: Request, asking: Asking, template: str, title: str, **words: Any) -> Response:
        said = request.query_params.get("said", "")
        frame: dict[str, Any] = {
            "menu": MENU,
            "path": request.url.path,
            "asking": asking,
            "title": title,
            "now": self.now(),
        }
        return page(template, said=said[:300], **frame, **words)

    def now_page(self, request: Request, asking: Asking) -> Response:
        """Who is escalated at this moment."""
        with self.store.reading() as connection:
            shown = seeing.now_page(connection)
        return self._page(request, asking, "now.html", "Now", shown=shown)

    def watch(self, request: Request, asking: Asking) -> Response:
        """The tickets nearest to a level."""
        with self.store.reading() as connection:
            rows = seeing.watch_page(connection)
        return self._page(request, asking, "watch.html", "Watch list", rows=rows, does=self.papers.levels())

    def ticket(self, request: Request, asking: Asking) -> Response:
        """All about one ticket."""
        ref = _ref(request)
        with self.store.reading() as connection:
            seen = seeing.ticket_page(connection, ref)
        if seen is None:
            return self._error(404, f"{ref} has not been seen")
        traces = sorted(seen.known.trace, key=lambda trace: not trace.levels)  # those that run first
        said = explain(tuple(traces)) if traces else "No policy can match this ticket."
        return self._page(
            request, asking, "ticket.html", str(ref), seen=seen, explained=said, does=self.papers.levels()
        )

    def policies(self, request: Request, asking: Asking) -> Response:
        """Each policy in plain words."""
        with self.store.reading() as connection:
            noise = {row.policy: row for row in seeing.noise(connection, self.now())}
        return self._page(
            request, asking, "policies.html", "Policies", policies=self.papers.policies(), noise=noise
        )

    def matrix(self, request: Request, asking: Asking) -> Response:
        """The page around the matrix."""
        return self._page(request, asking, "paper.html", "Matrix", address="/matrix/paper", form=None)

    def matrix_paper(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The matrix as `uptier matrix --format html` writes it."""
        return paper(matrix_html(self.papers.matrix()))

    def reports(self, request: Request, asking: Asking) -> Response:
        """The page around a report."""
        first, last = self.papers.days(request.query_params, self.now())
        address = f"/reports/paper?from={first}&to={last}"
        return self._page(
            request, asking, "paper.html", "Reports", address=address, form={"from": first, "to": last}
        )

    def report_paper(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The report as `uptier report --format html` writes it."""
        return paper(report_html(self.papers.report(request.query_params, self.now())))

    def ledger(self, request: Request, asking: Asking) -> Response:
        """What happened last, everywhere, or before a line."""
        before = request.query_params.get("before")
        with self.store.reading() as connection:
            lines = ledger.newest(
                connection, seeing.SHOWN, None if before is None else ledger.line_id(before)
            )
        older = lines[-1].id if len(lines) == seeing.SHOWN else None
        return self._page(request, asking, "ledger.html", "Ledger", lines=lines, older=older)

    def health(self, request: Request, asking: Asking) -> Response:
        """How the service is doing."""
        with self.store.reading() as connection:
            shown = seeing.health_page(connection, self.store.trouble, self.budgets, self.now())
        return self._page(request, asking, "health.html", "Health", shown=shown)

    def static(self, request: Request) -> Response:
        """Scripts and style."""
        return asset(request.path_params["name"]) or self._error(404, "there is no such file")

    async def give_order(self, request: Request) -> Response:
        """Leave an order for a ticket."""
        said = await _form(request)

        def act(request: Request, asking: Asking) -> Response:
            check_form(asking, said.get("csrf", ""), "operator")
            ref = _ref(request)
            text = order(self.store, ref, said, asking.user.name, self.now())
            return _back(f"/tickets/{ref.account}/{ref.id}", text)

        return await run_in_threadpool(self._shown(act), request)

    async def release(self, request: Request) -> Response:
        """Let what is held go on."""
        said = await _form(request)

        def act(_request: Request, asking: Asking) -> Response:
            account, ticket, why = (said.get(key, "") for key in ("account", "ticket", "reason"))
            check_form(asking, said.get("csrf", ""), "operator" if ticket else "admin")
            return _back("/", release(self.store, account, ticket, asking.user.name, why, self.now()))

        return await run_in_threadpool(self._shown(act), request)

    async def login(self, request: Request) -> Response:
        """The form, and what becomes of it."""
        if not self.access.knows_host(request):
            return self._error(403, "the console is not known by this name; see [service] hosts")
        if request.method == "GET":
            return page("login.html", title="Log in", text="", menu=(), asking=None)
        said = await _form(request)
        address = request.client.host if request.client else ""
        try:
            cookie, _ = await run_in_threadpool(
                self.access.log_in, said.get("name", ""), said.get("password", ""), address
            )
        except MustLogIn:
            return page(
                "login.html", 403, title="Log in", text="No such name and password.", menu=(), asking=None
            )
        except TooManyTries:
            return page("login.html", 429, title="Log in", text="Too many tries; wait.", menu=(), asking=None)
        answer = RedirectResponse("/", 303, HEADERS)
        secure = not is_loopback(request.url.hostname or "")
        answer.set_cookie(
            COOKIE, cookie, max_age=LASTS, httponly=True, samesite="strict", secure=secure, path="/"
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session."""
        said = await _form(request)

        def act(request: Request, asking: Asking) -> Response:
            check_form(asking, said.get("csrf", ""), "viewer")
            self.access.log_out(request)
            answer = RedirectResponse("/login", 303, HEADERS)
            answer.delete_cookie(COOKIE, path="/")
            return answer

        return await run_in_threadpool(self._shown(act), request)

    async def events(self, request: Request) -> Response:
        """Server-sent: one event whenever the ledger has grown, and a sign of life."""
        try:
            self._from_our_host(request)
            await run_in_threadpool(self.access.of, request)
        except (MustLogIn, NotAllowed):
            return Response(status_code=403)
        if self.streams >= STREAMS:
            return Response("too many pages listen", 503, {"Retry-After": "30"})
        headers = HEADERS | {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(request), headers=headers, media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        self.streams += 1
        try:
            seen = await run_in_threadpool(self._newest)
            yield "retry: 3000\n\n"
            while not await request.is_disconnected():
                await asyncio.sleep(LOOK_EVERY)
                newest = await run_in_threadpool(self._newest)
                yield f"event: changed\ndata: {newest}\n\n" if newest != seen else ": well\n\n"
                seen = newest
        finally:
            self.streams -= 1

    def _newest(self) -> int:
        try:
            with self.store.asking() as connection:
                return ledger.newest_id(connection)
        except StoreTrouble:
            return -1


async def _form(request: Request) -> Mapping[str, str]:
    """A form's fields, each once. Longer than any of ours is: nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_CAP:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _ref(request: Request) -> TicketRef:
    return TicketRef(request.path_params["account"], request.path_params["ticket"])


def _back(path: str, text: str) -> Response:
    from urllib.parse import quote

    return RedirectResponse(f"{path}?said={quote(text)}", 303, HEADERS)
