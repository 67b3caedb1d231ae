"""The ticket's page tells customer, team and Uptier in one order, what comes, on whose desk it is, and what became of
orders; however much there is."""

from dataclasses import replace
from typing import Any

from connector.console.queries import Row
from connector.console.story import (
    AT_ONCE,
    Desk,
    Given,
    Moment,
    Next,
    by_weight,
    coming_of,
    desk_of,
    given_of,
    happenings,
    timeline,
)
from connector.store import codec, ledger, tickets
from connector.store.inbox import OpenRow
from connector.store.ledger import LedgerEntry
from connector.store.schema import ticket as ticket_table
from connector.store.tickets import KnownTicket
from connector.work.context import explained
from policies.model import Act, Agent, Change, Directory, Group, Message, Order, Person, TicketRef, Who
from policies.present.explain import LevelTrace, PolicyTrace
from policies.rules.judgement import JudgedLevel, Judgement, Ruling
from policies.state import Episode, How, Owner, Passed
from tests.connector.console.conftest import Shown, csrf
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


def episode(policy: str = "p", *passed: Passed, **more: Any) -> Episode:
    return Episode(
        key=f"acme/1:{policy}:1", policy=policy, number=1, started=5, clock_start=5, passed=passed, **more
    )


def level(name: str, at: int, owner: str, how: How = How.FIRED) -> Passed:
    return Passed(level=name, how=how, at=at, owner=Owner(name=owner, kind="name"), why=f"why {name}")


def known(owner: str | None, *judged: Judgement) -> KnownTicket:
    return KnownTicket(
        ticket=a_ticket(),
        judged=judged,
        seen_at=100,
        next_look=None,
        matched=True,
        owner=owner,
        policy_hash=None,
    )


def test_the_desk_is_the_owners_by_the_latest_level_that_made_them_it() -> None:
    first = episode("p", level("one", 10, "Tier 2"), level("two", 20, "Duty"))
    second = episode("q", level("lead", 30, "Lead"), level("seen", 40, "Duty", How.OBSERVED))
    said = Desk(owner="Duty", policy="p", level="two", at=20, why="why two")
    assert desk_of(known("Duty"), (first, second)) == said
    assert desk_of(known("Lead"), (first, second)).policy == "q"
    assert desk_of(known(None), (episode("p", level("seen", 40, "Duty", How.OBSERVED)),)) == Desk()
    over = replace(first, ended=60, reason="solved")
    assert desk_of(known("Duty"), (over, replace(over, ended=50))) == Desk(at=60, over="p: solved")
    assert desk_of(known("Duty"), (over, episode("q"))) == Desk()


def row(policy: str, **more: Any) -> Row:
    none: dict[str, Any] = {"since": None, "snoozed_until": None, "next_due": None}
    words = dict.fromkeys(
        ("subject", "link", "group", "level", "owner", "acknowledged_by", "awaiting", "next_level", "why"), ""
    )
    return Row(ref=TicketRef("acme", "1"), policy=policy, **(none | words | more))


def test_what_comes_is_of_all_policies_that_still_run_on() -> None:
    levels = (
        JudgedLevel(name="one", state="fired", due=90, why="passed"),
        JudgedLevel(name="two", due=200, why="counted"),
        JudgedLevel(name="three", due=None, why="paused"),
    )
    ruling = Ruling(came="waits", level="two")
    judged = tuple(
        Judgement(policy=name, mode="enforce", holds=True, ruling=ruling, now=100, levels=levels)
        for name in ("p", "taken", "quiet", "over")
    )
    sooner = replace(judged[0], policy="q", mode="observe", levels=(replace(levels[1], due=150),))
    rows = (row("p"), row("q"), row("taken", acknowledged_by="dana"), row("quiet", snoozed_until=300))
    assert coming_of(known("Duty", *judged, sooner), rows, 100) == (
        Next(policy="q", level="two", due=150, observes=True),
        Next(policy="p", level="two", due=200, observes=False),
    )
    assert [one.policy for one in coming_of(known("Duty", *judged), rows, 300)] == ["p", "quiet"]


