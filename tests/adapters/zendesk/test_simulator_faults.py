"""Faults on demand and the request log, over a real socket, since that is where a connection drops."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import sleep
from typing import Any

import pytest
import requests

from adapters.simulation.faults import Dropped, Fault
from adapters.simulation.server import serve
from adapters.zendesk.simulator import TOKEN
from tests.adapters.zendesk.simulated import Api
from tests.hanging import hanging_in
from tests.patience import PATIENCE

NOTE = {"ticket": {"comment": {"body": "Once only", "public": False}}}


@dataclass
class Line:
    """A connection to one account; the account itself is `api`."""

    api: Api
    base: str
    session: requests.Session

    def put(self, **fields: Any) -> requests.Response:
        body = {"ticket": fields} if fields else NOTE
        return self.session.put(f"{self.base}/api/v2/tickets/1", json=body, timeout=PATIENCE)

    def get(self, path: str = "/api/v2/tickets/1") -> requests.Response:
        return self.session.get(self.base + path, timeout=PATIENCE)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.session.post(self.base + path, json=body, timeout=PATIENCE)

    def spoil(self, **fault: Any) -> None:
        self.api.desk.faults.append(Fault(**fault))

    def notes(self) -> int:
        return len(self.api.desk.ticket(1).comments) - 1


@pytest.fixture
def line() -> Iterator[Line]:
    api = Api()
    hung = hanging_in(api.desk.log)
    with serve(api.app) as base, hung, requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        yield Line(api, base, session)


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_is_dropped_before_or_after_the_write(line: Line, applied: bool) -> None:
    line.spoil(kind="drop", method="PUT", applied=applied)
    with pytest.raises(requests.ConnectionError):
        line.put()
    logged = line.api.desk.log[-1]
    assert (line.notes(), logged.applied, logged.status, logged.fault) == (
        int(applied),
        applied,
        None,
        "drop",
    )
    assert line.put().status_code == 200


def test_in_process_a_dropped_connection_is_an_exception_of_the_transport() -> None:
    api = Api()
    api.desk.faults.append(Fault(kind="drop", applied=True))
    with pytest.raises(Dropped):
        api.put(priority="high")
    assert api.ticket()["priority"] == "high"


@pytest.mark.parametrize("applied", [False, True])
def test_an_answer_may_never_come(line: Line, applied: bool) -> None:
    line.spoil(kind="hang", method="PUT", applied=applied)
    with pytest.raises(requests.ReadTimeout):
        line.put()
    assert line.notes() == int(applied)


def test_an_answer_may_come_late(line: Line) -> None:
    line.spoil(kind="delay", seconds=0.05)
    assert line.put().elapsed.total_seconds() >= 0.05
    assert line.notes() == 1


def test_an_answer_may_break_off(line: Line) -> None:
    line.spoil(kind="cut", method="PUT")
    with pytest.raises(requests.RequestException):
        line.put()
    assert line.notes() == 1


def test_json_may_end_in_the_middle(line: Line) -> None:
    line.spoil(kind="truncate")
    reply = line.put()
    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        reply.json()


@pytest.mark.parametrize(
    ("fault", "status", "kind", "wait"),
    [
        ({"status": 429}, 429, "application/json", None),
        ({"status": 429, "headers": {"Retry-After": "7"}}, 429, "application/json", "7"),
        ({"status": 503, "headers": {"Retry-After": "30"}}, 503, "text/html", "30"),
        ({"status": 502}, 502, "text/html", None),
        ({"status": 200}, 200, "text/html", None),
        ({"status": 500, "body": {"error": "oops"}}, 500, "application/json", None),
    ],
)
def test_any_answer_can_stand_for_the_right_one(
    line: Line, fault: dict[str, Any], status: int, kind: str, wait: str | None
) -> None:
    line.spoil(kind="answer", **fault)
    reply = line.put()
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith(kind)
    assert reply.headers.get("Retry-After") == wait
    assert line.notes() == 0


def test_a_500_may_come_after_the_write(line: Line) -> None:
    line.spoil(kind="answer", status=500, applied=True)
    assert line.put().status_code == 500
    assert line.notes() == 1


def test_a_conflict_of_the_database_differs_from_one_of_the_stamp(line: Line) -> None:
    line.spoil(kind="answer", status=409)
    assert line.put().json() == {"error": "DatabaseConflict", "description": "Database collision"}


def test_credentials_can_fail_from_now_on(line: Line) -> None:
    line.spoil(kind="answer", status=401, times=None)
    assert [line.get().status_code for _ in range(3)] == [401, 401, 401]
    assert line.get().json() == {"error": "Couldn't authenticate you"}


def test_a_fault_meets_what_it_names_as_often_as_it_says(line: Line) -> None:
    line.spoil(kind="answer", status=503, method="GET", path="*/audits", skip=1, times=2)
    audits = "/api/v2/tickets/1/audits"
    assert [line.get(audits).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert line.get().status_code == 200


def test_a_human_may_come_between_arrival_and_handling(line: Line) -> None:
    stamp = line.get().json()["ticket"]["updated_at"]
    line.api.clock.pass_by(3)
    edit = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "priority": "low"}
    line.spoil(kind="edit", method="PUT", act=edit)
    reply = line.put(priority="urgent", safe_update=True, updated_stamp=stamp)
    assert (reply.status_code, reply.json()["error"]) == (409, "UpdateConflict")
    assert line.get().json()["ticket"]["priority"] == "low"


def test_the_log_tells_another_process_what_came_in(line: Line) -> None:
    line.put()
    line.get("/api/v2/tickets/99?include=users")
    log = line.get("/_sim/requests").json()["requests"]
    write, read = log
    assert (write["method"], write["path"], write["status"], write["applied"]) == (
        "PUT",
        "/api/v2/tickets/1",
        200,
        True,
    )
    assert (write["body"], write["at"]) == (NOTE, line.api.clock.at)
    assert write["client"].startswith("python-requests/")
    assert (read["path"], read["query"], read["status"]) == ("/api/v2/tickets/99", "include=users", 404)
    assert read["applied"] is False
    assert TOKEN not in line.get("/_sim/requests").text


def test_another_process_can_seed_act_and_script_faults(line: Line) -> None:
    made = line.post("/_sim/seed", {"tickets": [{"requester": "Cleo", "subject": "Two"}]}).json()["result"]
    (number,) = made["tickets"]
    say = {"act": "customer_says", "ticket": number, "text": "Hello?"}
    assert line.post("/_sim/act", say).status_code == 200
    assert line.api.desk.ticket(number).comments[-1]["body"] == "Hello?"
    assert line.post("/_sim/faults", [{"kind": "answer", "status": 503}]).json() == {"result": 1}
    assert line.get().status_code == 503
    assert line.post("/_sim/faults", []).json() == {"result": 0}
    tickets = line.get("/_sim/tickets").json()["tickets"]
    assert [len(row["comments"]) for row in tickets] == [1, 2]


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/_sim/act", {"act": "explode"}, "no act 'explode'"),
        ("/_sim/act", {"act": "system_touch", "ticket": 99}, "no ticket 99"),
        ("/_sim/seed", {"tickets": [{"requester": "Nobody", "subject": "x"}]}, "no user 'Nobody'"),
        ("/_sim/faults", [{"kind": "drop", "colour": "red"}], "colour"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(line: Line, path: str, body: Any, wrong: str) -> None:
    reply = line.post(path, body)
    assert reply.status_code == 400
    assert wrong in reply.json()["error"]


def test_hooks_are_handled_over_http_too(line: Line) -> None:
    order = {"act": "subscribe", "url": f"{line.base}/nowhere", "secret": "s"}
    assert line.post("/_sim/act", order).status_code == 200
    line.put()
    (attempt,) = line.post("/_sim/act", {"act": "deliver"}).json()["result"]
    assert (attempt["status"], attempt["again"]) == (501, False)


def test_credentials_are_revoked_over_http_too(line: Line) -> None:
    line.post("/_sim/act", {"act": "revoke"})
    assert line.get().status_code == 401


def test_the_date_header_is_sent_once(line: Line) -> None:
    assert line.get().headers["Date"] == "Mon, 21 Sep 2026 14:13:20 GMT"


def test_the_servers_end_drops_a_hanging_request() -> None:
    api = Api()
    api.desk.faults.append(Fault(kind="hang"))
    with ThreadPoolExecutor(1) as pool:
        with serve(api.app) as base:
            asked = pool.submit(requests.get, f"{base}/api/v2/users/me", timeout=PATIENCE)
            while not api.desk.log:
                sleep(0.001)
        with pytest.raises(requests.ConnectionError):
            asked.result(timeout=PATIENCE)


def test_a_taken_port_is_said() -> None:
    with serve(Api().app) as base, pytest.raises(OSError, match="in use"), serve(Api().app, int(base[-5:])):
        pass
