"""The simulated Business Rule, posting to a real receiver."""

import threading
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.base import HookRequest
from adapters.servicenow.profile import profile
from adapters.servicenow.webhooks import decode
from adapters.simulation.server import serve
from tests.adapters.recording import START
from tests.adapters.servicenow.world import HOOK_SECRET, World, account
from tests.patience import PATIENCE


class Receiver:
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.heard: list[HookRequest] = []
        self.status = 202
        self.called = threading.Event()
        self.app = Starlette(routes=[Route("/hooks/acme", self._hear, methods=["POST"])])

    async def _hear(self, request: Request) -> Response:
        body = await request.body()
        self.heard.append(HookRequest(headers=dict(request.headers), body=body, received_at=START))
        self.called.set()
        return Response(status_code=self.status)

    def deliveries(self) -> list[str]:
        return [decode(profile(account()), HOOK_SECRET, each)[0].delivery for each in self.heard]


@pytest.fixture
def receiver(acme: World) -> Iterator[Receiver]:
    made = Receiver()
    with serve(made.app) as url:
        acme.desk.hooks.subscribe(f"{url}/hooks/acme", HOOK_SECRET)
        yield made


def test_each_update_is_posted_and_authentic(acme: World, receiver: Receiver) -> None:
    key = acme.printer.id
    acme.desk.customer_says(key, "One")
    (attempt,) = acme.desk.hooks.deliver()
    assert attempt.status == 202
    assert attempt.body.isascii()
    assert receiver.deliveries() == [f"{key}:1:update"]


def test_two_quick_updates_may_say_the_same_twice(acme: World, receiver: Receiver) -> None:
    acme.desk.customer_says(acme.printer.id, "One")
    acme.desk.customer_says(acme.printer.id, "Two")
    acme.desk.hooks.deliver()
    assert receiver.deliveries() == [f"{acme.printer.id}:2:update"] * 2


@pytest.mark.parametrize("order", ["sent", "reversed", "shuffled"])
def test_posts_may_come_in_any_order_and_more_than_once(acme: World, receiver: Receiver, order: str) -> None:
    keys = [acme.desk.open(subject=str(number)) for number in range(3)]
    acme.desk.hooks.deliver(order=order, copies=2)  # type: ignore[arg-type]
    found = receiver.deliveries()
    assert sorted(found) == sorted([f"{key}:0:insert" for key in keys] * 2)
    assert (found[0] == f"{keys[0]}:0:insert") is (order == "sent") or order == "shuffled"


def test_what_is_not_taken_is_lost(acme: World, receiver: Receiver) -> None:
    receiver.status = 503
    acme.desk.delete(acme.printer.id)
    (attempt,) = acme.desk.hooks.deliver()
    assert attempt.status == 503
    assert acme.desk.hooks.deliver() == []
    assert len(acme.desk.hooks.lost) == 1
    assert receiver.deliveries() == [f"{acme.printer.id}:0:delete"]


def test_nobody_listening_loses_it_too(acme: World) -> None:
    acme.desk.hooks.subscribe("http://127.0.0.1:1/hooks/acme", HOOK_SECRET)
    acme.desk.customer_says(acme.printer.id, "One")
    (attempt,) = acme.desk.hooks.deliver()
    assert attempt.status is None


def test_what_waits_can_be_dropped(acme: World, receiver: Receiver) -> None:
    acme.desk.customer_says(acme.printer.id, "One")
    assert acme.desk.hooks.drop() == 1
    assert acme.desk.hooks.deliver() == []
    assert receiver.heard == []


def test_a_thread_delivers_until_it_is_stopped(acme: World, receiver: Receiver) -> None:
    acme.desk.hooks.start(every=0.005)
    acme.desk.hooks.start(every=0.005)
    acme.desk.customer_says(acme.printer.id, "One")
    assert receiver.called.wait(PATIENCE)
    acme.desk.hooks.stop()
    assert receiver.deliveries() == [f"{acme.printer.id}:1:update"]
