"""Faults on demand and the request log, over a real socket, since that is where a connection drops."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.freshdesk.simulator import KEY
from adapters.simulation.faults import Dropped, Fault
from adapters.simulation.server import serve
from tests.adapters.freshdesk.simulated import Api
from tests.hanging import hanging_in
from tests.patience import PATIENCE


@dataclass
class Wire:
    """A connection to one account; the account itself is `api`."""

    api: Api
    client: httpx.Client

    def note(self) -> httpx.Response:
        return self.client.post("/api/v2/tickets/1/notes", json={"body": "Once only"})

    def spoil(self, **fault: Any) -> None:
        self.api.desk.faults.append(Fault(**fault))

    def notes(self) -> int:
        return len(self.api.desk.ticket(1).conversations)


@pytest.fixture
def wire() -> Iterator[Wire]:
    api = Api()
    with (
        serve(api.app) as base,
        hanging_in(api.desk.log),
        httpx.Client(base_url=base, auth=(KEY, "X"), trust_env=False, timeout=PATIENCE) as client,
    ):
        yield Wire(api, client)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(
    ("kind", "error"), [("drop", httpx.RemoteProtocolError), ("hang", httpx.ReadTimeout)]
)
def test_no_answer_comes_before_or_after_the_write(
    wire: Wire, kind: str, error: type[Exception], applied: bool
) -> None:
    wire.spoil(kind=kind, method="POST", applied=applied)
    with pytest.raises(error):
        wire.note()
    logged = wire.api.desk.log[-1]
    assert (wire.notes(), logged.applied, logged.status, logged.fault) == (int(applied), applied, None, kind)
    assert wire.note().status_code == 201


def test_in_process_a_dropped_connection_is_an_exception_of_the_transport() -> None:
    api = Api()
    api.desk.faults.append(Fault(kind="drop", applied=True))
    with pytest.raises(Dropped):
        api.put(priority=3)
    assert api.ticket()["priority"] == 3


def test_half_an_answer_comes_as_if_whole_or_is_cut_off(wire: Wire) -> None:
    wire.spoil(kind="truncate", method="POST")
    half = wire.note()
    assert half.status_code == 201
    with pytest.raises(ValueError):
        half.json()
    wire.spoil(kind="cut", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        wire.note()
    assert wire.notes() == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<html>"),
        (200, "<html>"),
        (500, "internal_error"),
        (409, "duplicate_value"),
        (429, ""),
        (404, ""),
    ],
)
@pytest.mark.parametrize("applied", [False, True])
def test_another_answer_comes_instead(wire: Wire, status: int, body: str, applied: bool) -> None:
    wire.spoil(kind="answer", method="POST", status=status, applied=applied)
    answer = wire.note()
    assert answer.status_code == status
    assert body in answer.text
    assert wire.notes() == int(applied)


def test_an_answer_may_be_given_word_for_word(wire: Wire) -> None:
    wire.spoil(kind="answer", status=429, headers={"Retry-After": "7"}, body={"any": 1})
    answer = wire.client.get("/api/v2/groups")
    assert (answer.headers["retry-after"], answer.json()) == ("7", {"any": 1})


def test_somebody_else_may_be_quicker(wire: Wire) -> None:
    act = {"act": "agent_changes", "ticket": 1, "agent": "Ann", "assignee": "Ann"}
    wire.spoil(kind="edit", method="POST", act=act)
    assert wire.note().status_code == 201
    assert wire.api.ticket()["responder_id"] == 21


def test_faults_are_counted_and_wait_their_turn(wire: Wire) -> None:
    wire.spoil(kind="answer", path="*/groups", skip=1, times=2, status=503)
    codes = [
        wire.client.get(f"/api/v2/{path}").status_code for path in ("groups", "agents/me", *["groups"] * 3)
    ]
    assert codes == [200, 200, 503, 503, 200]
    wire.spoil(kind="delay", seconds=0.0)
    assert wire.client.get("/api/v2/groups").status_code == 200


def test_the_log_and_the_date_are_the_accounts(wire: Wire) -> None:
    wire.api.clock.at = 1_795_608_000
    answer = wire.client.put("/api/v2/tickets/1", json={"priority": 2}, headers={"User-Agent": "me"})
    assert answer.headers["date"] == "Wed, 25 Nov 2026 12:00:00 GMT"
    logged = wire.api.desk.log[-1].as_json()
    assert {**logged, "number": 0} == {
        "number": 0,
        "method": "PUT",
        "path": "/api/v2/tickets/1",
        "query": "",
        "client": "me",
        "body": {"priority": 2},
        "at": 1_795_608_000,
        "status": 200,
        "applied": True,
        "fault": None,
        "hangs": None,
    }
    wire.client.put("/api/v2/tickets/1", content=b"no json")
    assert (wire.api.desk.log[-1].body, wire.api.desk.log[-1].applied) == ("no json", False)
