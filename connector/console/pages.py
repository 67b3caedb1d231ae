"""The console's addresses: a page each, the orders, the login, and the stream that says when to look again."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from connector.console import listing, queries, story
from connector.console.access import (
    BACK,
    INVITED_FOR,
    SIGN_ON,
    WITHIN,
    Access,
    Asking,
    MustLogIn,
    NotAllowed,
    NotVouched,
    TooManyTries,
    allow,
    check_form,
)
from connector.console.commands import (
    DONE,
    LinkOver,
    Refused,
    act,
    digest_of,
    give_many,
    good_link,
    order,
    release,
    undo,
    undo_shown,
)
from connector.console.documents import Papers
from connector.console.frame import AGAIN_AFTER, HEADERS, asset, drawing, page, paper
from connector.console.language import languages
from connector.console.planning import Planning, asked_for
from connector.console.reader import read_by, zone_named, zone_names
from connector.console.trying import Trying, toml_of
from connector.intake.inbox import VERBS
from connector.matrix.picture import WIDTH, CannotPrint, Panel, as_pdf, as_svg, drawn, panels
from connector.matrix.tables import Ladder, about, ladders, remarks
from connector.matrix.tables import as_html as matrix_html
from connector.report.formats import HEADLINES
from connector.report.formats import as_html as report_html
from connector.report.formats import grids as report_grids
from connector.report.formats import lead as report_lead
from connector.store import escalated, ledger, users
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from connector.store.users import User
from connector.work.context import NOT_KEPT, explained
from connector.work.links import PATH, WORD, Links
from policies.language.policy import Policy
from policies.model import Instant, Seconds, TicketRef, message

if TYPE_CHECKING:
    from connector.console.sign_on import SignOn

FORM_CAP = 64 * 1024
TRIAL_LOOKS: Seconds = 2
"""How often the page of a trial looks again by itself."""
STREAMS = 100
STREAMS_EACH = 8
"""Pages that listen at once: of all users, and of one."""
LOOK_EVERY = 1.0
HASH_AT_ONCE = 2
"""Passwords that are checked at once: a check takes 64 MiB and four cores."""
ASKED_AT_ONCE = 4
"""People about whom the single sign-on provider is asked at once."""
WALL_EVERY: Seconds = 30
WAIT_AT_MOST = 40
"""Of each of the two, with those whose turn it is."""
MENU = (
    ("/", "Overview"),
    ("/now", "Now"),
    ("/due", "Due"),
    ("/plan", "Plan"),
    ("/policies", "Policies"),
    ("/matrix", "Matrix"),
    ("/reports", "Reports"),
    ("/ledger", "Ledger"),
    ("/health", "Health"),
)
SPANS = (7, 30, 90)
"""So many days back a report is offered of; the first if none are named."""
GIVEN = "orders"
"""What an address says behind which what became of orders is shown."""
LONGEST_VIEW = 60
LOOK = "uptier-look"
LOOKS = ("light", "dark")
LOOK_LASTS: Seconds = 365 * 86400
Answer = Callable[[Request, Asking], Response]
Act = Callable[[Request, Asking, Mapping[str, str]], Response]

log = structlog.get_logger()


ELSEWHERE = message("the form is from another site")
BUSY = message("Too many log in at this moment; try again in a few seconds.")


ACTS: Mapping[str, str] = {
    "acknowledge": message("Acknowledge"),
    "snooze": message("Snooze"),
    "approve": message("Approve"),
    "reject": message("Reject"),
}
"""The links in messages, as their pages are titled."""
QUIETLY = HEADERS | {"Referrer-Policy": "no-referrer"}


class TooManyWait(Exception):
    """There is no room to wait."""


class Turns:
    """Lets few calls go on at once and few wait. For one event loop."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._there = 0

    async def take(self, call: Callable[[], Response]) -> Response:
        """The call's answer, made in another thread when its turn has come. Raises TooManyWait."""
        if self._there >= WAIT_AT_MOST:
            raise TooManyWait
        self._there += 1
        try:
            async with self._free:
                return await run_in_threadpool(call)
        finally:
            self._there -= 1


