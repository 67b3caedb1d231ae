"""Webhooks of the simulated account: how they are signed, retried and lost (vendor sheet 2)."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.zendesk.simulator.webhooks import signature
from tests.adapters.zendesk.simulated import Api
from tests.patience import PATIENCE

SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="


@dataclass
class Ear:
    """A receiver that answers what it is told to, 200 once it has run out."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    rung: threading.Event = field(default_factory=threading.Event)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]


@contextmanager
def listening() -> Iterator[Ear]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ear.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = ear.answers.pop(0) if ear.answers else (200, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            ear.rung.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ear.url = f"http://127.0.0.1:{server.server_port}/hooks/acme"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield ear
        server.shutdown()
        thread.join()


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening() as ear:
        yield ear


def subscribed(ear: Ear, **more: Any) -> Api:
    api = Api()
    api.desk.hooks.subscribe(ear.url, SECRET, **more)
    return api


def test_the_signature_is_the_one_of_the_sheets_vector() -> None:
    assert (
        signature(SECRET, "2021-03-25T05:09:27Z", b'{"id":1}')
        == "ywpRZiAB7t63lmd+pF7GH2wmTjBlyoVl8feO7lD518g="
    )


def test_a_delivery_is_signed_over_the_bytes_it_sends(ear: Ear) -> None:
    api = subscribed(ear)
    api.desk.agent_says(1, "Ann", "Hello")
    api.desk.hooks.deliver()
    ((headers, body),) = ear.heard
    at = headers["x-zendesk-webhook-signature-timestamp"]
    assert at == "2026-09-21T14:13:20Z"
    assert headers["x-zendesk-webhook-signature"] == signature(SECRET, at, body)
    assert body.startswith(b'{\n  "account_id"')
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["user-agent"] == "Zendesk Webhook"
    assert len(headers["x-zendesk-webhook-invocation-id"]) == len(headers["x-zendesk-webhook-id"]) == 26


def test_one_save_is_a_burst_with_one_sequence(ear: Ear) -> None:
    api = subscribed(ear)
    api.put(priority="high", assignee_id=21, tags=["hot"], comment={"body": "x", "public": False})
    api.desk.hooks.deliver()
    told = {body["type"].removeprefix("zen:event-type:ticket."): body["event"] for body in ear.bodies()}
    assert told.keys() == {
        "comment_added",
        "priority_changed",
        "agent_assignment_changed",
        "tags_changed",
        "status_changed",
    }
    sequences = [event["meta"]["sequence"] for event in told.values()]
    assert len({sequence["id"] for sequence in sequences}) == 1
    assert sorted(sequence["position"] for sequence in sequences) == [1, 2, 3, 4, 5]
    assert told["tags_changed"]["tags_added"] == ["hot"]
    assert told["agent_assignment_changed"]["previous"] == "0"
    assert (told["status_changed"]["previous"], told["status_changed"]["current"]) == ("NEW", "OPEN")


def test_detail_holds_texts_and_no_null(ear: Ear) -> None:
    api = subscribed(ear)
    api.put(priority="high")
    api.desk.hooks.deliver()
    (body,) = ear.bodies()
    detail = body["detail"]
    assert (detail["id"], detail["actor_id"], detail["priority"]) == ("1", str(api.bot), "HIGH")
    assert (detail["assignee_id"], detail["group_id"], detail["type"]) == ("0", "11", "")
    assert None not in detail.values()
    assert body["subject"] == "zen:ticket:1"


def test_opening_and_deleting_have_events_of_their_own(ear: Ear) -> None:
    api = subscribed(ear)
    number = api.desk.open(requester="Cleo", subject="Again")
    api.desk.delete(number, "Ann")
    api.desk.hooks.deliver()
    assert [body["type"].rpartition(".")[2] for body in ear.bodies()] == ["created", "soft_deleted"]


def test_a_trigger_sends_its_own_text(ear: Ear) -> None:
    api = subscribed(ear, mode="trigger")
    api.put(priority="high", tags=["hot"])
    api.desk.hooks.deliver()
    ((_, body),) = ear.heard
    assert body == b'{"ticket_id":"1","updater":"%d"}' % api.bot


def test_a_triggers_text_need_not_be_json(ear: Ear) -> None:
    api = subscribed(ear, mode="trigger", body="ticket {{ticket.id}} moved")
    api.put(priority="high")
    api.desk.hooks.deliver()
    assert ear.heard[0][1] == b"ticket 1 moved"


def test_a_500_loses_the_delivery_for_good(ear: Ear) -> None:
    api = subscribed(ear)
    ear.answers = [(500, {})]
    api.put(priority="high")
    (attempt,) = api.desk.hooks.deliver()
    assert (attempt.status, attempt.again) == (500, False)
    assert api.desk.hooks.deliver() == []
    assert len(api.desk.hooks.lost) == 1


def test_a_short_retry_after_is_waited_for_and_signed_anew(ear: Ear) -> None:
    api = subscribed(ear)
    ear.answers = [(503, {"Retry-After": "5"})]
    api.put(priority="high")
    assert api.desk.hooks.deliver()[0].again is True
    assert api.desk.hooks.deliver() == []
    api.clock.pass_by(5)
    assert api.desk.hooks.deliver()[0].status == 200
    (first, body), (second, again) = ear.heard
    assert body == again
    assert first["x-zendesk-webhook-invocation-id"] == second["x-zendesk-webhook-invocation-id"]
    assert first["x-zendesk-webhook-signature"] != second["x-zendesk-webhook-signature"]
    assert second["x-zendesk-webhook-signature-timestamp"] == "2026-09-21T14:13:25Z"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "60"}])
