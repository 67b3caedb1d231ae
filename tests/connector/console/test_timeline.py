"""The ticket's page tells customer, team and Uptier in one order."""

from dataclasses import replace
from typing import Any

from connector.console.queries import Moment, timeline
from connector.store.ledger import LedgerEntry
from policies.model import Act, Agent, Change, Directory, Group, Message, Person, Who
from policies.state import Episode
from tests.connector.store.samples import a_ticket

ANN = Person(id="11", name="Ann", address="ann@acme.test")
PEOPLE = Directory(account="acme", groups=(Group(id="21", name="Tier 1"),), agents=(Agent(person=ANN),))


def act(at: int, who: Who, person: str | None = None) -> Act:
    return Act(sequence=at, id=f"a{at}", at=at, who=who, person=person)


def moment(at: int, side: str, what: str, who: str = "", owner: str = "", why: str = "") -> Moment:
    moves = what.startswith(("group", "assignee"))
    return Moment(at=at, side=side, who=who, what=what, owner=owner, why=why, moves=moves)


def line(at: int, what: str, **more: Any) -> LedgerEntry:
    return LedgerEntry(at=at, account="acme", ticket="1", what=what, policy="p", **more)


def test_the_newest_comes_first_and_each_side_is_named() -> None:
    ticket = replace(
        a_ticket(),
        requester=Person(id="31", name="Cleo"),
        messages=(
            Message(act=act(10, Who.CUSTOMER, "31"), public=True, body=""),
            Message(act=act(20, Who.AGENT, "11"), public=False, body=""),
            Message(act=act(25, Who.AUTOMATION), public=True, body="", auto_reply=True),
            Message(act=act(40, Who.OURS), public=False, body=""),
        ),
        changes=(
            Change(act=act(30, Who.AGENT, "99"), field="group", before=None, after="21"),
            Change(act=act(35, Who.AGENT, "11"), field="tags", before=(), after=("a", "b")),
            Change(act=act(40, Who.OURS, "9"), field="group", before="21", after="22"),
            Change(act=act(41, Who.OURS, "9"), field="tags", before=(), after=("c",)),
        ),
    )
    lines = (
        line(40, "fired", level="one", owner="Tier 2", text="30m"),
        line(40, "written", level="one", data={"due": 38, "key": "k1"}),
        line(50, "snoozed", who="dana", text="holiday"),
    )
    assert timeline(ticket, lines, PEOPLE, {"a40": "k1"}, ()) == (
        moment(50, "Uptier", "snoozed: p", who="for dana", why="holiday"),
        moment(41, "Uptier", "tags: none → c"),
        moment(40, "Uptier", "group: Tier 1 → 22", why="p / one: 30m"),
        moment(40, "Uptier", "written: p / one", why="it was due 1970-01-01 00:00:38 UTC"),
        moment(40, "Uptier", "fired: p / one", owner="Tier 2", why="30m"),
        moment(35, "team", "tags: none → a, b", who="Ann"),
        moment(30, "team", "group: none → Tier 1", why="by hand"),
        moment(25, "automation", "said publicly (automatic)"),
        moment(20, "team", "noted internally", who="Ann"),
        moment(10, "customer", "said publicly", who="Cleo"),
    )


def test_without_a_directory_ids_stand_for_names() -> None:
    change = Change(act=act(30, Who.AGENT, "99"), field="assignee", before="11", after=None)
    ticket = replace(a_ticket(), messages=(), changes=(change,))
    assert timeline(ticket, (), None, {}, ()) == (moment(30, "team", "assignee: 11 → none", why="by hand"),)


def test_an_episode_that_ended_without_a_line_has_an_end() -> None:
    began = line(5, "started", episode="acme/1:p:1")
    over = Episode(
        key="acme/1:p:1",
        policy="p",
        number=1,
        started=5,
        clock_start=5,
        clock="created",
        ended=9,
        reason="solved",
    )
    ticket = replace(a_ticket(), messages=(), changes=())
    told = timeline(ticket, (began,), None, {}, (over, replace(over, key="acme/1:p:2", ended=None)))
    assert told == (
        moment(9, "Uptier", "ended: p", why="solved; no level had fired"),
        moment(5, "Uptier", "started: p"),
    )
    ended = replace(began, at=9, what="ended", text="solved")
    assert len(timeline(ticket, (began, ended), None, {}, (over,))) == 2
