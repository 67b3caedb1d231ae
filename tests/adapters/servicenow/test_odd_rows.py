"""A storm of odd rows: one thing at a time is broken in every reading reply, and only that thing is harmed.

The replies are the simulator's, spoken to without a socket. A mutation of a row must leave every other row of its
page; whatever is broken, nothing but a HelpdeskError leaves the adapter, and a history with a hole is hidden.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from adapters.base import Adapter, HelpdeskError
from adapters.contract.sandbox import RecordingGate
from adapters.servicenow import factory
from adapters.servicenow.simulator import create
from policies.model import Need, Ticket, TicketRef
from tests.adapters.recording import START, Clock
from tests.adapters.servicenow.world import ALL, account

HOST = "https://acme.service-now.test"
HALF = "hello \ud83d"
ODD: tuple[Any, ...] = (
    None, "", "?", "x" * 70_000, HALF, "a\x00b", "-1", "9" * 400, "²", 7, -1.5, float("nan"), True, [], ["urgent"], {},
    {"value": ["urgent"]}, {"value": {"a": 1}}, {"display_value": ["x"], "value": "1"}, {"value": None},
    {"value": HALF, "display_value": HALF}, {"value": "9999-99-99 99:99:99", "display_value": "?"},
)  # fmt: skip
GONE = object()
Mutation = Callable[[Any], Any]
HISTORY = {"sys_journal_field": Need.MESSAGES, "sys_audit": Need.CHANGES, "task_sla": Need.TARGETS}
TABLES = ("sys_user", "sys_user_group", "sys_user_grmember", "dl_u_priority", "sys_choice", "whoisoncall")


class Played:
    """An instance with some tickets, the adapter on it, and at most one mutation of what it answers."""

    def __init__(self) -> None:
        clock = Clock()
        self.app = create(clock, on_call="open")
        self.desk = self.app.state.servicenow
        made = self.desk.seed(
            groups=[{"name": "Tier 1"}, {"name": "Tier 2"}],
            users=[{"name": "Ann", "groups": ["Tier 1"]}, {"name": "Cleo"}],
            tickets=[
                {
                    "caller": "Cleo",
                    "subject": f"n{number}",
                    "group": "Tier 1",
                    "assignee": "Ann",
                    "u_product": "X",
                }
                for number in range(4)
            ],
        )
        self.keys: list[str] = made["tickets"]
        clock.at += 10
        self.desk.customer_says(self.keys[0], "Hello?")
        clock.at += 10
        self.desk.agent_says(self.keys[0], "Ann", "Hi", state="2", assignee=None)
        self.desk.set_target(self.keys[0], due=START + 3600)
        self.desk.on_call = [
            {"group": self.desk.key_of("sys_user_group", "Tier 1"), "userId": "u", "order": 1}
        ]
        clock.at += 1000
        self.table = ""
        self.mutate: Mutation | None = None
        self.said: dict[str, tuple[int, dict[str, str], str]] = {}
        self.fresh()

    def fresh(self) -> None:
        """An adapter that remembers nothing."""
        self.adapter: Adapter = factory(account(HOST), RecordingGate())

    def answer(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(
                    request.method, request.url, headers=request.headers, content=request.content
                )

        place = str(request.url)
        if place not in self.said:  # nothing changes there any more
            got = asyncio.run(ask())
            told = {name: got.headers[name] for name in ("x-total-count", "date") if name in got.headers}
            self.said[place] = got.status_code, told, got.text
        status, headers, text = self.said[place]
        if self.mutate is None or self.table not in request.url.path.split("/"):
            return httpx.Response(status, headers=headers, text=text)
        body = self.mutate(json.loads(text))
        content = json.dumps(body).encode() if not isinstance(body, bytes) else body
        return httpx.Response(status, headers=headers, content=content)

    def ids(self, found: tuple[Ticket, ...]) -> set[str]:
        return {each.ref.id for each in found}


@pytest.fixture
def played() -> Iterator[Played]:
    with respx.mock(assert_all_called=False) as router:
        made = Played()
        router.route(url__startswith=HOST).mock(side_effect=made.answer)
        yield made


def in_row(number: int, column: str, value: Any) -> Mutation:
    """One column of one row is something else, or gone."""

    def change(body: Any) -> Any:
        row = (
            body["result"]
            if isinstance(body["result"], dict)
            else (body["result"] or [{}])[number % max(1, len(body["result"]))]
        )
        if value is GONE:
            row.pop(column, None)
        else:
            row[column] = value
        return body

    return change


def row_is(number: int, value: Any) -> Mutation:
    """One row of a list is something else altogether."""

    def change(body: Any) -> Any:
        if isinstance(body["result"], list) and body["result"]:
            body["result"][number % len(body["result"])] = value
        return body

    return change


def envelopes() -> list[Mutation]:
    """Bodies that are no answer."""
    bodies: tuple[Any, ...] = (
        None, [], {}, 7, "x", {"result": None}, {"result": "x"}, {"result": 7}, {"result": [None]}, {"result": [7, []]},
        {"result": {"a": 1}}, {"error": None}, {"error": {"message": HALF}}, {"result": [], "error": {"message": "x"}},
        b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"result":[{"sys_id":"a"},{"sys', b"<html></html>", b"1" * 5000,
    )  # fmt: skip
    return [lambda _, body=body: body for body in bodies]  # type: ignore[misc]


def columns(played: Played, table: str) -> list[str]:
    """The columns that were asked of a table."""
    asked = [httpx.URL(place) for place in played.said if table in httpx.URL(place).path.split("/")]
    named = {name for url in asked for name in url.params.get("sysparm_fields", "").split(",")}
    assert asked
    return sorted(named - {""}) or ["group", "userId", "order"]


def look(ask: Callable[[], Any]) -> Any:
    """What comes back, or None for an error that is the contract's; any other fails the test."""
    try:
        return ask()
    except HelpdeskError:
        return None


