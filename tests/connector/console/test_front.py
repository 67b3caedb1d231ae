"""The front page: every figure leads to its list, what is only observed is not counted, and it costs the same however
much is escalated."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from connector.app.canary import FailedTest
from connector.console import queries
from connector.console.frame import page
from connector.console.queries import AccountHealth, Front, Health, Trouble
from connector.store import escalated, ledger
from connector.store.database import Store, put
from connector.store.escalated import ANSWERED, NEVER, OBSERVED, OPEN, Escalated, columns_of
from connector.store.fleet import Failing
from connector.store.holds import Hold, put_hold
from connector.store.ledger import LedgerEntry
from connector.store.schema import escalated as table
from connector.store.schema import standing
from policies.model import TicketRef
from tests.connector.console.conftest import Shown, beside
from tests.connector.stores import fresh_store

NOW = 1_790_000_000
HOUR, DAY = 3600, 86_400
WELL = Health(
    trouble="", failing=(), clocks=(), nodes=(), aside=(), channels=(), backlog=0, oldest=None, timers=0, writes=(),
    accounts=(), calls=(), held=(), tests=(), results=(), policies=(),
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(request.param, tmp_path_factory.mktemp("front")) as store:
        yield store


def row(number: int, **more: Any) -> Escalated:
    """A ticket that a level has come on."""
    said: dict[str, Any] = {
        "ref": TicketRef("acme", str(number)), "subject": "Help", "link": "", "team": "Tier 1", "assignee": "",
        "policy": "p", "more": (), "level": "Lead", "owner": "Duty", "since": NOW - HOUR, "at": NOW + DAY,
        "next_level": "", "next_due": None, "awaiting": "", "acknowledged_by": "", "snoozed_until": None,
        "waits_since": None, "observed": False, "observes": False, "rank": OPEN,
    }  # fmt: skip
    return Escalated(**said | more)


def fill(connection: Connection, some: list[Escalated]) -> None:
    put(connection, table, [columns_of(each, "{}") for each in some])


def asked(store: Store, health: Health = WELL) -> tuple[Front, int]:
    """The front page's figures, and how many statements they took."""
    said: list[str] = []
    with store.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: said.append(given[2]))
        return queries.front(connection, ("acme",), NOW, health), len(said)


def test_it_counts_in_the_database_and_costs_the_same_for_many(store: Store) -> None:
    few = [
        row(1, at=NOW - 5),
        row(2, at=NOW + 60, team="Tier 2", owner=""),
        row(3, rank=ANSWERED, acknowledged_by="ann", level="Manager"),
        row(4, rank=OBSERVED, observed=True, observes=True, level="Trial"),
        row(5, at=NOW - 5),
    ]
    with store.writing() as connection:
        fill(connection, few)
        assert put_hold(connection, Hold(ref=TicketRef("acme", "5"), scope="ticket", why="a cap", since=NOW))
        for hours in (0.5, 0.6, 3, 30):
            own = {"account": "acme", "ticket": "1", "policy": f"p{hours}", "memory": "{}"}
            at = int(NOW + hours * HOUR)
            put(connection, standing, [own | {"due": at, "acts": at, "coming": None}])
        for days, what in ((0, "fired"), (0, "acknowledged"), (1, "fired"), (1, "fired"), (20, "fired")):
            line = {
                "account": "acme",
                "ticket": "1",
                "policy": "p",
                "episode": "",
                "level": None,
                "owner": None,
            }
            ledger.append(
                connection, [LedgerEntry(at=NOW - days * DAY, what=what, text="", who="uptier", **line)]
            )
    found, statements = asked(store)
    assert found.shares == escalated.Shares(
        tickets=4,
        levels=(("Lead", 3), ("Manager", 1)),
        teams=(("Tier 1", 3), ("Tier 2", 1)),
        owners=(("Duty", 3), ("", 1)),
    )
    assert found.states == {"overdue": 1, "soon": 1, "held": 1, "acknowledged": 1, "observed": 1}
    assert found.hours[:4] == ((2, 1), (0, 0), (0, 0), (1, 1))
    assert sum(levels for levels, _ in found.hours) == 3
    assert found.days == {
        "fired": (0, 0, 0, 0, 0, 2, 1),
        "acknowledged": (0,) * 6 + (1,),
        "observed": (0,) * 7,
    }

    with store.writing() as connection:
        fill(connection, [row(number, team=f"Team {number % 40}") for number in range(100, 3000)])
    more, again = asked(store)
    assert more.shares.tickets == 2904
    assert again == statements <= 5
    frame = {"menu": (), "path": "/", "asking": None, "title": "Overview", "now": NOW, "look": "", "said": ""}
    assert len(page("front.html", shown=more, **frame).body) < 30_000


def test_what_needs_a_human_says_where_to_look() -> None:
    account = AccountHealth(
        name="acme", paused="the token was revoked", oldest=None, rests_until=None, failed=2, budgets=(), polled=None,
        census=None, webhook=None,
    )  # fmt: skip
    sick = Health(
        **{name: getattr(WELL, name) for name in Health.__slots__}
        | {
            "accounts": (account,),
            "failing": (Failing(name="poll acme", why="no answer", since=NOW, times=3),),
            "channels": (("pager", 4),),
            "tests": (FailedTest(name="t", place="a:1", why="no"),),
        }
    )
    found = list(queries.troubles(sick))
    assert all(each.then for each in found)
    assert [replace(each, then="") for each in found] == [
        Trouble(what="acme is paused: the token was revoked", where="/health#accounts"),
        Trouble(what="acme: 2 writes failed since yesterday", where="/health#accounts"),
        Trouble(what="poll acme: no answer", where="/health#failing"),
        Trouble(what="channel pager: 4 messages not sent", where="/health#channels"),
        Trouble(what="1 policy test failed", where="/health#tests"),
    ]
    assert list(queries.troubles(WELL)) == []


def test_every_figure_leads_to_its_list(tmp_path: Path) -> None:
    with beside(tmp_path) as shown, shown.logged_in("vera", "viewer") as client:
        front = client.get("/").text
        figures = re.findall(r'class="figure"><a href="([^"]+)" aria-label="[^"]+">(\d+)<', front)
        assert [number for _, number in figures] == ["1", "0", "0", "0", "0", "0"]
        bars = re.findall(r'<div class="bar-row"><a href="([^"]+)">', front)
        columns = re.findall(r'<a href="([^"]+)" aria-label="[^"]+"><title>', front)
        assert (len(bars), len(columns)) == (3, 12 + 7)
        for address, number in [
            *figures,
            *re.findall(r'bar-row"><a href="([^"]+)">.*?<span class="num">(\d+)<', front, re.DOTALL),
        ]:
            listed = client.get(address.replace("&amp;", "&")).text
            assert len(re.findall(r'<tr id="r:', listed)) == int(number), address
        for address in {*(address for address, _ in figures), *bars, *columns}:
            assert client.get(address.replace("&amp;", "&")).status_code == 200, address


def test_held_is_told_where_it_is_held(shown: Shown) -> None:
    with shown.store.writing() as connection:
        put_hold(
            connection, Hold(ref=shown.here.ref("one"), scope="ticket", why="a cap", since=NEVER // 2**30)
        )
    with shown.logged_in("vera", "viewer") as client:
        assert 'href="/now?state=held" aria-label="Held: 1"' in client.get("/").text
