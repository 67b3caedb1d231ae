"""Rows that become visible late, long lists that nobody may read twice, and pages of which all is hidden."""

import pytest

from adapters.base import NotAllowed, TryLater
from adapters.contract.sandbox import RecordingGate
from adapters.servicenow.client import LARGEST, Client, fitting
from policies.model import Need, Who
from tests.adapters.servicenow.test_feed import census, tickets, walk
from tests.adapters.servicenow.world import World, account, world


@pytest.mark.parametrize("late", [61, 200, 295])
def test_a_row_that_becomes_visible_late_is_found_by_a_poll(acme: World, late: int) -> None:
    _, cursor, _ = walk(acme)
    acme.clock.at += 10
    (slow,) = tickets(acme, 1)
    acme.desk.commit_late(slow, late)
    found: list[str] = []
    for _ in range(20):
        acme.clock.at += 20
        tickets(acme, 1)
        seen, cursor, _ = walk(acme, cursor)
        found += seen
    assert slow in found


def test_an_idle_feed_rereads_nothing_once_nothing_can_come_late(acme: World) -> None:
    _, cursor, _ = walk(acme)
    acme.clock.at += 301
    assert walk(acme, cursor)[0] == [acme.printer.id]
    _, cursor, _ = walk(acme, cursor)
    assert walk(acme, cursor)[0] == []
    (new,) = tickets(acme, 1)
    assert walk(acme, cursor)[0] == [new]


def test_a_bulk_change_is_not_read_again_on_each_idle_poll(acme: World) -> None:
    made = tickets(acme, 450)
    _, cursor, _ = walk(acme, limit=200)
    _, cursor, _ = walk(acme, cursor, limit=200)
    for _ in range(3):
        acme.clock.at += 30
        before = acme.sent("GET")
        found, cursor, _ = walk(acme, cursor, limit=200)
        assert (found, acme.sent("GET") - before) == ([], 2)
    acme.desk.agent_changes(made[0], "Ann", state="2")
    assert made[0] in walk(acme, cursor, limit=200)[0]


def test_a_late_row_inside_a_bulk_change_is_found(acme: World) -> None:
    made = tickets(acme, 450)
    acme.desk.commit_late(made[7], 100)
    _, cursor, _ = walk(acme, limit=200)
    _, cursor, _ = walk(acme, cursor, limit=200)
    acme.clock.at += 100
    assert made[7] in walk(acme, cursor, limit=200)[0]


@pytest.mark.parametrize("says_total", [True, False])
@pytest.mark.parametrize("counts_hidden", [True, False])
def test_three_hundred_hidden_rows_in_front_hide_no_other(says_total: bool, counts_hidden: bool) -> None:
    with world(says_total=says_total, total_counts_hidden=counts_hidden) as acme:
        made = sorted([*tickets(acme, 408), acme.printer.id])
        acme.desk.hidden |= set(made[:300])
        assert sorted(census(acme)) == made[300:]
        assert sorted(walk(acme, limit=50)[0]) == made[300:]
        members = sorted(acme.desk.tables["sys_user_grmember"])
        for number in range(300):
            acme.desk.put("sys_user_grmember", {"sys_id": f"{number:032d}", "user": "x", "group": "x"})
            acme.desk.hidden.add(f"{number:032d}")
        assert members
        assert len(acme.adapter.directory().agents) == 3


def test_a_stamp_in_the_future_hides_nothing(acme: World) -> None:
    acme.desk.touch_quietly(acme.printer.id, sys_updated_on="2077-01-01 00:00:00")
    _, cursor, _ = walk(acme)
    acme.clock.at += 60
    (new,) = tickets(acme, 1)
    assert new in walk(acme, cursor)[0]


def test_a_page_that_was_made_smaller_grows_again(acme: World) -> None:
    client = Client(account(acme.url), RecordingGate())
    acme.fault("answer", status=500)
    with pytest.raises(TryLater):
        client.listed("incident", "", ("sys_id",), limit=1)
    assert client.size == LARGEST // 2
    for _ in range(10):
        client.listed("incident", "", ("sys_id",), limit=1)
    assert client.size == LARGEST


def test_long_names_and_accents_do_no_harm(acme: World) -> None:
    long = "bartholomew.featherstonehaugh.of.the.service.desk"
    acme.desk.add_user(name="Bart", user_name=long, groups=["Tier 1"])
    acme.desk.agent_says(acme.printer.id, "Bart", "Hi", public=True)
    for row in acme.desk.tables["sys_journal_field"].values():
        row["sys_created_by"] = row["sys_created_by"][:40]
    (_, said) = acme.load(Need.MESSAGES).messages
    assert (said.act.who, said.act.person) == (Who.AGENT, acme.user("Bart"))


def test_a_database_without_accents_gives_one_person_for_another() -> None:
    rows = [{"user_name": name} for name in ("jose", "JOSE", "josé", "søren", "strasse")]
    named = {"user_name": ["jose", "soren", "straße"]}
    assert [row["user_name"] for row in fitting("sys_user", rows, named)] == ["jose", "JOSE", "strasse"]
    with pytest.raises(NotAllowed, match=r"ignores our filter on sys_user\.user_name"):
        fitting("sys_user", [{"user_name": "ann"}], named)


def test_an_unknown_person_costs_one_request_and_is_remembered(acme: World) -> None:
    acme.desk.customer_says(acme.printer.id, "Hello?")
    acme.load(Need.MESSAGES)
    acme.desk.customer_says(acme.printer.id, "Me too", author="Dan")

    def members() -> int:
        return sum("sys_user_grmember" in logged.path for logged in acme.desk.log)

    before = members()
    acme.load(Need.MESSAGES)
    assert members() - before == 1
    acme.load(Need.MESSAGES)
    assert members() - before == 1
    acme.clock.at += 3601
    acme.load(Need.MESSAGES)
    acme.load(Need.MESSAGES)
    assert members() - before == 3  # the whole list once, and once whether Dan is among them by now
