"""Every reading endpoint with one thing broken at a time: only HelpdeskError leaves the adapter, and nobody else's
ticket, person or message is lost by it."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from adapters.base import HelpdeskError, Page
from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk import factory
from adapters.freshdesk.simulator.records import (
    agent,
    contact,
    conversation,
    group,
    stamp,
    stats,
    ticket,
    ticket_field,
)
from policies.model import Ticket, TicketRef
from tests.adapters.freshdesk.world import ALL, account

BASE = "https://acme.freshdesk.test/api/v2"
AT = 1_790_000_000
VALUES: tuple[Any, ...] = (
    None, 0, -1, 7, 1.5, True, "", "x", "\ud83d", "a\x00b", "y" * 40_000, 10**30, [], ["urgent"], [None], {}, {"a": []},
    "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
)  # fmt: skip
NEEDED = frozenset({"priority", "custom.product", "messages", "type"})


def a_ticket(number: int) -> dict[str, Any]:
    row = ticket(number, AT + number)
    row |= {
        "requester_id": 41,
        "group_id": 11,
        "responder_id": 21,
        "due_by": None,
        "fr_due_by": None,
        "nr_due_by": None,
    }
    return row | {
        "custom_fields": {"cf_product": "X"},
        "tags": ["a"],
        "stats": stats(AT),
        "description": "Help",
    }


def answers() -> dict[str, Any]:
    """What each path answers, as recorded accounts do."""
    form = [
        ticket_field(number, AT, name, name, "default")
        for number, name in enumerate(("status", "cf_product"))
    ]
    form[0]["choices"] = {"2": ["Open", "Open"], "9": ["Parked", "Parked"]}
    form[1]["choices"] = ["X", "Y"]
    return {
        "/agents/me": agent(9, AT, "Uptier", "bot@acme.test"),
        "/agents": [agent(21, AT, "Ann", "ann@acme.test"), agent(22, AT, "Ben", None)],
        "/groups": [group(11, AT, "Tier 1") | {"agent_ids": [21]}, group(12, AT, "Tier 2")],
        "/ticket_fields": form,
        "/admin/ticket_fields/0": form[0],
        "/tickets": [a_ticket(1), a_ticket(2), a_ticket(3)],
        "/tickets/2": a_ticket(2),
        "/tickets/2/conversations": [conversation(70, AT, 2, 21, "Hi"), conversation(71, AT, 2, 41, "Ho")],
        "/tickets/2/satisfaction_ratings": [{"ratings": {"default_question": 103}, "created_at": stamp(AT)}],
        "/contacts/41": contact(41, AT, "Cleo", "cleo@initech.test"),
        "/sla_policies": [],
        "/automations/4/rules": {"rules": []},
    }


def broken(value: Any, way: random.Random) -> tuple[str, Any]:
    """The same answer with one thing broken at some depth, and where."""
    copied = copy.deepcopy(value)
    place, here = "", copied
    while True:
        keys = list(here.keys()) if isinstance(here, dict) else list(range(len(here)))
        key = way.choice(keys)
        place += f"[{key!r}]"
        inner = here[key]
        if isinstance(inner, dict | list) and inner and way.random() < 0.75:
            here = inner
            continue
        if isinstance(here, dict) and way.random() < 0.3:
            del here[key]
        else:
            here[key] = way.choice(VALUES)
        return place, copied


@pytest.fixture
def served() -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Serve these answers; whatever else is asked for is not there."""
    with respx.mock(base_url=BASE, assert_all_called=False) as router:

        def start(said: dict[str, Any]) -> Any:
            def answer(request: httpx.Request) -> httpx.Response:
                path = request.url.path.removeprefix("/api/v2")
                if path not in said or "filter" in request.url.params:
                    return (
                        httpx.Response(200, json=[])
                        if "filter" in request.url.params
                        else httpx.Response(404)
                    )
                page = int(request.url.params.get("page", 1))
                body = said[path] if page == 1 or not isinstance(said[path], list) else []
                return httpx.Response(
                    200, text=json.dumps(body), headers={"Date": "Mon, 21 Sep 2026 14:30:00 GMT"}
                )

            router.route().mock(side_effect=answer)
            return factory(account(), RecordingGate())

        yield start


def met(call: Callable[[], Any]) -> Any:
    """What a call answers; None where it raises what an adapter may raise."""
    try:
        return call()
    except HelpdeskError:
        return None


@pytest.mark.parametrize("path", sorted(answers()))
def test_one_broken_thing_harms_nothing_else(path: str, served: Callable[[dict[str, Any]], Any]) -> None:
    whole = answers()
    if not whole[path]:
        return
    way = random.Random(path)  # noqa: S311
    for _ in range(60):
        place, spoiled = broken(whole[path], way)
        adapter = served(whole | {path: spoiled})
        ref = TicketRef("acme", "2")
        loaded: Ticket | None = met(lambda adapter=adapter, ref=ref: adapter.load(ref, ALL))
        pages: list[Page | None] = [
            met(lambda adapter=adapter: adapter.poll(None, since=AT - 60, limit=100)),
            met(lambda adapter=adapter: adapter.census(None)),
        ]
        met(adapter.directory)
        assert met(lambda adapter=adapter: adapter.probe(NEEDED)), place
        for page in pages:
            assert page is not None or path in ("/ticket_fields", "/agents/me"), (path, place)
            shown = {each.ref.id for each in page.tickets} if page else set()
            if path == "/tickets" and page:
                others = {"1", "2", "3"} - {str(int(place.split("]")[0][1:]) + 1)}
                assert others <= shown, place
                assert len(page.tickets) + len(page.aside) == 3 or "status" in place, place
                assert all(each.created > AT - 10**6 for each in page.tickets)
            json.dumps([each.subject for each in page.tickets] if page else []).encode("utf-8")
        if path in ("/agents", "/groups", "/contacts/41", "/tickets/2/satisfaction_ratings", "/tickets"):
            assert loaded is not None, (path, place)
        if loaded is not None:
            loaded.subject.encode("utf-8")
            assert loaded.created > AT - 10**6
            if path == "/tickets/2/conversations" and len(loaded.messages) < 3:
                assert "messages" in loaded.hidden, place