def test_one_odd_row_takes_no_other_with_it(played: Played) -> None:
    chance = random.Random(14)  # noqa: S311
    everything = set(played.keys)
    assert played.ids(played.adapter.census(None).tickets) == everything
    played.table = "incident"
    names = columns(played, "incident")
    storms = [(name, value) for name in names for value in (*chance.sample(ODD, 8), GONE)]
    for name, value in [*storms, *((None, value) for value in (None, 7, "x", [], {}, [1]))]:
        number = chance.randrange(4)
        played.mutate = row_is(number, value) if name is None else in_row(number, name, value)
        for ask in (played.adapter.census, lambda _: played.adapter.poll(None, since=START - 10, limit=50)):
            page = ask(None)
            lost = everything - played.ids(page.tickets)
            assert len(lost) <= 1, (name, value)
            told = {each.id for each in page.aside}
            assert not lost or told or name in ("active", "state", "sys_id"), (name, value)
            assert name in ("sys_id", "active", "state", None) or lost <= told, (name, value)
            assert not page.more or page.cursor


def test_what_is_hidden_of_a_row_is_unknown_and_never_1970(played: Played) -> None:
    played.adapter.census(None)
    played.table = "incident"
    for name in columns(played, "incident"):
        if name in (
            "sys_id",
            "number",
            "sys_created_by",
            "opened_by",
            "impact",
            "urgency",
            "active",
            "hold_reason",
        ):
            continue
        played.mutate = in_row(2, name, GONE)
        for ticket in played.adapter.census(None).tickets:
            assert ticket.created >= START - 10
            assert ticket.updated >= START - 10
        shown = {each.ref.id: each.hidden for each in played.adapter.census(None).tickets}
        walked = name.startswith("assigned_to.") and len(shown) == 4
        assert sum(map(bool, shown.values())) == (0 if name == "sys_mod_count" else 1) or walked, name


@pytest.mark.parametrize("table", sorted(HISTORY))
def test_a_history_with_a_hole_is_hidden_and_the_ticket_is_there(played: Played, table: str) -> None:
    ref = TicketRef("acme", played.keys[0])
    whole = played.adapter.load(ref, ALL)
    assert not whole.hidden
    played.table = table
    names = columns(played, table)
    mutations = [in_row(0, name, value) for name in names for value in (*ODD, GONE)]
    for mutate in [*mutations, *(row_is(0, value) for value in (None, 7, "x", [], {}))]:
        played.mutate = mutate
        loaded = look(lambda: played.adapter.load(ref, ALL))
        if loaded is None:
            continue
        assert (loaded.subject, loaded.status, loaded.revision) == (
            whole.subject,
            whole.status,
            whole.revision,
        )
        others = ALL - {HISTORY[table]}
        assert others <= loaded.loaded
        assert (HISTORY[table] in loaded.loaded) is (HISTORY[table].value not in loaded.hidden)
        assert all(each.act.at >= START for each in (*loaded.messages, *loaded.changes))
        if HISTORY[table] in loaded.loaded:
            assert len(loaded.messages) == len(whole.messages)
            assert len(loaded.changes) >= len(whole.changes) - 1


@pytest.mark.parametrize("table", TABLES)
def test_odd_rows_of_groups_people_and_rotas_are_nobodys(played: Played, table: str) -> None:
    whole = played.adapter.directory()
    played.adapter.probe()
    ref = TicketRef("acme", played.keys[0])
    played.adapter.load(ref, ALL)
    played.table = table
    names = columns(played, table)
    chance = random.Random(table)  # noqa: S311
    some = [in_row(0, name, value) for name in names for value in (*chance.sample(ODD, 2), GONE)]
    for mutate in [*some, *(row_is(0, value) for value in chance.sample(ODD, 3))]:
        played.mutate = mutate
        played.fresh()
        found = look(played.adapter.directory)
        if found is not None:
            assert len(found.groups) >= len(whole.groups) - 1
            assert len(found.agents) >= len(whole.agents) - 1
        look(lambda: played.adapter.load(ref, ALL))
        look(played.adapter.probe)


@pytest.mark.parametrize("table", ["incident", *HISTORY, *TABLES])
def test_an_envelope_that_cannot_be_read_is_an_error_of_the_contract(played: Played, table: str) -> None:
    ref = TicketRef("acme", played.keys[0])
    played.table = table
    for mutate in envelopes():
        played.mutate = mutate
        played.fresh()
        asks: tuple[Callable[[], Any], ...] = (
            lambda: played.adapter.poll(None, since=START, limit=50),
            lambda: played.adapter.census(None),
            lambda: played.adapter.load(ref, ALL),
            played.adapter.directory,
            played.adapter.probe,
        )
        pages = [look(ask) for ask in asks]
        if table == "incident":
            assert all(page is None or page.aside for page in pages[:2]) or pages[0].more is False