def test_a_503_without_a_short_wait_is_lost(ear: Ear, headers: dict[str, str]) -> None:
    api = subscribed(ear)
    ear.answers = [(503, headers)]
    api.put(priority="high")
    assert api.desk.hooks.deliver()[0].again is False


def test_a_409_is_tried_three_times(ear: Ear) -> None:
    api = subscribed(ear)
    ear.answers = [(409, {})] * 5
    api.put(priority="high")
    assert [api.desk.hooks.deliver()[0].again for _ in range(3)] == [True, True, False]


def test_a_receiver_that_is_away_is_tried_five_times() -> None:
    with listening() as ear:
        url = ear.url
    api = Api()
    api.desk.hooks.subscribe(url, SECRET)
    api.put(priority="high")
    attempts = [api.desk.hooks.deliver()[0] for _ in range(5)]
    assert [attempt.again for attempt in attempts] == [True, True, True, True, False]
    assert attempts[0].status is None


def test_deliveries_come_twice_and_out_of_order_when_asked(ear: Ear) -> None:
    api = subscribed(ear, mode="trigger", body="{{ticket.id}}")
    for _ in range(2):
        api.desk.open(requester="Cleo", subject="More")
    api.desk.hooks.deliver(order="reversed", copies=2)
    assert [body for _, body in ear.heard] == [b"3", b"3", b"2", b"2"]
    ids = [headers["x-zendesk-webhook-invocation-id"] for headers, _ in ear.heard]
    assert len(set(ids)) == 2


def test_shuffling_repeats_itself(ear: Ear) -> None:
    def order(seed: int) -> list[bytes]:
        api = subscribed(ear, mode="trigger", body="{{ticket.id}}")
        ear.heard.clear()
        for _ in range(6):
            api.desk.open(requester="Cleo", subject="More")
        api.desk.hooks.deliver(order="shuffled", seed=seed)
        return [body for _, body in ear.heard]

    assert order(3) == order(3) != sorted(order(3))


def test_what_waits_can_be_dropped(ear: Ear) -> None:
    api = subscribed(ear)
    api.put(priority="high")
    assert api.desk.hooks.drop() == 1
    assert api.desk.hooks.deliver() == []


def test_a_thread_delivers_by_itself_until_it_is_stopped(ear: Ear) -> None:
    api = subscribed(ear)
    api.desk.hooks.start(every=0.01)
    api.put(priority="high")
    assert ear.rung.wait(PATIENCE)
    api.desk.hooks.stop()
    api.put(priority="low")
    assert len(api.desk.hooks.waiting) == 1
