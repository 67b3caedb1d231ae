"""What a vendor is answered, and that 202 means kept for good."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from structlog.testing import capture_logs

from connector.app.supervision import Ailments
from connector.intake import slow_client
from connector.intake.inbox import GroupCommit
from connector.intake.receiver import FORGOTTEN_AFTER, KNOCK, Refusals, receiver
from connector.intake.slow_client import HOOK_CAP, OTHER_CAP
from connector.store import holds, inbox
from connector.store.database import Store
from policies.model import TicketRef
from tests.connector.intake.desks import HookDesk, QuietEngine

GOOD = {"x-signature": "good"}


@pytest.fixture
def group(store: Store) -> Iterator[GroupCommit]:
    group = GroupCommit(store, QuietEngine(), Ailments(lambda: 0))
    group.start()
    yield group
    assert group.stop(10)


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def app(group: GroupCommit, counted: list[str], refusals: Refusals) -> Starlette:
    desks: dict[str, Any] = {"acme": HookDesk()}
    return receiver(desks, group, lambda: 1000, group.well, counted.append, refusals)


def ask(app: Starlette, method: str, path: str, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://uptier.test") as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


def test_a_signed_webhook_is_accepted_and_kept(app: Starlette, store: Store) -> None:
    answer = ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1 2")
    assert answer.status_code == 202
    with store.reading() as connection:
        (row,) = inbox.open_rows(connection, TicketRef("acme", "2"))
    assert (row.kind, row.hint, row.received_at) == ("webhook", "updated", 1000)


def test_a_webhook_about_no_ticket_is_accepted_and_counted_as_ignored(
    app: Starlette, store: Store, counted: list[str]
) -> None:
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"ping").status_code == 202
    assert counted == ["ignored", "202"]
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0


def test_a_bad_signature_and_an_unknown_account_get_the_same_answer(app: Starlette, store: Store) -> None:
    bad = ask(app, "POST", "/hooks/acme", headers={"x-signature": "bad"}, content=b"d1 1")
    unknown = ask(app, "POST", "/hooks/nobody", headers=GOOD, content=b"d1 1")
    assert bad.status_code == 401
    assert (bad.status_code, bad.content, bad.headers) == (
        unknown.status_code,
        unknown.content,
        unknown.headers,
    )
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0


def test_what_names_no_ticket_is_refused_and_logged_without_its_text(app: Starlette) -> None:
    with capture_logs() as lines:
        answer = ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"garbage 4111-1111")
    assert answer.status_code == 400
    (line,) = lines
    assert (line["event"], line["account"], len(line["digest"])) == ("webhook_malformed", "acme", 16)
    assert "4111" not in str(line)


def test_a_body_that_nobody_foresaw_is_refused_and_stops_nothing(app: Starlette) -> None:
    with capture_logs() as lines:
        assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"\xff\xfe").status_code == 400
        assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1/2").status_code == 400
        assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1").status_code == 202
    assert {line["event"] for line in lines} == {"webhook_malformed", "webhook_not_kept"}


def test_refused_deliveries_are_said_once_counted_and_over_when_good_ones_come(
    app: Starlette, store: Store, refusals: Refusals
) -> None:
    def shown() -> list[tuple[str, str, str]]:
        with store.reading() as connection:
            return [(one.account, one.kind, one.why) for one in holds.every_aside(connection)]

    with capture_logs() as lines:
        for _ in range(3):
            for account in ("acme", "nobody"):
                ask(app, "POST", f"/hooks/{account}", headers={"x-signature": "bad"}, content=b"d1 1")
            refusals.keep(store, 1000)
        ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1")
        refusals.keep(store, 1000 + FORGOTTEN_AFTER - 1)
        assert shown() == [("acme", "webhooks", "3 webhooks were refused, the last because bad signature")]
        refusals.keep(store, 1000 + FORGOTTEN_AFTER)
    assert shown() == []
    assert [line["event"] for line in lines] == ["webhooks_refused", "webhooks_accepted_again"]


def test_the_doctors_knock_is_no_delivery_gone_wrong(
    app: Starlette, store: Store, refusals: Refusals
) -> None:
    knock = {"User-Agent": KNOCK}
    assert ask(app, "POST", "/hooks/acme", headers=knock, content=b"{}").status_code == 401
    refusals.keep(store, 1000)
    with store.reading() as connection:
        assert list(holds.every_aside(connection)) == []


def test_bodies_of_every_address_have_a_limit(app: Starlette, counted: list[str]) -> None:
    for path in ("/healthz", "/nowhere"):
        assert ask(app, "GET", path, content=bytes(OTHER_CAP + 1)).status_code == 413
    assert counted == []
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=bytes(HOOK_CAP + 1)).status_code == 413
    assert counted == ["413"]


def test_of_too_many_bodies_the_one_gathered_longest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_client, "HELD", 10)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert message["more_body"] is False
        await slow_client.said(str(len(message["body"])), 202)(scope, receive, send)

    async def story() -> list[int]:
        bounded = slow_client.BoundedBodies(app, str)
        statuses: list[int] = []

        async def call(*chunks: bytes, last: asyncio.Event | None = None) -> None:
            rest = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]

            async def receive() -> Any:
                if rest:
                    return rest.pop(0)
                if last is not None:
                    await last.wait()
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                if "status" in message:
                    statuses.append(message["status"])

            scope = {"type": "http", "method": "POST", "path": "/hooks/acme", "headers": []}
            await bounded(scope, receive, send)

        slow = asyncio.create_task(call(b"123456", last=asyncio.Event()))
        await asyncio.sleep(0)
        await call(b"12345")
        await slow
        await call(b"1234567890")
        return statuses

    assert asyncio.run(story()) == [202, 408, 202]


def test_only_post_brings_webhooks(app: Starlette) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = ask(app, method, "/hooks/acme", headers=GOOD)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert ask(app, "POST", "/hooks/", headers=GOOD).status_code == 404


def test_a_body_at_the_cap_is_read(app: Starlette) -> None:
    body = b"d1 1".ljust(HOOK_CAP)
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=body).status_code == 202
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=body + b" ").status_code == 413


@pytest.mark.parametrize("account", ["acme", "nobody"])
def test_a_body_without_a_length_is_read_no_further_than_the_cap(app: Starlette, account: str) -> None:
    chunk, sent = bytes(64 * 1024), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += len(chunk)
            yield chunk

    async def call() -> int:
        """Straight to the app: a client library would gather the body first."""
        stream, status = endless(), 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": await anext(stream), "more_body": True}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/hooks/{account}",
            "headers": [],
            "query_string": b"",
        }
        await app(scope, receive, send)
        await stream.aclose()
        return status

    assert asyncio.run(call()) == 413
    assert sent == HOOK_CAP + len(chunk)


def test_a_client_that_hangs_up_is_no_error(app: Starlette, store: Store) -> None:
    async def call() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            return

        scope = {"type": "http", "method": "POST", "path": "/hooks/acme", "headers": [], "query_string": b""}
        await app(scope, receive, send)

    asyncio.run(call())
    with store.reading() as connection:
        assert inbox.backlog(connection) == 0


def test_what_cannot_be_kept_is_to_be_sent_again(store: Store) -> None:
    closed = GroupCommit(store, QuietEngine(), Ailments(lambda: 0))
    desks: dict[str, Any] = {"acme": HookDesk()}
    app = receiver(desks, closed, lambda: 1000, lambda: False, str, Refusals())
    answer = ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_failed_commit_is_to_be_sent_again(app: Starlette, store: Store, group: GroupCommit) -> None:
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    event.listen(store._writes, "commit", fail)
    with capture_logs():
        answer = ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    event.remove(store._writes, "commit", fail)
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"d1 1").status_code == 202


def test_alive_and_ready(app: Starlette, group: GroupCommit) -> None:
    assert ask(app, "GET", "/healthz").status_code == 200
    ready = ask(app, "GET", "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"message": "ready"})
    group.stop(10)
    ready = ask(app, "GET", "/readyz")
    assert (ready.status_code, ready.json()) == (503, {"message": "not ready"})
    assert ask(app, "GET", "/healthz").status_code == 200
