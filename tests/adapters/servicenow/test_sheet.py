"""Answers as the vendor's documents and other clients' fixtures print them, given word for word."""

import json
from typing import Any

import httpx
import pytest
import respx

from adapters.base import (
    AccessLost,
    HelpdeskError,
    NotAllowed,
    OutcomeUnknown,
    TryLater,
    Unreadable,
    WontAccept,
    Write,
)
from adapters.contract.sandbox import RecordingGate
from adapters.servicenow import factory
from adapters.servicenow.client import Client
from adapters.servicenow.delivery import send
from adapters.servicenow.people import IdentityCache
from adapters.servicenow.profile import profile
from policies.model import Status, TicketRef
from tests.adapters.servicenow.world import account

HOST = "https://acme.service-now.test"
TABLE = f"{HOST}/api/now/table/incident"
REF = TicketRef("acme", "9d385017c611228701d22104cc95c371")
ROW: dict[str, Any] = {
    "sys_id": {"display_value": REF.id, "value": REF.id},
    "short_description": "Unable to get to network file shares",
    "state": {"display_value": "In Progress", "value": "2"},
    "opened_by": {"display_value": "glide.maint", "value": "glide.maint"},
    "reassignment_count": "",
    "comments": None,
    "sys_created_on": {"display_value": "2016-01-22 05:53:06", "value": "2016-01-22 14:53:06"},
    "sys_updated_on": {"display_value": "2016-01-22 05:53:06", "value": "2016-01-22 14:53:06"},
    "sys_mod_count": {"display_value": "4", "value": "4"},
    "u_product": "X100",
    "unheard_of": {"odd": 1},
}
WRITE = Write(
    key="k", ref=REF, expects="4", intent=(), request={"columns": {"u_product": "X200"}, "before": {}}
)


def identities() -> IdentityCache:
    """Nobody is asked: an address that is not mocked is an error."""
    return IdentityCache(profile(account()), Client(account(), RecordingGate()))


@respx.mock
def test_a_record_as_it_is_printed() -> None:
    route = respx.get(f"{TABLE}/{REF.id}").respond(json={"result": ROW})
    ticket = factory(account(), RecordingGate()).load(REF, frozenset())
    assert (ticket.status, ticket.revision, ticket.read_at) == (Status.OPEN, "4", 0)
    assert ticket.requester is None  # who opened it is who typed it
    query = route.calls.last.request.url.params
    assert query["sysparm_display_value"] == "all"
    assert query["sysparm_exclude_reference_link"] == "true"
    assert "caller_id.vip" in query["sysparm_fields"].split(",")


@respx.mock
def test_a_list_asks_for_an_exact_place() -> None:
    headers = {"X-Total-Count": "1", "Date": "Wed, 25 Nov 2026 10:00:00 GMT"}
    route = respx.get(TABLE).respond(json={"result": [ROW]}, headers=headers)
    cursor = "walk|2016-01-22 14:53:05|0|abc"
    page = factory(account(), RecordingGate()).poll(cursor, since=0, limit=50)
    query = route.calls.last.request.url.params
    assert query["sysparm_query"] == (
        "sys_updated_on>=2016-01-22 14:53:05^sys_updated_on>2016-01-22 14:53:05^ORsys_id>abc"
        "^ORDERBYsys_updated_on^ORDERBYsys_id"
    )
    assert (query["sysparm_limit"], query["sysparm_offset"]) == ("50", "0")
    assert (page.more, page.cursor) == (False, f"calm|2016-01-22 14:53:06|0|{REF.id}|0|-1|")
    assert page.tickets[0].read_at == 1795600800


@respx.mock
def test_rows_from_before_the_place_are_not_taken_for_news() -> None:
    respx.get(TABLE).respond(json={"result": [ROW]}, headers={"X-Total-Count": "1"})
    with pytest.raises(NotAllowed, match="ignores our filter on sys_updated_on"):
        factory(account(), RecordingGate()).poll("walk|2016-01-22 14:53:07|0|abc", since=0, limit=50)


@respx.mock
def test_a_list_that_does_not_move_on_ends_in_an_error() -> None:
    rows = [{"sys_id": "a", "active": "true", "sys_mod_count": "1"}]
    respx.get(url__startswith=f"{HOST}/api/now/table/").respond(
        json={"result": rows}, headers={"X-Total-Count": "9"}
    )
    adapter = factory(account(), RecordingGate())
    with pytest.raises(NotAllowed, match="filter on sys_id"):
        adapter.directory()
    with pytest.raises(NotAllowed, match="filter on sys_id"):
        adapter.census(adapter.census(None).cursor)


