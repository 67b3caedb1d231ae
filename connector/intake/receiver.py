"""The receiver: takes webhooks, and answers 202 only for what is in the inbox for good."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.base import Adapter, Event, HookRequest, Malformed, NotAuthentic
from connector.intake.group_commit import GroupCommit, NotKept
from connector.intake.inbox import from_webhook
from connector.intake.patience import BODY_WITHIN
from policies.model import Instant

BODY_CAP = 256 * 1024
RETRY_AFTER = {"Retry-After": "5"}

log = structlog.get_logger()


class TooLarge(Exception):
    """The body is over the cap."""


def receiver(
    adapters: Mapping[str, Adapter],
    inbox: GroupCommit,
    clock: Callable[[], Instant],
    ready: Callable[[], tuple[bool, dict[str, object]]],
    count: Callable[[str], object],
    others: Sequence[BaseRoute] = (),
) -> Starlette:
    """The ASGI app. `adapters` are looked up at each request, so accounts may come and go. `ready` answers
    quickly and from memory: it runs in the event loop. `count` hears the status of each answer to a webhook.
    `others` are the console's addresses, where this process has one."""
    desk = _Desk(adapters=adapters, inbox=inbox, clock=clock, ready=ready, count=count)
    return Starlette(
        routes=[
            Route("/hooks/{account}", desk.hook, methods=["POST"]),
            Route("/healthz", desk.healthz),
            Route("/readyz", desk.readyz),
            *others,
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    adapters: Mapping[str, Adapter]
    inbox: GroupCommit
    clock: Callable[[], Instant]
    ready: Callable[[], tuple[bool, dict[str, object]]]
    count: Callable[[str], object]

    async def hook(self, request: Request) -> Response:
        """Take one webhook, and count how it was answered."""
        answer = await self._take(request)
        self.count(str(answer.status_code))
        return answer

    async def _take(self, request: Request) -> Response:
        """Take one webhook. The body is read before anything is said, so that an account's name cannot be
        guessed from the answers."""
        account = request.path_params["account"]
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _body(request)
            taken = HookRequest(headers=dict(request.headers), body=body, received_at=self.clock())
            events = _decode(self.adapters.get(account), taken)
            await asyncio.wrap_future(self.inbox.put(from_webhook(account, events, taken.received_at)))
        except TooLarge:
            return _said("the body is larger than 256 KiB", 413)
        except TimeoutError:
            return _said("the body did not come in time", 408)
        except ClientDisconnect:
            return _said("the client went away", 400)
        except NotAuthentic:
            return _said("not authentic", 401)
        except Malformed as error:
            digest = hashlib.sha256(body).hexdigest()[:16]
            log.warning("webhook_malformed", account=account, digest=digest, reason=str(error))
            return _said("the body names no ticket", 400)
        except NotKept:
            return _said("not kept, send it again", 503, RETRY_AFTER)
        return _said("accepted", 202)

    async def healthz(self, _request: Request) -> Response:
        """Whether this process answers at all."""
        return _said("alive", 200)

    async def readyz(self, _request: Request) -> Response:
        """Whether it can do its work, and what it can say about that."""
        well, facts = self.ready()
        return JSONResponse(facts | {"ready": well}, 200 if well else 503)


async def _body(request: Request) -> bytes:
    """The body, read no further than the cap. Whoever announces too much is not read at all."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > BODY_CAP:
        raise TooLarge
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > BODY_CAP:
            raise TooLarge
    return bytes(read)


def _decode(adapter: Adapter | None, taken: HookRequest) -> tuple[Event, ...]:
    """What the adapter makes of it. An unknown account is no more authentic than a bad signature."""
    if adapter is None:
        raise NotAuthentic("no such account")
    return adapter.decode(taken)


def _said(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": text}, status, headers)
