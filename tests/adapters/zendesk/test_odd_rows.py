"""Every reply that is read, with one thing in it broken at a time: nothing but a HelpdeskError comes out, the other
rows of a page stay, and what a ticket no longer tells is hidden, never empty."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from adapters.base import Adapter, HelpdeskError, Note, Write
from adapters.contract.sandbox import RecordingGate
from adapters.zendesk import factory
from policies.model import Need, Ticket, TicketRef, Who
from tests.adapters.zendesk.world import ALL, PRINTER, account, world

Bodies = dict[str, Any]
Place = tuple[str | int, ...]

URL = "https://acme.zendesk.test"
SINCE = 1_700_000_000
TRIES = 400
ABSENT = object()
OF_ANOTHER_KIND: tuple[Any, ...] = (["urgent"], {"a": 1}, 10**30, True, [None], ABSENT)
STRANGE: tuple[Any, ...] = (
    *OF_ANOTHER_KIND,
    None,
    "",
    0,
    -1,
    "x",
    "\ud83d",
    "a\x00b",
    "y" * 100_000,
    [],
    {},
    1.5,
)


@pytest.fixture(scope="module")
def recorded() -> Bodies:
    """What the simulated account answers to each path that the adapter reads."""
    kept: Bodies = {}
    with world(settings={"statuses": {}}) as acme:
        acme.desk.seed(
            custom_statuses=[{"id": 77, "agent_label": "Parked", "status_category": "hold"}],
            tickets=[
                {"requester": "Dan", "subject": f"No {number}", "group": "Tier 2"} for number in range(3)
            ],
        )
        acme.clock.at += 60
        acme.desk.agent_says(1, "Ann", "On it", assignee="Ann", status="pending", priority="high")
        acme.clock.at += 60
        acme.desk.customer_says(1, "Still burning")
        acme.desk.set_target(1, "first_reply_time", stage="achieved", breach=acme.clock.at)
        acme.desk.set_target(1, "next_reply_time", breach=acme.clock.at + 900)
        acme.clock.at += 600
        real = HTTPAdapter.send

        def keeping(self: HTTPAdapter, request: PreparedRequest, *args: Any, **more: Any) -> Response:
            answer = real(self, request, *args, **more)
            kept[place_of(request)] = answer.json()
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", keeping)
            for call in calls(acme.adapter).values():
                call()
            acme.adapter.probe(frozenset({"messages"}))
            for user in (21, 41):
                kept[f"/api/v2/users/{user}"] = {"user": acme.desk.people.users[user]}
    return kept


def place_of(request: PreparedRequest) -> str:
    return urlsplit(request.url or "").path.removesuffix(".json")


def calls(adapter: Adapter) -> dict[str, Callable[[], Any]]:
    """Every reading call, by name."""
    write = Write(
        key="k:1", ref=PRINTER, expects="", intent=(Note(public=False, body="x"),), request={"ticket": {}}
    )
    return {
        "poll": lambda: adapter.poll(None, since=SINCE, limit=100),
        "census": lambda: adapter.census(None),
        "load": lambda: adapter.load(PRINTER, ALL),
        "said": lambda: adapter.load(PRINTER, frozenset({Need.MESSAGES})),
        "find_written": lambda: adapter.find_written(write),
        "directory": adapter.directory,
    }


def answering(bodies: Mapping[str, Any]) -> Callable[..., Response]:
    """Instead of the wire: these bodies by path, and 404 for every other."""

    def send(_: HTTPAdapter, request: PreparedRequest, **_more: Any) -> Response:
        answer = Response()
        answer.request, answer.url = request, request.url or ""
        body = bodies.get(place_of(request), ABSENT)
        answer.status_code = 404 if body is ABSENT else 200
        answer.headers["Date"] = "Wed, 25 Nov 2026 12:00:00 GMT"
        text = "{}" if body is ABSENT else json.dumps(body)
        answer.raw = BytesIO(text.encode())
        return answer

    return send


def places(body: Any, here: Place = ()) -> Iterator[Place]:
    """Every place in a body, from the top."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield (*here, key)
        yield from places(value, (*here, key))