@pytest.mark.parametrize("result", [[], {}, None, "x", [1]])
@respx.mock
def test_a_record_that_is_none_is_not_a_ticket(result: Any) -> None:
    respx.get(f"{TABLE}/{REF.id}").respond(json={"result": result})
    with pytest.raises(Unreadable):
        factory(account(), RecordingGate()).load(REF, frozenset())


NO_RIGHTS = {
    "message": "Insufficient rights to query records",
    "detail": "Field(s) present in the query do not have permission to be read",
}
NO_AUTH = {"message": "User Not Authenticated", "detail": "Required to provide Auth information"}
NO_TABLE = {"message": "Invalid table incidnt", "detail": None}
CANCELLED = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": "x"}


def failure(error: Any, **more: Any) -> str:
    return json.dumps({**more, "error": error, "status": "failure"})


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (400, failure(NO_TABLE), NotAllowed),
        (401, failure(NO_AUTH), AccessLost),
        (403, failure(NO_RIGHTS), NotAllowed),
        (202, "", TryLater),
        (200, '{"result":[{"sys_id":"a"},{"sys_id"', TryLater),
        (200, failure(CANCELLED, result=[{"sys_id": "a"}]), TryLater),
        (200, '{"result":[]} ' + failure(CANCELLED), TryLater),
        (200, "<html class='instance-hibernating-page'></html>", TryLater),
        (200, "null", TryLater),
        (500, "", TryLater),
    ],
)
@respx.mock
def test_lists_that_are_none(status: int, content: str, error: type[HelpdeskError]) -> None:
    respx.get(TABLE).respond(status, content=content.encode(), content_type="application/json")
    with pytest.raises(error):
        factory(account(), RecordingGate()).poll(None, since=1_000_000, limit=50)


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        (
            403,
            "Data Policy Exception: The following fields are mandatory: Resolution code",
            "Resolution code",
        ),
        (403, f"Operation against file 'incident' was aborted by Business Rule 'Guard^{REF.id}'.", "'Guard'"),
        (415, None, "Operation Failed"),
    ],
)
@respx.mock
def test_writes_that_are_refused(status: int, detail: str | None, words: str) -> None:
    respx.get(f"{TABLE}/{REF.id}").respond(json={"result": ROW})
    body = {"error": {"message": "Operation Failed", "detail": detail}, "status": "failure"}
    respx.patch(f"{TABLE}/{REF.id}").respond(status, json=body)
    made = account()
    with pytest.raises(WontAccept, match=words):
        send(Client(made, RecordingGate()), profile(made), identities(), WRITE, "4")


@respx.mock
def test_a_record_that_we_may_not_write_is_that_records_trouble() -> None:
    respx.get(f"{TABLE}/{REF.id}").respond(json={"result": ROW})
    detail = "ACL Exception Update Failed due to security constraints"
    body = {"error": {"message": "Operation Failed", "detail": detail}, "status": "failure"}
    respx.patch(f"{TABLE}/{REF.id}").respond(403, json=body)
    made = account()
    with pytest.raises(NotAllowed, match="security constraints") as told:
        send(Client(made, RecordingGate()), profile(made), identities(), WRITE, "4")
    assert told.value.right == "write"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("no"), TryLater),
        (httpx.ConnectTimeout("no"), TryLater),
        (httpx.PoolTimeout("no"), TryLater),
        (httpx.WriteTimeout("no"), OutcomeUnknown),
        (httpx.ReadTimeout("no"), OutcomeUnknown),
        (httpx.WriteError("no"), OutcomeUnknown),
        (httpx.RemoteProtocolError("no"), OutcomeUnknown),
        (httpx.DecodingError("no"), OutcomeUnknown),
    ],
)
@respx.mock
def test_a_lost_write_is_open_unless_it_never_left(error: Exception, expected: type[HelpdeskError]) -> None:
    respx.get(f"{TABLE}/{REF.id}").respond(json={"result": ROW})
    route = respx.patch(f"{TABLE}/{REF.id}").mock(side_effect=error)
    made = account()
    with pytest.raises(expected):
        send(Client(made, RecordingGate()), profile(made), identities(), WRITE, "4")
    assert route.call_count == 1


@pytest.mark.parametrize("after", ["4", "5", "7"])
@respx.mock
def test_what_the_answer_proves_of_a_write(after: str) -> None:
    respx.get(f"{TABLE}/{REF.id}").respond(json={"result": ROW})
    answer = ROW | {"u_product": "X200", "sys_mod_count": after}
    respx.patch(f"{TABLE}/{REF.id}").respond(json={"result": answer})
    made = account()
    receipt, _ = send(Client(made, RecordingGate()), profile(made), identities(), WRITE, "4")
    assert receipt.revision == after
    assert receipt.changed == (("custom.product", "X100", "X200"),)
    assert any("moved by 3" in remark for remark in receipt.remarks) is (after == "7")
