"""What a census, a poll, a changed policy and a changed text cost: requests in the simulator's own log, on each
helpdesk, for 200 open tickets of which a policy matches ten."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.config.settings import load
from connector.store import inbox
from connector.store.episodes import running_for
from connector.store.inbox import Arrival
from connector.store.standings import standings_of
from tests.connector.beside import START
from tests.connector.each import EACH, Each, each

CONFIG = """[service]
database      = "sqlite:///uptier.db"
listen        = "127.0.0.1:0"
mode          = "enforce"
default_owner = "Escalations"

[templates.handoff]
en = "Please see to this."

[[policy]]
name    = "gold"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]

[policy.when]
status   = ["new", "open"]
tags     = { has = "gold" }

[[policy.level]]
name   = "Second line"
after  = "72h"
owner  = "Tier 2"
assign = { group = "Tier 2" }
tags   = ["escalated"]
note   = "handoff"
"""
OPEN, MATCHING = 200, 10

PAGE = re.compile(r"(/search/export|/incremental/tickets/cursor|/api/v2/tickets|/table/incident)(\.json)?$")
"""The ends of the paths of lists of tickets."""

PEOPLE = re.compile(r"group|users|agents|_fields|whoisoncall|sys_user")
"""What stands in the paths of all that the directory is read by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests of a round: for pages of lists of tickets, about single tickets, and for who works there."""

    pages: int
    tickets: int = 0
    people: int = 0


@contextmanager
def furnished(vendor: str, folder: Path, config: str = CONFIG) -> Iterator[Each]:
    """The service beside 200 tickets that have been waiting for two hours, ten of them tagged gold."""
    with each(vendor, folder, config=config) as one:
        for number in range(OPEN):
            tag = "gold" if number < MATCHING else "eu"
            one.desk.open(f"t{number}", f"About {number}", tag, at=START - 7200)
        yield one


def spent(one: Each, minutes: float = 0) -> Spent:
    """What a round after so many minutes costs."""
    before = len(one.desk.desk.log)
    one.round(minutes)
    paths = [row.path for row in one.desk.desk.log[before:]]
    pages = sum(PAGE.search(path) is not None for path in paths)
    people = sum(PEOPLE.search(path) is not None for path in paths)
    return Spent(pages=pages, people=people, tickets=len(paths) - pages - people)


def asked_about(one: Each, minutes: float = 0) -> set[str]:
    """The tickets about which a round after so many minutes asks the helpdesk, each by itself, by their words."""
    before = len(one.desk.desk.log)
    one.round(minutes)
    paths = [f"{row.path.removesuffix('.json')}/" for row in one.desk.desk.log[before:]]
    return {word for word, key in one.desk.tickets.items() if any(f"/{key}/" in path for path in paths)}


GOLD = {f"t{number}" for number in range(MATCHING)}
FIRST = {
    "zendesk": Spent(pages=4, tickets=20, people=5),
    "freshdesk": Spent(pages=7, tickets=21, people=9),
    "servicenow": Spent(pages=2, tickets=30, people=3),
}


@pytest.mark.parametrize("vendor", EACH)
def test_a_first_census_loads_what_a_policy_could_match(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        assert spent(one) == FIRST[vendor]


POLL = {"zendesk": Spent(pages=1), "freshdesk": Spent(pages=3), "servicenow": Spent(pages=1)}


def changed(one: Each, folder: Path, old: str, new: str) -> None:
    """The service reads its policies again, with these words in place of those."""
    path = folder / "uptier.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert one.service.reload(load(path))


@pytest.mark.parametrize("vendor", EACH)
def test_a_changed_word_looks_at_nothing(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        assert spent(one, 1) == POLL[vendor]
        changed(one, tmp_path, "Please see to this.", "Please look at this.")
        assert spent(one, 1) == POLL[vendor]


@pytest.mark.parametrize("vendor", EACH)
def test_a_changed_policy_is_judged_on_what_is_known(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        changed(one, tmp_path, 'after  = "72h"', 'after  = "3h"')
        assert spent(one, 1) == POLL[vendor]
        assert one.applied() == 0
        one.round(62)
        assert one.applied() >= MATCHING, "by the timers that the new text set"


@pytest.mark.parametrize("vendor", EACH)
def test_a_level_that_a_changed_policy_makes_due_is_loaded_and_fires(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        changed(one, tmp_path, 'after  = "72h"', 'after  = "1h"')
        assert asked_about(one, 1) == GOLD
        assert {word for word in one.desk.tickets if "escalated" in one.show(word).tags} == GOLD


SILVER = """
[[policy]]
name  = "silver"
clock = "created"
[policy.when]
tags  = { has = "silver" }
[[policy.level]]
name  = "Note"
after = "1h"
note  = "handoff"
"""


@pytest.mark.parametrize("vendor", EACH)
def test_a_new_policy_loads_what_it_could_match_and_nobody_has_read(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.desk.open("other", "About another", "silver", at=START - 7200)
        one.round()
        changed(one, tmp_path, "[templates.handoff]", f"{SILVER}\n[templates.handoff]")
        assert asked_about(one, 1) == {"other"}
        assert one.show("other").notes == 1


def test_a_policy_that_is_gone_ends_its_episodes_without_a_request(tmp_path: Path) -> None:
    with furnished("zendesk", tmp_path) as one:
        one.round()
        changed(one, tmp_path, 'tags     = { has = "gold" }', 'tags     = { has = "none" }')
        assert spent(one, 1) == POLL["zendesk"]
        changed(one, tmp_path, 'name    = "gold"', 'name    = "another"')
        assert spent(one, 1) == POLL["zendesk"]
        with one.service.parts.store.reading() as connection:
            assert running_for(connection, "acme", ["gold"]) == ()
            assert inbox.outstanding_timers(connection) == 0


def test_what_waits_for_another_reason_than_a_level_is_loaded(tmp_path: Path) -> None:
    with furnished("zendesk", tmp_path) as one:
        one.round()
        with one.service.parts.store.writing() as connection:
            inbox.start_timer(connection, one.ref("t3"), START + 600, "after our own write")
        changed(one, tmp_path, 'after  = "72h"', 'after  = "71h"')
        assert asked_about(one, 1) == {"t3"}


TEXTS = (
    ('subject  = { contains = "about 3" }', set[str]()),
    ('description = { contains = "help" }', GOLD),
    ('requester.name = "Cleo"', set[str]()),
)


@pytest.mark.parametrize(("line", "loaded"), TEXTS)
def test_what_is_not_kept_of_a_ticket_is_loaded(line: str, loaded: set[str], tmp_path: Path) -> None:
    with furnished("zendesk", tmp_path) as one:
        one.round()
        changed(one, tmp_path, 'tags     = { has = "gold" }', f'tags     = {{ has = "gold" }}\n{line}')
        assert asked_about(one, 1) == loaded


DAY = 24 * 60
AGAIN = {
    "zendesk": Spent(pages=4, people=4),
    "freshdesk": Spent(pages=7, people=8),
    "servicenow": Spent(pages=2, people=3),
}
"""The daily census of tickets that stand as they stood."""


@pytest.mark.parametrize("vendor", EACH)
def test_the_next_census_looks_at_nothing_that_stands_as_it_stood(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        assert spent(one, DAY) == AGAIN[vendor]
        one.round(2 * DAY)
        assert {word for word in one.desk.tickets if "escalated" in one.show(word).tags} == GOLD


CLOCK, LINE = 'clock   = "customer_waiting"', 'tags     = { has = "gold" }'
LEVEL = 'after  = "72h"'
READS: Mapping[str, tuple[str, str]] = {
    "priority, type, channel, group, assignee": (
        LINE,
        (
            f'{LINE}\npriority = "urgent"\nsubject = {{ contains = "About" }}\ngroup = "Tier 1"\n'
            "assignee = { known = false }\nany = [{ type = { known = false } }, { channel = { known = true } }]"
        ),
    ),
    "replies": (LINE, f"{LINE}\nreplies = 0"),
    "requester": (LINE, f'{LINE}\nrequester.name = "Cleo"'),
    "organization": (LINE, f"{LINE}\norganization = {{ known = false }}"),
    "recent tickets": (LINE, f"{LINE}\nrequester.recent_tickets = {{ over = 0 }}"),
    "rating": (LINE, f"{LINE}\nsatisfaction = {{ known = false }}"),
    "availability": (LINE, f"{LINE}\n[policy.unless]\nassignee_away = true"),
    "resolution": (f"{CLOCK}|{LEVEL}", 'clock   = "resolution"|before = "1m"'),
}
"""What a policy reads, and how its text is changed for that."""

EVERY_DAY: Mapping[str, Mapping[str, int]] = {
    "priority, type, channel, group, assignee": {"zendesk": 0, "freshdesk": 0, "servicenow": 0},
    "replies": {"zendesk": 0, "freshdesk": 0, "servicenow": 0},
    "organization": {"zendesk": 0, "freshdesk": 0, "servicenow": 0},
    "requester": {"zendesk": 20, "freshdesk": 21, "servicenow": 0},
    "recent tickets": {"zendesk": 0, "freshdesk": 21, "servicenow": 0},
    "availability": {"zendesk": 0, "freshdesk": 0, "servicenow": 0},
    "rating": {"zendesk": 20, "freshdesk": 31, "servicenow": 30},
    "resolution": {"zendesk": 20, "freshdesk": 0, "servicenow": 40},
}
"""Requests a day about the ten tickets that match, none of which has changed: for what no row of the census tells, and
its revision does not cover. What stands with us is judged again without any."""


def reading(reads: str) -> str:
    """The config with a policy that reads this too."""
    config, (old, new) = CONFIG, READS[reads]
    for before, after in zip(old.split("|"), new.split("|"), strict=True):
        config = config.replace(before, after)
    return config


def promise(one: Each, word: str, due: int) -> None:
    """The ticket is to be resolved by then; its row does not move."""
    desk, key = one.desk.desk, one.desk.tickets[word]
    if one.vendor == "zendesk":
        desk.set_target(key, "total_resolution_time", breach=due)
    elif one.vendor == "freshdesk":
        desk.set_due(key, due_by=due)
    else:
        desk.set_target(key, due=due, start=START - 7200)


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("vendor", EACH)
def test_what_a_revision_does_not_cover_is_read_every_day(vendor: str, reads: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path, reading(reads)) as one:
        for word in GOLD if reads == "resolution" else ():
            promise(one, word, START + 5 * DAY * 60)
        one.round()
        assert spent(one, DAY).tickets == EVERY_DAY[reads][vendor]


@pytest.mark.parametrize("vendor", EACH)
def test_a_deadline_that_moved_is_found_by_the_next_census(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path, reading("resolution")) as one:
        for word in GOLD:
            promise(one, word, START + 5 * DAY * 60)
        one.round()
        promise(one, "t3", START + (DAY + 60) * 60)
        one.round(DAY)
        one.round(60)
        assert [word for word in one.desk.tickets if "escalated" in one.show(word).tags] == ["t3"]


@pytest.mark.parametrize("vendor", EACH)
def test_a_lost_timer_is_found_by_the_next_census(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        with one.service.parts.store.writing() as connection:
            inbox.stop_timer(connection, one.ref("t3"))
        assert asked_about(one, DAY) == {"t3"}
        one.round(2 * DAY)
        assert {word for word in one.desk.tickets if "escalated" in one.show(word).tags} == GOLD


def test_what_a_row_tells_otherwise_is_looked_at_though_its_revision_stands(tmp_path: Path) -> None:
    with furnished("zendesk", tmp_path) as one:
        one.round()
        one.desk.desk.ticket(one.desk.tickets["t3"]).json["priority"] = "low"  # a change that made no event
        assert asked_about(one, DAY) == {"t3"}


def test_who_becomes_absent_is_judged_on_what_is_known(tmp_path: Path) -> None:
    away = reading("availability").replace("[policy.unless]\nassignee_away = true", "assignee_away = true")
    ann = '\n[people."ann@acme.test"]\nabsent = ["2026-09-22..2026-09-30"]\n'
    with furnished("zendesk", tmp_path, away + ann) as one:
        for word in ("t3", "t4"):
            one.desk.desk.agent_changes(one.desk.tickets[word], "Ann", assignee="Ann")
        one.round(5)
        running = [asked_about(one, 12 * 60), episodes_now(one)]
        assert running == [set(), {"t3", "t4"}]


def episodes_now(one: Each) -> set[str]:
    """The tickets on which an episode runs, by their words."""
    with one.service.parts.store.reading() as connection:
        return {
            word
            for word in one.desk.tickets
            if any(each.running for each in standings_of(connection, one.ref(word)))
        }


PASSED_OVER = {"zendesk": 1, "freshdesk": 1, "servicenow": 1}
"""Requests after news of a ticket that no policy could match, before the change and after it."""


def told_of(one: Each, word: str) -> None:
    """A webhook tells that the ticket changed."""
    ref, now = one.ref(word), one.clock.now()
    news = Arrival(
        account=ref.account, ticket=ref.id, delivery=f"webhook:{now}", kind="webhook", received_at=now
    )
    with one.service.parts.store.writing() as connection:
        inbox.put_news(connection, [news])


@pytest.mark.parametrize("vendor", EACH)
def test_news_of_a_ticket_that_nothing_could_match_reads_no_history(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        told_of(one, "t70")
        assert spent(one) == Spent(pages=POLL[vendor].pages, tickets=PASSED_OVER[vendor])
        with one.service.parts.store.reading() as connection:
            assert inbox.backlog(connection) == 0


@pytest.mark.parametrize("vendor", EACH)
def test_news_of_a_ticket_that_matches_by_now_is_read_whole(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        one.round()
        one.clock.advance(5)
        gold = {"correlation_display": "uptier: gold"} if vendor == "servicenow" else {"tags": ["gold"]}
        one.desk.desk.agent_changes(one.desk.tickets["t70"], "Ann", **gold)
        told_of(one, "t70")
        one.round(1)
        assert "t70" in episodes_now(one)
