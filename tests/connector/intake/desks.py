"""Adapters that a test can script, and an engine that only remembers whom it was asked to wake."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection

from adapters.base import Event, HookRequest, Malformed, NotAuthentic, Page
from connector.engine import Work
from connector.intake.inbox import CouldMatter
from connector.intake.polling import Listing
from connector.store.database import Store, after_commit
from policies.model import Ticket, TicketRef
from policies.state import Standing


class HookDesk:
    """Takes webhooks that carry `x-signature: good`; the body is `<delivery> <ticket> <ticket> …`."""

    name = "fake"

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        if request.headers.get("x-signature") != "good":
            raise NotAuthentic("bad signature")
        delivery, *tickets = request.body.decode().split()
        if delivery == "garbage":
            raise Malformed("no ticket in it")
        return tuple(
            Event(ref=TicketRef("acme", ticket), delivery=f"{delivery}-{ticket}", hint="updated")
            for ticket in tickets
        )


class FeedDesk:
    """Gives scripted pages by cursor, to `poll` and to `census` alike; an exception in place of a page is
    raised once."""

    name = "fake"

    def __init__(self, pages: dict[str | None, Page | Exception]) -> None:
        self.pages = pages
        self.asked: list[tuple[str | None, int | None]] = []

    def poll(self, cursor: str | None, *, since: int, limit: int) -> Page:
        assert limit > 0
        return self._page(cursor, since)

    def census(self, cursor: str | None) -> Page:
        return self._page(cursor, None)

    def _page(self, cursor: str | None, since: int | None) -> Page:
        self.asked.append((cursor, since))
        page = self.pages[cursor]
        if isinstance(page, Exception):
            raise page
        return page


class QuietEngine:
    """Remembers committed wake-ups, and how urgent they were."""

    def __init__(self) -> None:
        self.woken: list[tuple[str, bool]] = []

    def wake(self, connection: Connection, refs: Iterable[TicketRef], *, urgent: bool = True) -> None:
        asked = [(str(ref), urgent) for ref in refs]
        after_commit(connection, lambda: self.woken.extend(asked))

    def run(self, work: Work) -> None:
        """Nothing runs here."""

    def stop(self, timeout: int) -> bool:
        return timeout >= 0


def read_once(call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """A read without retries."""
    return call(*args, **kwargs)


def always(_ticket: Ticket, _standings: tuple[Standing, ...]) -> bool:
    """Every snapshot could matter."""
    return True


def never(_ticket: Ticket, _standings: tuple[Standing, ...]) -> bool:
    """No snapshot could matter."""
    return False


def listed(
    store: Store, desk: Any, engine: QuietEngine, now: int, could_matter: CouldMatter = always
) -> Listing:
    """What the account "acme" lists then; every read is one request."""
    return Listing(
        store=store,
        account="acme",
        adapter=desk,
        engine=engine,  # type: ignore[arg-type]
        now=now,
        read=read_once,
        could_matter=could_matter,
    )