def test_a_judgement_that_waits_for_a_level_it_does_not_tell_of_hides_no_policy() -> None:
    """A StopIteration within a map would end the list without a word."""
    lost = Judgement(
        policy="p", mode="enforce", holds=True, ruling=Ruling(came="waits", level="two"), now=100
    )
    found = explained(known("Duty", lost, replace(lost, policy="q", ruling=Ruling(came="all passed"))), None)
    assert found is not None
    assert [(one.policy, one.verdict) for one in found] == [
        ("p", 'waits for level "two", of which no more is known'),
        ("q", "every level is passed"),
    ]


def test_what_became_of_an_order_is_told_for_a_while() -> None:
    order = Order(verb="snooze", who="olga", at=1000, reason="lunch", policy="p", until=2000)
    waits = OpenRow(id=1, kind="command", hint="", order=order, received_at=1000)
    news = OpenRow(id=2, kind="webhook", hint="", order=None, received_at=1000)
    lines = (
        line(300, "acknowledged", who="dana"),
        line(900, "acknowledged"),  # by an answer, which nobody ordered here
        line(950, "acknowledged", who="dana"),
        line(990, "order refused", who="olga", text="it is over"),
        line(995, "written", who="olga"),
    )
    assert given_of((news, waits), lines, 1000) == (
        Given(at=1000, who="olga", what="snooze", policy="p", text="lunch", waits=True),
        Given(at=990, who="olga", what="order refused", policy="p", text="it is over"),
        Given(at=950, who="dana", what="acknowledged", policy="p"),
    )


def test_what_one_side_did_in_one_second_is_one_happening() -> None:
    one, two = moment(40, "Uptier", "fired: p"), moment(40, "Uptier", "tags: none → c")
    by_ann, by_dana = moment(40, "Uptier", "snoozed", who="for ann"), moment(30, "Uptier", "started")
    assert happenings((one, two, by_ann, by_dana)) == ((one, two), (by_ann,), (by_dana,))


def test_policies_that_run_or_match_come_first() -> None:
    def trace(name: str, holds: bool = False, *levels: LevelTrace) -> PolicyTrace:
        return PolicyTrace(policy=name, mode="enforce", holds=holds, verdict="", levels=levels)

    later, sooner = (LevelTrace(name="x", due=due, state="waiting") for due in (20, 10))
    done = LevelTrace(name="x", due=5, state="fired")
    found = (
        trace("no"), trace("matches", True), trace("done", True, done), trace("later", True, done, later),
        trace("sooner", False, sooner),
    )  # fmt: skip
    matter, rest = by_weight(found)
    assert [each.policy for each in matter] == ["sooner", "later", "done", "matches"]
    assert [each.policy for each in rest] == ["no"]


def test_a_ticket_with_much_behind_it_is_still_one_page(shown: Shown) -> None:
    ref = TicketRef("acme", "1")
    lines = [line(number, "warning", text="x" * 80) for number in range(500)]
    with shown.store.writing() as connection:
        ledger.append(connection, lines)
        seen = tickets.known(connection, ref)
        assert seen is not None
        assert seen.judged
        over = Ruling(came="over", because="solved")
        many = tuple(replace(seen.judged[0], policy=f"policy-{number}") for number in range(40))
        no = tuple(
            replace(each, policy=f"no-{each.policy}", holds=False, levels=(), ruling=over) for each in many
        )
        kept = codec.dump(tuple[Judgement, ...], (*many, *no), sparse=True)
        connection.execute(ticket_table.update().where(ticket_table.c.id == "1").values(trace=kept))
    with shown.logged_in("dana", "operator") as client:
        page = client.get("/tickets/acme/1").text
        assert page.count('<li class="uptier">') <= AT_ONCE
        assert "policy-39" in page
        assert "Policies that do not match: 40" in page
        assert len(page) < 200_000
        assert "?from=60#story" in page
        assert "x" * 80 in client.get("/tickets/acme/1?from=300").text
        ahead = client.get("/tickets/acme/1?ahead=4h").text
        assert "Duty managers owns it" in ahead
        assert "Nobody can tell" in client.get("/tickets/acme/1?ahead=soon").text
        said = {
            "csrf": csrf(client),
            "verb": "snooze",
            "for": "1h",
            "reason": "lunch",
            "policy": "urgent-unanswered",
        }
        assert client.post("/tickets/acme/1/orders", data=said).status_code == 303
        assert "snooze, urgent-unanswered; the next look does it" in client.get("/tickets/acme/1").text
        shown.here.round(1)
        assert "snoozed, urgent-unanswered" in client.get("/tickets/acme/1").text
