"""The receiver: takes webhooks, and answers 202 only for what is in the inbox for good."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from adapters.base import Adapter, Event, HookRequest, Malformed, NotAuthentic
from connector.intake.inbox import GroupCommit, NotKept, from_webhook
from connector.intake.slow_client import RETRY_AFTER, BoundedBodies, said
from connector.render import many
from connector.store import holds
from connector.store.database import UNFORESEEN, BrokenRow, Store
from policies.model import Instant, Seconds

KIND = "webhooks"
"""What is set aside of an account whose deliveries are refused."""

KNOCK = "uptier-doctor"
"""The User-Agent of `uptier doctor`, who wants to be refused: that is no delivery gone wrong."""

FORGOTTEN_AFTER: Seconds = 600
"""Refused deliveries are over when good ones have come and none was refused for so long."""

log = structlog.get_logger()


def receiver(
    adapters: Mapping[str, Adapter],
    inbox: GroupCommit,
    clock: Callable[[], Instant],
    ready: Callable[[], bool],
    count: Callable[[str], object],
    refusals: "Refusals",
    others: Sequence[BaseRoute] = (),
) -> Starlette:
    """The ASGI app. `adapters` are looked up at each request, so accounts may come and go. `ready` answers
    quickly and from memory: it runs in the event loop. `count` hears the status of each answer to a webhook,
    and `ignored` of one that is kept although it is about no ticket. `others` are the console's
    addresses, where this process has one."""
    desk = _Desk(adapters=adapters, inbox=inbox, clock=clock, ready=ready, count=count, refusals=refusals)
    app = Starlette(
        routes=[
            Route("/hooks/{account}", desk.hook, methods=["POST"]),
            Route("/healthz", desk.healthz),
            Route("/readyz", desk.readyz),
            *others,
        ],
        middleware=[Middleware(BoundedBodies, refused=count)],
    )
    app.router.redirect_slashes = False  # it would send people to whatever host a request names
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    adapters: Mapping[str, Adapter]
    inbox: GroupCommit
    clock: Callable[[], Instant]
    ready: Callable[[], bool]
    count: Callable[[str], object]
    refusals: "Refusals"

    async def hook(self, request: Request) -> Response:
        """Take one webhook, and count how it was answered."""
        answer = await self._take(request)
        self.count(str(answer.status_code))
        return answer

    async def _take(self, request: Request) -> Response:
        """Take one webhook. The body has been read before anything is said, so that an account's name cannot be
        guessed from the answers."""
        account = request.path_params["account"]
        body = await request.body()
        try:
            taken = HookRequest(headers=dict(request.headers), body=body, received_at=self.clock())
            events = _decode(self.adapters.get(account), taken)
            await asyncio.wrap_future(self.inbox.put(from_webhook(account, events, taken.received_at)))
        except NotAuthentic as refused:
            if account in self.adapters and request.headers.get("user-agent") != KNOCK:
                self.refusals.note(account, str(refused), self.clock())
            return said("not authentic", 401)
        except Malformed as error:
            return _unread(account, body, str(error))
        except (BrokenRow, *UNFORESEEN) as error:
            return _unread(account, body, f"{type(error).__name__}: {error}")
        except NotKept:
            return said("not kept, send it again", 503, RETRY_AFTER)
        self.refusals.taken(account)
        if not events:
            self.count("ignored")
        return said("accepted", 202)

    async def healthz(self, _request: Request) -> Response:
        """Whether this process answers at all."""
        return said("alive", 200)

    async def readyz(self, _request: Request) -> Response:
        """Whether it can do its work. Anybody may ask, so why it cannot is told elsewhere."""
        return said("ready", 200) if self.ready() else said("not ready", 503)


def _decode(adapter: Adapter | None, taken: HookRequest) -> tuple[Event, ...]:
    """What the adapter makes of it. An unknown account is no more authentic than a bad signature."""
    if adapter is None:
        raise NotAuthentic("no such account")
    return adapter.decode(taken)


def _unread(account: str, body: bytes, why: str) -> Response:
    digest = hashlib.sha256(body).hexdigest()[:16]
    log.warning("webhook_malformed", account=account, digest=digest, reason=why)
    return said("the body names no ticket", 400)


@dataclass(slots=True)
class _Refused:
    times: int = 0
    kept: int = 0
    why: str = ""
    last: Instant = 0
    taken_since: bool = False


class Refusals:
    """Deliveries that were not authentic, by account, with the last reason: said once, counted, shown until good ones
    come again. Noted in the receiver's event loop, kept now and then by a job."""

    def __init__(self) -> None:
        self._known: dict[str, _Refused] = {}
        self._lock = threading.Lock()

    def note(self, account: str, why: str, now: Instant) -> None:
        """One more was refused."""
        with self._lock:
            known = self._known.setdefault(account, _Refused())
            known.times, known.why, known.last, known.taken_since = known.times + 1, why, now, False

    def taken(self, account: str) -> None:
        """A good one came."""
        if account in self._known:
            self._known[account].taken_since = True

    def keep(self, store: Store, now: Instant) -> None:
        """Set aside what was refused since the last call, and no longer what is over. Raises StoreTrouble."""
        with self._lock:
            changed = {name: one for name, one in self._known.items() if one.times > one.kept}
            over = [
                name
                for name, one in self._known.items()
                if one.taken_since and now - one.last >= FORGOTTEN_AFTER
            ]
        for account, one in changed.items():
            times, why = one.times, one.why[:300]
            text = f"{many(times, 'webhook was', 'webhooks were')} refused, the last because {why}"
            with store.writing() as connection:
                new = holds.set_aside(connection, account, "", KIND, text, now)
            one.kept = times
            if new:
                log.warning("webhooks_refused", account=account, times=times, reason=why)
        for account in over:
            with store.writing() as connection:
                holds.clear_aside(connection, account, "", KIND, now)
            log.info("webhooks_accepted_again", account=account, times=self._known.pop(account).times)
