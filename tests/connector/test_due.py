"""What `uptier due` and the console's page of that name list, beside each helpdesk and on both databases."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from adapters.zendesk.simulator.state import Zendesk
from connector.cli.tickets import due_lines
from connector.console.frame import stamp
from connector.demo import CONFIG
from connector.store import codec, holds, tickets, writes
from connector.store.database import Store
from connector.store.due import COUNTED, STANDS, UNDER_WAY, DuePage, due_page
from connector.store.holds import Hold
from connector.store.schema import episode, ticket
from connector.store.standings import remember_standings
from policies.model import Group, TicketRef
from policies.present.explain import PolicyTrace, because, trace_of
from policies.rules.judgement import Coming, Judgement
from policies.state import Cause, Standing
from tests.connector.beside import START
from tests.connector.each import EACH, Each, each
from tests.connector.store.samples import a_ticket, a_write
from tests.connector.stores import fresh_store
from tests.connector.test_cli import desk, uptier  # noqa: F401 (a fixture)
from tests.connector.test_orders import APPROVED, order

vendors = pytest.mark.parametrize("vendor", EACH)
OBSERVED = CONFIG.replace('mode          = "enforce"', 'mode          = "observe"')
EVENINGS = (
    CONFIG.replace(
        '[[policy.level]]\nname   = "Duty managers"',
        '[[policy.level]]\nname   = "Duty managers"\nwithin = "evenings"',
    )
    + '\n[calendars.evenings]\ntimezone = "UTC"\nhours = { mon-sun = ["20:00-22:00"] }\n'
)


def listed(one: Each, **asked: Any) -> DuePage:
    with one.service.parts.store.reading() as connection:
        return listed_by(connection, one, **asked)


def listed_by(connection: Connection, one: Each, **asked: Any) -> DuePage:
    return due_page(connection, one.clock.now(), names=(one.desk.account,), **asked)


def stands(one: Each, **asked: Any) -> list[tuple[str, str, str]]:
    return [(row.ref.id, row.stand, row.level) for row in listed(one, **asked).rows]


@vendors
def test_in_observe_it_lists_from_the_first_reading_on_what_would_be_escalated(
    vendor: str, tmp_path: Path
) -> None:
    with each(vendor, tmp_path, config=OBSERVED) as one:
        one.opened("late")
        one.clock.advance(40 * 60)
        one.opened("early")
        one.round()
        late, early = one.ref("late").id, one.ref("early").id
        assert stands(one) == [(late, "overdue", "Second line"), (early, "coming", "Second line")]
        overdue, coming = listed(one).rows
        assert (overdue.subject, overdue.owner, overdue.to) == (
            "About late",
            one.show("late").group,
            "Tier 2",
        )
        assert (overdue.observes, coming.observes) == (True, True)
        assert coming.to == "Tier 2"
        assert overdue.at == START + 30 * 60
        assert "40m" in overdue.why
        assert coming.at == START + 70 * 60
        assert one.applied() == 0
        assert stands(one, within=1200) == [(late, "overdue", "Second line")]
        assert stands(one, policy="another") == []


@vendors
def test_in_enforce_it_lists_what_comes_and_what_was_not_done_in_time(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        number = one.ref().id
        assert stands(one) == [(number, "coming", "Second line")]
        one.clock.advance(31 * 60)  # nobody looks: the service stands still
        assert stands(one) == [(number, "overdue", "Second line")]
        one.round()
        one.round(1)
        (row,) = listed(one).rows
        assert (row.stand, row.level, row.owner, row.observes) == ("coming", "Duty managers", "Tier 2", False)
        assert row.at == START + 120 * 60
        order(one, "snooze", until=one.clock.now() + 4 * 3600)
        one.clock.advance(100 * 60)
        (row,) = listed(one).rows
        assert (row.stand, row.why.rpartition("; ")[2]) == ("waiting", "snoozed")


@vendors
def test_what_waits_for_an_approval_or_for_open_hours_is_said(vendor: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with each(vendor, tmp_path / "a", config=APPROVED) as one:
        one.opened("one")
        one.rounds(until=125, every=5)
        (row,) = listed(one).rows
        assert (row.stand, row.level) == ("waiting", "Duty managers")
        assert row.why.endswith("waits for approval")
    with each(vendor, tmp_path, config=EVENINGS) as one:  # it is 14:13 UTC
        one.opened("one")
        one.rounds(until=125, every=5)
        (row,) = listed(one).rows
        assert (row.stand, row.level, stamp(row.at)) == ("waiting", "Duty managers", "2026-09-21 20:00:00")
        assert "waits for evenings to open" in row.why


@vendors
def test_what_is_held_says_which_level_and_leaves_when_released(vendor: str, tmp_path: Path) -> None:
    caps = "caps = { escalations_per_hour = 1 }"
    with each(vendor, tmp_path, service=caps) as one:
        one.opened("one", "two")
        one.round()
        one.round(31)
        held = [row for row in listed(one).rows if row.stand == "held"]
        assert [(row.level, row.to) for row in held] == [("Second line", "Tier 2")]
        assert held[0].why.startswith("the cap of 1 escalations an hour is reached")
        assert listed(one).counts["held"] == 1
        assert [row.ref for row in listed(one, policy="urgent-unanswered").rows if row.stand == "held"]


def test_a_ticket_that_cannot_be_looked_at_says_so(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        one.opened("one", "two")
        one.round()
        with one.service.parts.store.writing() as connection:
            holds.set_look_aside(connection, one.ref("one"), "no right to it", one.clock.now())
        one.service.parts.worker.pause(one.desk.account, "the token was revoked")
        told = {row.ref: row.why for row in listed(one).rows}
        assert told[one.ref("one")].startswith("set aside: no right to it; due ")
        assert told[one.ref("two")].startswith("the account is paused: the token was revoked; due ")


@vendors
def test_an_upgrade_lists_what_the_last_looks_knew(vendor: str, tmp_path: Path) -> None:
    """The tables of the version before are filled from the traces that stand in them; nobody is asked anything."""
    for name, config in (("observe", OBSERVED), ("enforce", CONFIG), ("approval", APPROVED)):
        (tmp_path / name).mkdir()
        with each(vendor, tmp_path / name, config=config) as one:
            one.opened("late")
            one.round()
            one.rounds(until=35, every=5)
            one.opened("early")
            one.rounds(until=90 if name == "approval" else 1, every=1)
            before = listed(one)
            with one.service.parts.store.writing() as connection:
                in_words(connection)
                connection.exec_driver_sql("UPDATE standing SET due = NULL, acts = NULL, coming = NULL")
                assert listed_by(connection, one).rows == ()
                filled = import_module("connector.store.migrations.versions.0018_coming").fill
                filled(connection)
                found = listed_by(connection, one)
                # whom a level ahead goes to is in no trace, so it is known with the next look
                pairs = zip(found.rows, before.rows, strict=True)
                rows = [
                    replace(row, to=was.to) if row.stand != "overdue" and row.to is None else row
                    for row, was in pairs
                ]
                assert replace(found, rows=tuple(rows)) == before


def in_words(connection: Connection) -> None:
    """Have what is kept of the last looks as it was kept before it was values."""
    for account, number, kept in connection.exec_driver_sql("SELECT account, id, trace FROM ticket").all():
        told = tuple(map(trace_of, codec.load(tuple[Judgement, ...], kept)))
        trace = codec.dump(tuple[PolicyTrace, ...], told)
        here = (ticket.c.account == account) & (ticket.c.id == number)
        connection.execute(update(ticket).where(here).values(trace=trace))
    for key, kept in connection.exec_driver_sql("SELECT key, memory FROM episode").all():
        memory = json.loads(kept)
        for passed in memory["passed"]:
            if isinstance(passed["why"], dict):
                passed["why"] = because(codec.load(Cause, json.dumps(passed["why"])))
        connection.execute(update(episode).where(episode.c.key == key).values(memory=json.dumps(memory)))


def a_coming(level: str, due: int, **more: Any) -> Coming:
    return Coming(**{"level": level, "due": due, "acts": due, "observes": False, "why": "why", **more})


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_each_policy_of_a_ticket_has_a_row_the_most_urgent_first_in_few_statements(
    kind: str, tmp_path: Path
) -> None:
    now = 10_000
    with fresh_store(kind, tmp_path) as store:
        fill(store, {"1": {"a": a_coming("soon", now + 60), "b": a_coming("late", now - 60)},
                     "2": {"a": a_coming("asks", now - 90, acts=None)},
                     "3": {"a": a_coming("first", now - 600, owner="Tier 2")},
                     "4": {"a": a_coming("opens", now - 600, acts=now + 600)},
                     "5": {"a": a_coming("far", now + 9000)},
                     "6": {"a": a_coming("names", now + 30, acts=None)}}, now)  # fmt: skip
        with store.writing() as connection:
            held = Hold(ref=TicketRef("acme", "5"), scope="ticket", why="a cap", since=now - 5)
            assert holds.put_hold(connection, held)
            assert holds.put_hold(connection, replace(held, ref=TicketRef("acme", "1"), policy="a"))
        few, page = counted(store, now)
        assert [(row.ref.id, row.stand, row.level, row.owner) for row in page.rows] == [
            ("3", "overdue", "first", "Tier 2"),
            ("1", "overdue", "late", "Tier 1"),
            ("1", "held", "", "Tier 1"),
            ("5", "held", "", "Tier 1"),
            ("2", "waiting", "asks", "Tier 1"),
            ("4", "waiting", "opens", "Tier 1"),
            ("6", "coming", "names", "Tier 1"),
        ]
        assert [row.why for row in page.rows[1:3]] == ["the ticket is held: a cap; why", "a cap"]
        told = [line.split()[0] for line in due_lines(page, stamp, now) if line.startswith("  ")]
        assert told == [str(row.ref) for row in page.rows]
        assert page.counts == {"overdue": 2, "held": 2, "waiting": 2, "coming": 1}
        many = {str(number): {"a": a_coming("first", now + number)} for number in range(100, 400)}
        fill(store, many, now)
        more, page = counted(store, now, limit=250)
        assert (len(page.rows), page.total, more) == (250, 307, few)
        assert few <= 6
        rest = counted(store, now, limit=250, offset=250)[1]
        assert [row.ref for row in (*page.rows, *rest.rows)] == [
            row.ref for row in counted(store, now, limit=999)[1].rows
        ]


def drawn(
    chance: Random, now: int
) -> tuple[dict[str, dict[str, Coming]], list[Hold], list[tuple[str, str, int]]]:
    """Levels, holds and open writes of some tickets, at times that often are the same."""
    times = [now + 30 * step for step in range(-4, 5)]
    levels = {
        str(number): {
            policy: a_coming(
                f"{number}{policy}", (due := chance.choice(times)),
                acts=chance.choice((None, due, due, due + 60, due + 600)), why="",
            )
            for policy in chance.sample("abc", chance.randint(0, 3))
        }
        for number in range(1, 41)
    }  # fmt: skip
    held = [
        Hold(ref=TicketRef("acme", number), scope="ticket", why="a cap", since=chance.choice(times),
             policy=chance.choice(("", "a", "b")))
        for number in chance.sample(list(levels), 6)
    ]  # fmt: skip
    stuck = [
        (chance.choice(list(levels)), chance.choice("abc"), chance.choice(times) - 60) for _ in range(10)
    ]
    return levels, held, stuck


def ranked(
    levels: dict[str, dict[str, Coming]],
    held: list[Hold],
    stuck: list[tuple[str, str, int]],
    now: int,
    policy: str | None,
    within: int | None,
) -> list[tuple[int, int, str, str]]:
    """Stand, time, ticket and policy of the first row that each policy has on each ticket, as it is meant: all that is
    told of it, sorted."""
    apart = {one.ref.id: one.policy for one in held}
    found = [(1, one.since, one.ref.id, one.policy) for one in held]
    for number, by_policy in levels.items():
        for name, one in by_policy.items():
            is_late = one.acts is not None and one.acts <= now
            stand = 0 if is_late else 2 if one.due <= now else 3
            at = one.due if one.acts is None else one.acts
            if apart.get(number) not in ("", name) and (stand < 3 or within is None or at <= now + within):
                found.append((stand, at, number, name))
    found += [
        (0, at, number, name) for number, name, at in stuck
        if apart.get(number) not in ("", name) and at <= now - UNDER_WAY
    ]  # fmt: skip
    first: dict[tuple[str, str], tuple[int, int, str, str]] = {}
    for row in sorted(found, key=lambda row: (row[0], row[1], row[3])):
        if policy is None or row[3] in (policy, ""):
            first.setdefault((row[2], row[3]), row)
    return sorted(first.values())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_rows_are_those_that_sorting_everything_would_give(kind: str, tmp_path: Path) -> None:
    now = 10_000
    for seed in range(6):
        chance = Random(seed)  # noqa: S311 - the same rows each time
        levels, held, stuck = drawn(chance, now)
        (folder := tmp_path / str(seed)).mkdir()
        with fresh_store(kind, folder) as store:
            fill(store, levels, now)
            with store.writing() as connection:
                for one in held:
                    assert holds.put_hold(connection, one)
                for place, (number, name, at) in enumerate(stuck):
                    write = replace(a_write(f"w{place}"), ref=TicketRef("acme", number))
                    writes.plan(
                        connection, write, episodes=frozenset(), policy=name, level="", place=0, now=at
                    )
            for policy, within in ((None, None), ("a", None), (None, 60), ("b", 60)):
                wanted = ranked(levels, held, stuck, now, policy, within)
                page = counted(store, now, policy=policy, within=within)[1]
                rows = [(STANDS.index(row.stand), row.at, row.ref.id, row.policy) for row in page.rows]
                assert rows == wanted, (seed, policy, within)
                assert page.total == len(wanted)
                part = counted(store, now, policy=policy, within=within, limit=7, offset=5)[1]
                assert part.rows == page.rows[5:12]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_on_a_ticket_that_a_feed_tells_to_be_gone_nothing_comes(kind: str, tmp_path: Path) -> None:
    with fresh_store(kind, tmp_path) as store:
        fill(store, {number: {"a": a_coming("soon", 50)} for number in "123"}, 10)
        with store.writing() as connection:
            held = Hold(ref=TicketRef("acme", "3"), scope="ticket", why="a cap", since=5)
            assert holds.put_hold(connection, held)
            newest = [a_ticket("1", updated=200, gone="deleted"), a_ticket("3", updated=200, gone="deleted")]
            tickets.record_snapshots(connection, [*newest, a_ticket("2", updated=50, gone="deleted")], 20)
        page = counted(store, 20)[1]
        assert [row.ref.id for row in page.rows] == ["2"], "an older row tells nothing"
        assert page.counts["coming"] == 1


def test_more_than_is_counted_is_said_to_be_more(tmp_path: Path) -> None:
    with fresh_store("sqlite", tmp_path) as store:
        fill(
            store, {str(number): {"a": a_coming("soon", 10 + number)} for number in range(1, COUNTED + 3)}, 1
        )
        page = counted(store, 5)[1]
        lines = due_lines(page, stamp, 5)
        assert page.counts == {"coming": COUNTED}
        assert (lines[0], lines[-1]) == (
            "coming: 1000 or more",
            "at least 800 more; `uptier due --limit NUMBER` lists them",
        )
        every = due_lines(counted(store, 5, limit=COUNTED + 1)[1], stamp, 5)
        assert every[0] == "coming: 1002 or more"
        assert due_lines(counted(store, 5, limit=COUNTED + 2)[1], stamp, 5)[0] == "coming: 1002"


def test_rows_of_several_policies_are_not_taken_for_so_many_tickets(tmp_path: Path) -> None:
    both = {"a": a_coming("soon", 10), "b": a_coming("soon", 10)}
    with fresh_store("sqlite", tmp_path) as store:
        fill(store, {"1": both, "2": both, "3": {"a": a_coming("soon", 10)}}, 1)
        assert due_lines(counted(store, 20)[1], stamp, 20)[0] == "overdue: 5, on 3 tickets"


def fill(store: Store, ahead: dict[str, dict[str, Coming]], now: int) -> None:
    with store.writing() as connection:
        group = Group(id="1", name="Tier 1")
        tickets.record_snapshots(connection, [a_ticket(number, group=group) for number in ahead], now)
        for number, by_policy in ahead.items():
            states = [Standing(policy=name) for name in by_policy]
            ref = TicketRef("acme", number)
            remember_standings(connection, ref, states, before=(), ahead=by_policy)


def counted(store: Store, now: int, **asked: Any) -> tuple[int, DuePage]:
    said: list[str] = []
    with store.reading() as connection:
        engine = connection.engine
        event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        page = due_page(connection, now, names=("acme",), **asked)
    return len(said), page


def test_what_comes_is_kept_by_a_later_outcome_and_dropped_with_its_episode(tmp_path: Path) -> None:
    with fresh_store("sqlite", tmp_path) as store:
        fill(store, {"1": {"a": a_coming("soon", 50)}}, 10)
        ref = TicketRef("acme", "1")
        with store.writing() as connection:
            then = Standing(policy="a", looked=True)
            remember_standings(connection, ref, [then], before=[Standing(policy="a")])
        assert counted(store, 20)[1].total == 1
        with store.writing() as connection:
            was = {"a": a_coming("soon", 50)}
            remember_standings(connection, ref, [then], before=[then], ahead={}, was_ahead=was)
        assert counted(store, 20)[1].total == 0


def test_the_lines_of_the_page_are_those_that_it_prints(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, config=OBSERVED) as one:
        one.desk.open("late", "Nobody can log in", "eu")
        one.clock.advance(40 * 60)
        one.desk.open("early", "Where is my order", "eu")
        began = one.clock.now()  # a look at what has just changed waits for the rest of its second
        one.round()
        lines = due_lines(listed(one), stamp, began)
        page = (Path(__file__).parents[2] / "docs" / "preview.md").read_text(encoding="utf-8")
        assert "\n".join(["```", *lines, "```"]) in page, "\n".join(lines)
        assert (
            due_lines(listed(one, limit=1), stamp, one.clock.now())[-1]
            == "1 more; `uptier due --limit 2` lists them all"
        )


def test_without_a_database_or_a_reading_the_command_says_what_to_run(desk: Zendesk) -> None:  # noqa: F811
    for given in ((), ("migrate",)):
        if given:
            uptier(*given)
        none = uptier("due")
        assert (none.exit_code, none.stdout) == (2, "")
        assert "run `uptier run --once` first" in none.stderr
        assert "or `uptier migrate`" not in none.stderr, "one next step"
    assert uptier("run", "--once").exit_code == 0
    shown = uptier("due")
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, "coming: 1")
    bad = uptier("due", "--format", "xml")
    assert (bad.exit_code, "Value error" in bad.stderr, "is not one of" in bad.stderr) == (2, False, True)
    told = json.loads(
        uptier("due", "--format", "json", "--within", "4h", "--policy", "waits", "--account", "acme").stdout
    )
    assert (told["rows"][0]["level"], told["counts"]) == ("two", {"coming": 1})
    for wrong, said in (
        (("--policy", "wait"), 'there is no policy "wait". Did you mean "waits"?'),
        (("--account", "x"), 'there is no account "x". There are: acme.'),
        (("--within", "soon"), "--within: "),
    ):
        refused = uptier("due", *wrong)
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