@dataclass(slots=True, kw_only=True)
class Console:
    """All pages over one store."""

    store: Store
    now: Callable[[], Instant]
    access: Access
    papers: Papers
    planning: Planning
    trying: Trying
    health_now: Callable[[], queries.Health]
    sign_on: "SignOn | None"
    links: Links | None = None
    streams: Counter[str] = field(default_factory=Counter)
    hashing: Turns = field(default_factory=lambda: Turns(HASH_AT_ONCE))
    asking: Turns = field(default_factory=lambda: Turns(ASKED_AT_ONCE))

    def routes(self) -> list[BaseRoute]:
        """For the app that serves them."""
        shown: Mapping[str, Answer] = {
            "/": self.front,
            "/now": self.now_page,
            "/due": self.due,
            "/tickets/{account}/{ticket}": self.ticket,
            "/plan": self.plan,
            "/undo": self.undo,
            "/policies": self.policies,
            "/policies/try": self.try_page,
            "/matrix": self.matrix,
            "/matrix/paper": self.matrix_paper,
            "/matrix/picture": self.matrix_picture,
            "/matrix/pdf": self.matrix_pdf,
            "/reports": self.reports,
            "/reports/paper": self.report_paper,
            "/ledger": self.ledger,
            "/health": self.health,
            "/tokens": self.tokens,
            "/settings": self.settings,
        }
        sent: Mapping[str, Act] = {
            "/logout": self.logout,
            "/look": self.choose_look,
            "/settings": self.set_reading,
            "/tokens/revoke": self.revoke,
            "/tickets/{account}/{ticket}/orders": self.give_order,
            "/now/orders": self.give_orders,
            "/views": self.keep_view,
            "/holds/release": self.release,
            "/undo": self.take_back,
            "/plan": self.make_plan,
            "/plan/apply": self.apply_plan,
            "/policies/try": self.try_change,
            "/policies/try/cancel": self.cancel_trial,
        }
        return [
            *(Route(path, self._shown(answer)) for path, answer in shown.items()),
            Route("/static/{name}", self.static),
            Route("/login", self.login, methods=["GET", "POST"]),
            Route(f"{PATH}{{word}}", self.act, methods=["GET", "POST"]),
            Route("/wall", self.wall, methods=["GET", "POST"]),
            Route("/login/provider", self.to_provider),
            Route(BACK, self.from_provider),
            Route("/first", self.first, methods=["GET", "POST"]),
            *(Route(path, self._sent(act), methods=["POST"]) for path, act in sent.items()),
            Route("/events", self.events),
        ]

    def _shown(self, answer: Answer) -> Callable[[Request], Any]:
        def guarded(request: Request) -> Response:
            try:
                read_by(request, None)
                self._from_our_host(request)
                asking = self.access.of(request)
                read_by(request, asking.user)
                return answer(request, asking)
            except MustLogIn:
                return RedirectResponse("/login", 303, HEADERS)
            except NotAllowed as error:
                return self._error(403, str(error))
            except (Refused, ValueError) as error:
                return self._error(400, str(error))
            except StoreTrouble as trouble:
                return _later(self._error(503, str(trouble)), AGAIN_AFTER)

        return guarded

    def _sent(self, act: Act) -> Callable[[Request], Any]:
        """An answer to a form that changes something: it comes from a page of ours, and brings its session's word."""

        async def guarded(request: Request) -> Response:
            if self._from_elsewhere(request):
                return self._error(403, ELSEWHERE)
            said = await _form(request)

            def checked(request: Request, asking: Asking) -> Response:
                check_form(asking, said.get("csrf", ""))
                return act(request, asking, said)

            return await run_in_threadpool(self._shown(checked), request)

        return guarded

    def _from_elsewhere(self, request: Request) -> bool:
        """Whether a browser says that a page of another site sent this form."""
        site = request.headers.get("sec-fetch-site", "")
        if site == "same-origin" and request.headers.getlist("origin") == ["null"]:
            return False  # from a page that tells nobody its address: the browser vouches for it all the same
        return site in {"cross-site", "same-site"} or not self.access.knows_origin(request)

    def _from_our_host(self, request: Request) -> None:
        if not self.access.knows_host(request):
            raise NotAllowed("the console is not known by this name; see [service] hosts")

    def _error(self, status: int, text: str) -> Response:
        return page(
            "error.html", status, title="That did not work", text=text, menu=MENU, path="", asking=None
        )

    def _page(self, request: Request, asking: Asking, template: str, title: str, **words: Any) -> Response:
        said = DONE.get(request.query_params.get("said", ""), "")
        frame: dict[str, Any] = {
            "menu": MENU,
            "path": request.url.path,
            "asking": asking,
            "title": title,
            "now": self.now(),
            "look": look_of(request),
        }
        return page(template, said=said, **frame, **words)

    def front(self, request: Request, asking: Asking) -> Response:
        """The first page somebody comes to: how much there is of what, each figure the way to its list."""
        names = tuple(self.papers.settings.accounts)
        with self.store.reading() as connection:
            shown = queries.front(connection, names, self.now(), self.health_now())
        return self._page(request, asking, "front.html", "Overview", shown=shown)

    def choose_look(self, _request: Request, _asking: Asking, said: Mapping[str, str]) -> Response:
        """Light or dark, whatever the browser says; kept by the browser."""
        back = said.get("back", "")
        answer = RedirectResponse(back if back in dict(MENU) else "/", 303, HEADERS)
        if said.get("look") not in LOOKS:
            answer.delete_cookie(LOOK)
        else:
            answer.set_cookie(LOOK, said["look"], LOOK_LASTS, httponly=True, samesite="strict")
        return answer

    def now_page(self, request: Request, asking: Asking) -> Response:
        """Who is escalated at this moment, as far as the address asks for it, and what became of the orders given."""
        asked = {name: request.query_params.get(name, "") for name in listing.ASKED}
        of, at = tuple(self.papers.settings.accounts), self.now()
        with self.store.reading() as connection:
            shown = listing.now_page(connection, asked, of, asking.user.name, at)
            choices = listing.with_asked(escalated.choices(connection, listing.CHOICES), asked)
            views = users.views(connection, asking.user.name)
            given = request.query_params.get("said") == GIVEN
            told = listing.load_told(self.access.told(connection, request)) if given else None
            fates = {} if told is None else listing.fates(connection, told)
        running = self.papers.rules().policies
        return self._page(
            request,
            asking,
            "now.html",
            "Now",
            shown=shown,
            asked=asked,
            link=partial(listing.address, asked),
            first=listing.start_of(asked),
            size=listing.PAGE,
            choices=choices,
            accounts=of,
            policies=tuple(each.name for each in running.policies),
            levels=tuple(dict.fromkeys(level for _, level in self.papers.levels())),
            views=views,
            told=told,
            fates=fates,
        )

    def give_orders(self, request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Leave an order for each ticket that is selected; what became of each, the list says."""
        allow(asking, "operator")
        verb = said.get("verb", "")
        if verb not in (*VERBS, "release"):
            raise Refused(f"there is no order {verb!r}; there are {', '.join(VERBS)}, release")
        at = self.now()
        with self.store.reading() as connection:
            after = ledger.newest_id(connection)
        orders = give_many(self.store, said, asking.user, at, self.papers.rules().policies)
        told = listing.Told(verb=verb, who=asking.user.name, at=at, after=after, orders=orders)
        self.access.tell(request, listing.dump_told(told))
        back = listing.address(dict(parse_qsl(said.get("back", ""))), said=GIVEN)
        return RedirectResponse(back, 303, HEADERS)

    def keep_view(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Keep the list's address under a word of the user's own, or forget one."""
        asked = dict(parse_qsl(said.get("back", "")))
        called, gone = said.get("name", "").strip(), said.get("forget", "")
        with self.store.writing() as connection:
            if gone:
                users.drop_view(connection, asking.user.name, gone)
            elif not called or len(called) > LONGEST_VIEW or not called.isprintable():
                raise Refused(f"a view has a name of 1 to {LONGEST_VIEW} characters")
            elif not users.keep_view(connection, asking.user.name, called, listing.address(asked)):
                raise Refused(f"you keep {users.VIEWS} views, which are as many as there can be; forget one")
        back = listing.address(asked, said="unview" if gone else "view")
        return RedirectResponse(back, 303, HEADERS)

    def due(self, request: Request, asking: Asking) -> Response:
        """What is overdue, held, waiting and coming."""
        asked = {name: request.query_params.get(name, "") for name in listing.ASKED_OF["/due"]}
        names, state = tuple(self.papers.settings.accounts), asked["state"]
        with self.store.reading() as connection:
            shown = queries.due(connection, asked, names, self.now(), listing.PAGE)
        return self._page(
            request,
            asking,
            "due.html",
            "Due",
            shown=shown,
            asked=asked,
            link=partial(listing.address, asked, "/due"),
            first=queries.start_of(asked),
            size=listing.PAGE,
            total=sum(many for stand, many in shown.counts.items() if state in ("", stand)),
            accounts=names,
            policies=tuple(each.name for each in self.papers.rules().policies.policies),
            does=self.papers.levels(),
        )

    def ticket(self, request: Request, asking: Asking) -> Response:
        """All about one ticket, with what a look would come to after the time that is asked for."""
        ref, now, asked = _ref(request), self.now(), dict(request.query_params)
        with self.store.reading() as connection:
            seen = story.ticket_page(connection, ref, now)
        if seen is not None and seen.ref != ref:  # it was asked for by its number
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{_address(seen.ref)}{query}", 303, HEADERS)
        if seen is None:
            return self._error(404, f"{ref} has not been seen")
        running = self.papers.rules().policies
        found = explained(seen.known, running)
        matter, rest = story.by_weight(found or ())
        told, first = story.happenings(seen.timeline), queries.start_of(asked)
        return self._page(
            request,
            asking,
            "ticket.html",
            seen.known.ticket.name,
            seen=seen,
            matter=matter,
            rest=rest,
            note=NOT_KEPT if found is None else "" if found else "No policy can match this ticket.",
            told=told[first : first + story.AT_ONCE],
            first=first,
            newer=max(first - story.AT_ONCE, 0) if first else None,
            older=first + story.AT_ONCE if first + story.AT_ONCE < len(told) else None,
            here=f"{request.url.path}?{urlencode({'from': first})}" if first else request.url.path,
            ahead=story.ahead(self.store, running, ref, asked.get("ahead", ""), now),
            does=self.papers.levels(),
        )

    def policies(self, request: Request, asking: Asking) -> Response:
        """Each policy in plain words."""
        with self.store.reading() as connection:
            noise = {row.policy: row for row in queries.noise(connection, self.now())}
        return self._page(
            request,
            asking,
            "policies.html",
            "Policies",
            policies=self.papers.policies(),
            noise=noise,
            tries=self.trying.past() is not None,
        )

    def try_page(self, request: Request, asking: Asking) -> Response:
        """A change of a policy: how far its trial is, what came of it, and the form."""
        allow(asking, "operator")
        policy = self._policy(request.query_params.get("policy", ""))
        trial = self.trying.shown()
        kept = trial and trial.policy == policy.name and not request.query_params.get("anew")
        text = trial.text if trial and kept else toml_of(policy.text)
        shown = self._try_form(request, asking, policy.name, text)
        if trial is not None and trial.progress:
            shown.headers["Refresh"] = str(TRIAL_LOOKS)
        return shown

    def try_change(self, request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Try a change; what is wrong with it is said first."""
        allow(asking, "operator")
        policy, text = self._policy(said.get("policy", "")), said.get("text", "").replace("\r\n", "\n")
        running = self.papers.rules().policies
        problems = self.trying.problems(policy.name, text, running) if self.trying.past() else ()
        if problems:
            return self._try_form(request, asking, policy.name, text, problems)
        self.trying.begin(policy.name, text, asking.user.name, running)
        return RedirectResponse(f"/policies/try?policy={quote(policy.name, safe='')}", 303, HEADERS)

    def cancel_trial(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """End the trial that runs."""
        allow(asking, "operator")
        self.trying.cancel()
        return RedirectResponse(
            f"/policies/try?policy={quote(said.get('policy', ''), safe='')}", 303, HEADERS
        )

    def _try_form(
        self, request: Request, asking: Asking, policy: str, text: str, problems: tuple[str, ...] = ()
    ) -> Response:
        return self._page(
            request,
            asking,
            "try.html",
            "Try a change",
            trial=self.trying.shown(),
            past=self.trying.past(),
            policy=policy,
            text=text,
            problems=problems,
        )

    def _policy(self, name: str) -> Policy:
        found = next((each for each in self.papers.rules().policies.policies if each.name == name), None)
        if found is None:
            raise ValueError(f'there is no policy "{name}"')
        return found

    def _names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The policies and the accounts that a plan can be of."""
        running = self.papers.rules().policies
        return tuple(each.name for each in running.policies), tuple(self.papers.settings.accounts)

    def plan(self, request: Request, asking: Asking) -> Response:
        """What would be done now, as it was last asked for."""
        policies, accounts = self._names()
        shown = self.planning.shown()
        return self._page(
            request,
            asking,
            "plan.html",
            "Plan",
            shown=shown,
            policies=policies,
            accounts=accounts,
            asked={key: request.query_params.get(key, "") for key in ("policy", "account")},
        )

    def make_plan(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Make a plan; it takes requests to the helpdesk."""
        allow(asking, "operator")
        self.planning.begin(*asked_for(said, *self._names()))
        return RedirectResponse("/plan", 303, HEADERS)

    def apply_plan(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """A yes to the plan that was shown."""
        allow(asking, "operator")
        self.planning.apply(said.get("hash", ""), asking.user.name)
        return _back("/plan", "apply")

    def matrix(self, request: Request, asking: Asking) -> Response:
        """The matrix as pictures, one for each policy, with its tables."""
        team = request.query_params.get("team") or None
        found = self.papers.matrix(team)
        pictures, tables = defaultdict[str, list[Panel]](list), defaultdict[str, list[Ladder]](list)
        for each in panels(found, self.papers.rules().policies):
            pictures[each.policy].append(each)
        for ladder in ladders(found):
            tables[ladder.policy].append(ladder)
        query = urlencode({"team": team}) if team else ""
        return self._page(
            request,
            asking,
            "matrix.html",
            "Matrix",
            pictures=pictures,
            tables=tables,
            width=WIDTH,
            query=query,
            teams=self.papers.teams(),
            team=team,
            about=about(found),
            remarks=remarks(found),
        )

    def matrix_paper(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The matrix as `uptier matrix --format html` writes it."""
        return paper(matrix_html(self.papers.matrix(request.query_params.get("team") or None)))

    def matrix_picture(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The picture as `uptier matrix --format svg` writes it, or of one policy."""
        policy, team = (request.query_params.get(key) or None for key in ("policy", "team"))
        found, running = self.papers.matrix(team, policy), self.papers.rules().policies
        return drawing(
            as_svg(found, running) if policy is None else drawn(panels(found, running), look_of(request))
        )

    def matrix_pdf(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The picture as `uptier matrix --format pdf` writes it."""
        team = request.query_params.get("team") or None
        try:
            made = as_pdf(self.papers.matrix(team), self.papers.rules().policies)
        except CannotPrint as error:
            return self._error(501, str(error))
        name = {"Content-Disposition": 'inline; filename="escalation-matrix.pdf"'}
        return Response(made, 200, HEADERS | name, media_type="application/pdf")

    def reports(self, request: Request, asking: Asking) -> Response:
        """The figures of some days, of the last seven if none are named."""
        first, last = self.papers.days(request.query_params, self.now(), SPANS[0])
        found = self.papers.report(dict(request.query_params) | {"from": first, "to": last}, self.now())
        return self._page(
            request,
            asking,
            "reports.html",
            "Reports",
            shown=found,
            first=first,
            last=last,
            today=self.papers.days({}, self.now())[1],
            spans={many: self.papers.days({}, self.now(), many)[0] for many in SPANS},
            grids=tuple(report_grids(found)),
            lead=report_lead(found),
            headlines=[each for each in found.figures if each.key in HEADLINES and each.value is not None],
        )

    def report_paper(self, request: Request, asking: Asking) -> Response:  # noqa: ARG002 (all pages alike)
        """The report as `uptier report --format html` writes it."""
        return paper(report_html(self.papers.report(request.query_params, self.now())))

    def ledger(self, request: Request, asking: Asking) -> Response:
        """What happened last, everywhere, or before a line."""
        before = request.query_params.get("before")
        with self.store.reading() as connection:
            lines = ledger.newest(
                connection, queries.SHOWN, None if before is None else ledger.line_id(before)
            )
        older = lines[-1].id if len(lines) == queries.SHOWN else None
        told = tuple(map(ledger.in_words, lines))
        return self._page(request, asking, "ledger.html", "Ledger", lines=told, older=older)

    def health(self, request: Request, asking: Asking) -> Response:
        """How the service is doing."""
        shown = self.health_now()
        todo = tuple(queries.troubles(shown))
        return self._page(request, asking, "health.html", "Health", shown=shown, troubles=todo)

    def static(self, request: Request) -> Response:
        """Scripts and style."""
        return asset(request.path_params["name"]) or self._error(404, "there is no such file")

    def give_order(self, request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Leave an order for a ticket."""
        allow(asking, "operator")
        ref = _ref(request)
        running = self.papers.rules().policies
        verb = order(self.store, ref, said, asking.user, self.now(), running)
        return _back(_address(ref), verb)

    def undo(self, request: Request, asking: Asking) -> Response:
        """What an undo would do: of an episode, or of all that a policy did since a time."""
        asked = {key: request.query_params.get(key, "") for key in ("episode", "policy", "since", "account")}
        lines = undo_shown(self.store, asked, self.now())
        policies, accounts = self._names()
        return self._page(
            request,
            asking,
            "undo.html",
            "Undo",
            asked=asked,
            lines=lines,
            meant=[line for line in lines if not line.why_not],
            digest=digest_of(lines),
            policies=policies,
            accounts=accounts,
        )

    def take_back(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """A yes to the undo that was shown."""
        allow(asking, "operator")
        undo(self.store, said, asking.user.name, self.now())
        return _back("/undo", "undo")

    def release(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Let what is held go on."""
        account, ticket, policy, why = (
            said.get(key, "") for key in ("account", "ticket", "policy", "reason")
        )
        allow(asking, "operator" if ticket else "admin")
        release(self.store, account, ticket, policy, asking.user.name, why, self.now())
        return _back("/now", "release")

    def tokens(self, request: Request, asking: Asking) -> Response:
        """The tokens of the API that have not ended: one's own, and for an admin everybody's."""
        with self.store.reading() as connection:
            whose = None if asking.may("admin") else asking.user.name
            found = users.tokens(connection, self.now(), whose)
        return self._page(request, asking, "tokens.html", "Tokens", tokens=found)

    def settings(self, request: Request, asking: Asking) -> Response:
        """In which zone and language pages tell them."""
        return self._page(
            request,
            asking,
            "settings.html",
            "Time zone and language",
            zones=zone_names(),
            languages=languages(),
        )

    def set_reading(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """Tell them in another zone and language."""
        zone, language = said.get("zone", ""), said.get("language", "")
        if language and language not in languages():
            raise Refused(f"there is no language {language[:60]}")
        if zone and zone_named(zone) is None:
            raise Refused(f"there is no time zone {zone[:60]}")
        with self.store.writing() as connection:
            users.set_reading(connection, asking.user.name, zone=zone, language=language)
        return _back("/settings", "settings")

    def revoke(self, _request: Request, asking: Asking, said: Mapping[str, str]) -> Response:
        """End one token."""
        whose = said.get("user", "")
        allow(asking, "viewer" if whose == asking.user.name else "admin")
        with self.store.writing() as connection:
            if not users.revoke(connection, whose, said.get("name", "")):
                raise Refused("there is no such token; it may have ended meanwhile")
        return _back("/tokens", "revoke")

    async def wall(self, request: Request) -> Response:
        """A screen on a wall, which refreshes itself: by a session, by a token in a header, or by a viewer's token that
        was typed in once and is kept in a cookie of the screen."""

        def shown(status: int = 200, **words: Any) -> Response:
            none: dict[str, Any] = {"shown": None, "text": "", "asks": False}
            return page("wall.html", status, title="Uptier", every=WALL_EVERY, **(none | words))

        def look() -> Response:
            read_by(request, self.access.watching(request).user)
            names = tuple(self.papers.settings.accounts)
            with self.store.reading() as connection:
                return shown(shown=queries.wall(connection, request.query_params, names, self.now()))

        def begin(said: Mapping[str, str]) -> Response:
            token = said.get("token", "").strip()
            self.access.may_watch(token)
            return self.access.set_watching(RedirectResponse("/wall", 303, HEADERS), token)

        read_by(request, None)
        try:
            self._from_our_host(request)
            if request.method != "POST":
                return await run_in_threadpool(look)
            if self._from_elsewhere(request):
                return self._error(403, ELSEWHERE)
            return await run_in_threadpool(begin, await _form(request))
        except MustLogIn:
            said = message("No such token.") if request.method == "POST" else ""
            return shown(400 if said else 401, asks=True, text=said)
        except NotAllowed as error:
            return shown(403, asks=request.method == "POST", text=str(error))
        except ValueError as error:
            return shown(400, text=f"{error}.")
        except StoreTrouble as trouble:
            return _later(shown(503, text=str(trouble)), AGAIN_AFTER)

    async def act(self, request: Request) -> Response:
        """The page of a link in a message, and the order that its button gives. To look at it changes nothing, because
        scanners of mail and previews of chats do that; nobody is told its address."""
        read_by(request, None)
        said: Mapping[str, str] = {}
        if not self.access.knows_host(request):
            answer = self._error(403, "the console is not known by this name; see [service] hosts")
        elif request.method == "POST" and self._from_elsewhere(request):
            answer = self._error(403, ELSEWHERE)
        else:
            said = await _form(request) if request.method == "POST" else said
            answer = await run_in_threadpool(self._act, request, said)
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    def _act(self, request: Request, said: Mapping[str, str]) -> Response:
        word, browser = request.path_params["word"], self.access.browser(request) or token_urlsafe(32)
        sent = request.method == "POST"
        try:
            link = good_link(self.store, self.links, word, self.now(), self.papers.rules().policies).link
            if link.person and self.links is not None:
                user = User(name=link.person, role="viewer", password="")
                asking = Asking(user=user, csrf=self.links.of_form(word, browser))
            else:
                asking = self.access.of(request)
                allow(asking, "operator")
                read_by(request, asking.user)
            frame: dict[str, Any] = {
                "title": ACTS[link.verb],
                "menu": (),
                "asking": None,
                "link": link,
                "who": asking.user.name,
                "csrf": asking.csrf,
                "word": word,
            }
            if not sent:
                answer = page("act.html", text="", done=False, **frame)
                return self.access.set_browser(answer, browser)
            check_form(asking, said.get("csrf", ""))
            try:
                act(
                    self.store,
                    self.links,
                    word,
                    said,
                    asking.user,
                    self.now(),
                    self.papers.rules().policies,
                )
            except Refused as refused:
                return page("act.html", 400, text=str(refused), done=False, **frame)
            return page("act.html", text="", done=True, **frame)
        except LinkOver as over:
            return page(
                "act_over.html",
                410,
                title="This link is not good any more",
                menu=(),
                asking=None,
                why=str(over),
            )
        except MustLogIn:
            return self._login_form(403 if sent else 200, message("Log in to act by this link."), word)
        except NotAllowed as error:
            return self._error(403, str(error))
        except StoreTrouble as trouble:
            return _later(self._error(503, str(trouble)), AGAIN_AFTER)

    def _login_form(self, status: int, text: str, word: str) -> Response:
        there = self.sign_on is not None
        return page(
            "login.html", status, title="Log in", text=text, menu=(), asking=None, sign_on=there, word=word
        )

    async def login(self, request: Request) -> Response:
        """The form, and what becomes of it."""

        def form(status: int = 200, text: str = "") -> Response:
            return self._login_form(status, text, "")

        def try_it(said: Mapping[str, str]) -> Response:
            address = request.client.host if request.client else ""
            cookie = self.access.log_in(said.get("name", ""), said.get("password", ""), address)
            word = said.get("word", "")
            back = f"{PATH}{word}" if WORD.fullmatch(word) else "/"
            return self.access.set_cookie(RedirectResponse(back, 303, QUIETLY), cookie)

        return await self._at_the_door(request, form, try_it, message("No such name and password."))

    async def first(self, request: Request) -> Response:
        """The one link of a machine without users, and the administrator who is made through it."""
        word = request.query_params.get("word", "")

        def form(status: int = 200, text: str = "") -> Response:
            if not self.access.invited(word):
                return self._error(
                    403, f"This link is not good any more: it is good once, for {INVITED_FOR // 60} minutes."
                )
            return page(
                "first.html",
                status,
                title="The first administrator",
                text=text,
                word=word,
                menu=(),
                asking=None,
            )

        def try_it(said: Mapping[str, str]) -> Response:
            cookie = self.access.make_first(word, said.get("name", ""), said.get("password", ""))
            return self.access.set_cookie(RedirectResponse("/", 303, HEADERS), cookie)

        return await self._at_the_door(request, form, try_it, "")

    async def _at_the_door(
        self,
        request: Request,
        form: Callable[[int, str], Response],
        try_it: Callable[[Mapping[str, str]], Response],
        refused: str,
    ) -> Response:
        """A form that is asked of strangers. Few passwords are hashed at once, and few wait for it, whoever asks."""
        read_by(request, None)
        if not self.access.knows_host(request):
            return self._error(403, "the console is not known by this name; see [service] hosts")
        if request.method != "POST":
            return form(200, "")
        if self._from_elsewhere(request):
            return self._error(403, ELSEWHERE)
        said = await _form(request)
        try:
            return await self.hashing.take(partial(try_it, said))
        except MustLogIn:
            return form(403, refused)
        except ValueError as error:
            return form(400, f"{error}.")
        except TooManyTries:
            return _later(form(429, message("Too many tries; wait.")), WITHIN)
        except TooManyWait:
            return _later(self._error(503, BUSY), AGAIN_AFTER)
        except StoreTrouble as trouble:
            return _later(self._error(503, str(trouble)), AGAIN_AFTER)

    async def to_provider(self, request: Request) -> Response:
        """Send somebody to the single sign-on provider."""

        def go(sign_on: "SignOn") -> Response:
            address, carried = sign_on.begin()
            return self.access.set_carried(RedirectResponse(address, 303, HEADERS), carried)

        return await self._with_provider(request, go)

    async def from_provider(self, request: Request) -> Response:
        """Somebody comes back. They go on from a page of our own: as long as a browser counts as coming from the
        provider, it does not bring the cookie."""

        def come(sign_on: "SignOn") -> Response:
            vouched = sign_on.finish(request.query_params, self.access.carried(request))
            answer = page("signed_on.html", title="You are logged in", menu=(), asking=None)
            return self.access.set_cookie(answer, self.access.sign_on(vouched))

        return self.access.forget_cookie(await self._with_provider(request, come), SIGN_ON)

    async def _with_provider(self, request: Request, call: "Callable[[SignOn], Response]") -> Response:
        read_by(request, None)
        if self.sign_on is None or not self.access.knows_host(request):
            return self._error(404, "there is no single sign-on here")
        try:
            return await self.asking.take(partial(call, self.sign_on))
        except (NotVouched, NotAllowed, ValueError) as error:
            log.warning("sign_on_refused", reason=str(error))
            return self._error(403, "Single sign-on did not let you in; the log of the service says why.")
        except TooManyWait:
            return _later(self._error(503, BUSY), AGAIN_AFTER)
        except StoreTrouble as trouble:
            return _later(self._error(503, str(trouble)), AGAIN_AFTER)

    def logout(self, request: Request, _asking: Asking, _said: Mapping[str, str]) -> Response:
        """End the session."""
        self.access.log_out(request)
        return self.access.forget_cookie(RedirectResponse("/login", 303, HEADERS))

    async def events(self, request: Request) -> Response:
        """Server-sent: one event whenever the ledger has grown, and a sign of life."""
        try:
            self._from_our_host(request)
            asking = await run_in_threadpool(self.access.of, request)
        except (MustLogIn, NotAllowed):
            return Response(status_code=403)
        name = asking.user.name
        if self.streams.total() >= STREAMS or self.streams[name] >= STREAMS_EACH:
            return Response("too many pages listen", 503, {"Retry-After": "30"})
        headers = HEADERS | {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(request, name), headers=headers, media_type="text/event-stream")

    async def _stream(self, request: Request, name: str) -> AsyncIterator[str]:
        self.streams[name] += 1
        try:
            seen = await run_in_threadpool(self._newest, request)
            yield "retry: 3000\n\n"
            while not await request.is_disconnected():
                await asyncio.sleep(LOOK_EVERY)
                newest = await run_in_threadpool(self._newest, request)
                yield f"event: changed\ndata: {newest}\n\n" if newest != seen else ": well\n\n"
                seen = newest
        except MustLogIn:
            return
        finally:
            self.streams[name] -= 1
            self.streams += Counter()  # forgets who listens no more

    def _newest(self, request: Request) -> int:
        """The newest line's id, for as long as who asks may know it. Raises MustLogIn."""
        try:
            self.access.of(request)
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


def look_of(request: Request) -> str:
    """Light or dark, if somebody has chosen it."""
    chosen = request.cookies.get(LOOK, "")
    return chosen if chosen in LOOKS else ""


def _address(ref: TicketRef) -> str:
    return f"/tickets/{quote(ref.account, safe='')}/{quote(ref.id, safe='')}"


def _ref(request: Request) -> TicketRef:
    return TicketRef(request.path_params["account"], request.path_params["ticket"])


def _later(answer: Response, seconds: Seconds) -> Response:
    """The answer, with when to come again."""
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _back(path: str, done: str) -> Response:
    return RedirectResponse(f"{path}?said={done}", 303, HEADERS)