def broken(bodies: Bodies, path: str, place: Place, value: Any) -> Bodies:
    """The bodies with one thing changed, or taken away."""
    body = inner = copy.deepcopy(bodies[path])
    for step in place[:-1]:
        inner = inner[step]
    if value is ABSENT:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return bodies | {path: body}


def read(bodies: Mapping[str, Any], name: str) -> Any:
    """What a fresh adapter makes of these bodies, or the HelpdeskError it raises; anything else fails the test."""
    adapter = factory(account(URL), RecordingGate())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", answering(bodies))
        try:
            return calls(adapter)[name]()
        except HelpdeskError as error:
            return error


def chosen(bodies: Bodies, seed: int, values: tuple[Any, ...]) -> Iterator[tuple[str, Place, Any]]:
    """Mutations, the same for the same seed; each path as often as any other."""
    dice = random.Random(seed)  # noqa: S311 (a repeatable choice)
    every = {path: list(places(body)) for path, body in bodies.items()}
    for _ in range(TRIES):
        path = dice.choice(sorted(every))
        yield path, dice.choice(every[path]), dice.choice(values)


def readers(path: str) -> tuple[str, ...]:
    """The calls that read a path."""
    if path.startswith("/api/v2/tickets/1"):
        below = {"audits": ("find_written", "load"), "comments": ("said",)}
        return below.get(path.rpartition("/")[2], ("load",))
    named = {
        "/api/v2/incremental/tickets/cursor": "poll",
        "/api/v2/search/export": "census",
        "/api/v2/users/me": "load",
    }
    return (named.get(path, "directory"),)


def ids(page: Any) -> set[str]:
    return {ticket.ref.id for ticket in page.tickets}


def test_nothing_but_a_helpdesk_error_comes_out_and_the_other_rows_stay(recorded: Bodies) -> None:
    whole = {name: read(recorded, name) for name in ("poll", "census", "directory", "load")}
    assert ids(whole["poll"]) == ids(whole["census"]) == {"1", "2", "3", "4"}
    assert whole["load"].hidden == frozenset()
    for path, place, value in chosen(recorded, 1, STRANGE):
        bodies = broken(recorded, path, place, value)
        for name in readers(path):
            found = read(bodies, name)
            if place[0] in ("tickets", "results") and len(place) > 1:
                assert not isinstance(found, HelpdeskError), (path, place, value, found)
                row = str(recorded[path][place[0]][place[1]]["id"])
                assert ids(found) >= ids(whole[name]) - {row}, (path, place, value)
                if row not in ids(found) and value is not ABSENT and len(place) == 2:
                    assert len(found.aside) == 1


MAY_BE_UNKNOWN = ("status", "priority", "type", "channel", "subject", "tags", "group", "assignee", "created",
                  "organization", "language", "satisfaction", "messages", "changes", "targets",
                  "description")  # fmt: skip


def untrue(found: Ticket, truth: Ticket) -> list[str]:
    """The fields that say something else than is so, and do not say that they are hidden."""
    about = ("requester", "requester.name", "requester.address", "requester.organization", "requester.tags")
    wrong = [name for name in MAY_BE_UNKNOWN if getattr(found, name) != getattr(truth, name)]
    asked = found.requester != truth.requester and not found.hidden & set(about)
    custom = [f"custom.{name}" for name in truth.custom if found.custom.get(name) != truth.custom[name]]
    return sorted({*wrong, *custom} - found.hidden) + (["requester"] if asked else [])


def test_what_is_taken_away_or_of_another_kind_is_hidden_and_never_read_as_something_else(
    recorded: Bodies,
) -> None:
    truth = read(recorded, "load")
    about_it = {path: body for path, body in recorded.items() if path.startswith("/api/v2/tickets/1")}
    for path, place, value in chosen(about_it, 2, OF_ANOTHER_KIND):
        if "slas" in place or isinstance(place[-1], int) or place[-1] == "value" or "tags" in place:
            continue  # a row less is not to be noticed, and a field's value may be of any of these kinds
        found = read(broken(recorded, path, place, value), "load")
        if isinstance(found, HelpdeskError) or "users" in place:
            continue  # whose name a user bears only Zendesk knows
        assert not untrue(found, truth), (path, place, value, untrue(found, truth))


