"""Automation webhooks of the simulated account: bodies, credentials, retries and losses (vendor sheet 3)."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.freshdesk.simulator.webhooks import TEMPLATE
from tests.adapters.freshdesk.simulated import Api
from tests.patience import PATIENCE


@dataclass
class Ear:
    """A receiver that answers what it is told to, 202 once it has run out."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    rung: threading.Event = field(default_factory=threading.Event)

    def bodies(self) -> list[str]:
        return [body.decode() for _, body in self.heard]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ear.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(ear.answers.pop(0) if ear.answers else 202)
            self.send_header("Content-Length", "0")
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
def api() -> Api:
    return Api()


def test_each_change_is_told_with_what_triggered_it(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(ear.url, secret="s3cret")
    api.desk.open(requester="Cleo", subject="New")
    api.desk.agent_changes(1, "Ann", priority=4)
    api.desk.agent_says(1, "Ann", "note", public=False)
    api.desk.customer_says(1, "hello")
    api.post("tickets/1/notes", body="by the bot")
    assert {attempt.status for attempt in api.desk.hooks.deliver()} == {202}
    assert [json.loads(body) for body in ear.bodies()] == [
        {"ticket_id": "2", "event": "{ticket_action:created}"},
        {"ticket_id": "1", "event": "{priority:{from:1,to:4}}"},
        {"ticket_id": "1", "event": "{note_type:private}"},
        {"ticket_id": "1", "event": "{note_type:public}"},
        {"ticket_id": "1", "event": "{note_type:private}"},
    ]
    headers = ear.heard[0][0]
    assert (headers["x-uptier-secret"], headers["content-type"]) == ("s3cret", "application/json")
    assert "authorization" not in headers
    assert not [name for name in headers if "signature" in name]


def test_basic_credentials_and_the_simple_form(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(ear.url, user="uptier", password="pw", template=None)
    api.desk.agent_changes(1, "Ann", priority=4)
    api.desk.hooks.deliver()
    headers, body = ear.heard[0]
    assert headers["authorization"] == "Basic dXB0aWVyOnB3"
    inner = json.loads(body)["freshdesk_webhook"]
    assert (inner["ticket_id"], inner["ticket_status"], inner["ticket_priority"]) == (1, "Open", "Urgent")


def test_placeholders_are_put_in_as_they_are(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(
        ear.url, template='{"ticket_id":{{ticket.id}},"said":"{{ticket.latest_public_comment}}"}'
    )
    api.desk.customer_says(1, 'a "quote"')
    api.desk.hooks.deliver()
    (body,) = ear.bodies()
    assert body == '{"ticket_id":1,"said":"<div>a "quote"</div>"}'
    with pytest.raises(ValueError):
        json.loads(body)


def test_a_failure_is_tried_again_three_times_and_then_lost(api: Api, ear: Ear) -> None:
    ear.answers = [503, 500, 404, 302]
    api.desk.hooks.subscribe(ear.url)
    api.desk.agent_changes(1, "Ann", priority=4)
    for wait in (0, 300, 1800, 3600):
        assert api.desk.hooks.deliver() == [] or wait == 0
        api.clock.pass_by(wait)
        attempts = api.desk.hooks.deliver() if wait else []
        assert len(attempts) == (1 if wait else 0)
    assert len(ear.heard) == 4
    assert len(set(ear.bodies())) == 1
    assert (len(api.desk.hooks.lost), api.desk.hooks.waiting) == (1, [])


def test_nothing_listens_and_it_is_tried_again(api: Api) -> None:
    api.desk.hooks.subscribe("http://127.0.0.1:9/hooks/acme")
    api.desk.agent_changes(1, "Ann", priority=4)
    (attempt,) = api.desk.hooks.deliver()
    assert (attempt.status, attempt.again) == (None, True)


def test_copies_disorder_and_losses(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(ear.url)
    for priority in (2, 3, 4):
        api.desk.agent_changes(1, "Ann", priority=priority)
    api.desk.hooks.deliver(order="reversed", copies=2)
    events = [json.loads(body)["event"] for body in ear.bodies()]
    assert events[0] == events[1] == "{priority:{from:3,to:4}}"
    assert (len(events), len(api.desk.hooks.done)) == (6, 3)
    for priority in (1, 2, 3):
        api.desk.agent_changes(1, "Ann", priority=priority)
    api.desk.hooks.deliver(order="shuffled", seed=3)
    api.desk.agent_changes(1, "Ann", priority=4)
    assert api.desk.hooks.drop() == 1
    assert api.desk.hooks.deliver() == []


def test_a_thread_delivers_until_it_is_stopped(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(ear.url, template=TEMPLATE)
    api.desk.hooks.start(every=0.01)
    api.desk.agent_changes(1, "Ann", priority=4)
    assert ear.rung.wait(PATIENCE)
    api.desk.hooks.stop()
    api.desk.hooks.stop()


def test_the_rules_of_the_account_name_the_webhook(api: Api, ear: Ear) -> None:
    api.desk.hooks.subscribe(ear.url)
    (rule,) = api.get("automations/4/rules").json()["rules"]
    assert rule["actions"][0]["url"] == ear.url
