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

from connector.intake.group_commit import GroupCommit
from connector.intake.receiver import BODY_CAP, receiver
from connector.store import inbox
from connector.store.database import Store
from connector.supervision import Ailments
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
def app(group: GroupCommit) -> Starlette:
    desks: dict[str, Any] = {"acme": HookDesk()}
    return receiver(desks, group, lambda: 1000, lambda: (group.well(), {"backlog": 3}), str)


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


def test_a_webhook_about_no_ticket_is_accepted(app: Starlette, store: Store) -> None:
    assert ask(app, "POST", "/hooks/acme", headers=GOOD, content=b"ping").status_code == 202
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


def test_only_post_brings_webhooks(app: Starlette) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = ask(app, method, "/hooks/acme", headers=GOOD)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert ask(app, "POST", "/hooks/", headers=GOOD).status_code == 404


def test_a_body_at_the_cap_is_read(app: Starlette) -> None:
    body = b"d1 1".ljust(BODY_CAP)
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
    assert sent == BODY_CAP + len(chunk)


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
    app = receiver(desks, closed, lambda: 1000, lambda: (False, {}), str)
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
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "backlog": 3})
    group.stop(10)
    assert ask(app, "GET", "/readyz").status_code == 503
    assert ask(app, "GET", "/healthz").status_code == 200