@pytest.mark.parametrize("key", ["status", "priority", "created_at", "tags", "group_id", "assignee_id", "requester_id",
    "organization_id", "via", "custom_fields", "satisfaction_rating", "type", "subject"])  # fmt: skip
def test_a_column_that_is_hidden_is_unknown_on_that_ticket_and_in_each_page(
    recorded: Bodies, key: str
) -> None:
    names = {"created_at": "created", "group_id": "group", "assignee_id": "assignee", "requester_id": "requester",
             "organization_id": "organization", "via": "channel", "custom_fields": "custom.product",
             "satisfaction_rating": "satisfaction"}  # fmt: skip
    loaded = read(broken(recorded, "/api/v2/tickets/1", ("ticket", key), ABSENT), "load")
    assert names.get(key, key) in loaded.hidden
    page = read(broken(recorded, "/api/v2/incremental/tickets/cursor", ("tickets", 0, key), ABSENT), "poll")
    assert names.get(key, key) in page.tickets[0].hidden
    assert all(names.get(key, key) not in ticket.hidden for ticket in page.tickets[1:])


def test_a_row_of_another_kind_is_set_aside_by_name(recorded: Bodies) -> None:
    feed = "/api/v2/incremental/tickets/cursor"
    for place, value in ((("tickets", 0, "priority"), ["urgent"]), (("tickets", 1), None)):
        page = read(broken(recorded, feed, place, value), "poll")
        assert (len(page.tickets), len(page.aside)) == (3, 1)
        assert page.cursor == recorded[feed]["after_cursor"]
    assert page.aside[0].id == ""
    first = str(recorded[feed]["tickets"][0]["id"])
    page = read(broken(recorded, feed, ("tickets", 0, "priority"), ["urgent"]), "poll")
    assert (page.aside[0].id, page.aside[0].why) == (first, "priority is ['urgent'] and not a text")


def test_odd_characters_are_replaced_wherever_they_stand(recorded: Bodies) -> None:
    page = read(
        broken(recorded, "/api/v2/incremental/tickets/cursor", ("tickets", 0, "subject"), "a\ud83d\x00"),
        "poll",
    )
    assert page.tickets[0].subject == "a\ufffd\ufffd"
    people = read(broken(recorded, "/api/v2/users", ("users", 0, "name"), "a\ud83d"), "directory")
    assert "a\ufffd" in {agent.person.name for agent in people.agents}


def test_a_broken_row_of_the_directory_leaves_the_rest_usable(recorded: Bodies) -> None:
    whole = read(recorded, "directory")
    for path, place in (("users", "users"), ("groups", "groups"), ("group_memberships", "group_memberships")):
        found = read(broken(recorded, f"/api/v2/{path}", (place, 1), None), "directory")
        assert len(found.groups) >= len(whole.groups) - 1
        assert len(found.agents) >= len(whole.agents) - 1


def test_the_ticket_of_another_id_is_not_taken_for_this_one(recorded: Bodies) -> None:
    found = read(broken(recorded, "/api/v2/tickets/1", ("ticket", "id"), 2), "load")
    assert type(found).__name__ == "Unreadable"
    assert TicketRef("acme", "1") == PRINTER


@pytest.mark.parametrize(("path", "name"), [("audits", "load"), ("comments", "said")])
def test_a_user_whose_role_is_no_word_is_asked_for(recorded: Bodies, path: str, name: str) -> None:
    whole, place = read(recorded, name), f"/api/v2/tickets/1/{path}"
    assert {each.act.who for each in whole.messages} == {Who.AGENT, Who.CUSTOMER}
    for number in range(len(recorded[place]["users"])):
        bodies = broken(recorded, place, ("users", number, "role"), ["agent"])
        assert untrue(read(bodies, name), whole) == []


def test_the_probe_survives_what_it_asks_for(recorded: Bodies) -> None:
    asked = {
        path: recorded[path]
        for path in ("/api/v2/ticket_fields", "/api/v2/custom_statuses", "/api/v2/users/me")
    }
    for path, place, value in chosen(asked, 3, STRANGE):
        adapter = factory(account(URL), RecordingGate())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", answering(broken(recorded, path, place, value)))
            assert adapter.probe(frozenset({"custom.product", "priority"}))
