"""What is forgotten and what stays."""

from pathlib import Path

import pytest
from sqlalchemy import update

from connector.store import forgetting, ledger, schema, writes
from connector.store.forgetting import Forgotten
from connector.store.ledger import LedgerEntry
from connector.store.standings import remember_standings
from connector.store.writes import State
from policies.state import Episode, Standing
from tests.connector.beside import Beside, beside
from tests.connector.store.samples import REF
from tests.connector.stores import fresh_store

DAY = 86400


def forgotten(one: Beside, days: int) -> Forgotten:
    one.clock.advance(days * DAY)
    return one.service.forget()


def requests(one: Beside) -> list[str]:
    with one.service.parts.store.reading() as connection:
        return [str(dict(kept.write.request)) for kept in writes.everywhere(connection, State.DONE)]


def kinds(one: Beside) -> list[list[str]]:
    with one.service.parts.store.reading() as connection:
        kept = writes.everywhere(connection, State.DONE)
    assert not any(getattr(action, "body", "") for each in kept for action in each.write.intent)
    return [[action.kind for action in each.write.intent] for each in kept]


def test_our_words_go_after_a_while_and_the_key_stays(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        assert requests(one) == ["{}"]  # they went when the write had ended
        assert kinds(one) == [["assign", "tags", "note"]]
        assert forgotten(one, 29).texts == 0
        assert forgotten(one, 2).texts == 1
        assert kinds(one) == [[]]
        assert forgotten(one, 0) == Forgotten()
        one.round(1)
        assert one.whats().count("fired") == 2
        assert len(one.notes()) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_policys_text_goes_with_the_last_that_refers_to_it(kind: str, tmp_path: Path) -> None:
    with fresh_store(kind, tmp_path) as store:

        def left_after(day: int) -> list[str]:
            gone = forgetting.forget(store, day * DAY, texts=DAY, tickets=9000 * DAY, ledger=100 * DAY)
            with store.reading() as connection:
                left = [each for each in "abcdef" if forgetting.read_policy_text(connection, each * 12)]
            counted.append(gone.policies)
            return left

        counted = list[int]()
        with store.writing() as connection:
            for each in "abcdef":
                forgetting.keep_policy_text(connection, each * 12, f"name = '{each}'", 0)
            line = LedgerEntry(at=50 * DAY, account="acme", ticket="1", what="fired", policy_hash="b" * 12)
            ledger.append(connection, [line])
            forgetting.note_in_force(connection, ["c" * 12], 60 * DAY)
            forgetting.keep_policy_text(connection, "d" * 12, "name = 'another'", 70 * DAY)
            running = Episode(key="e1", policy="p", number=1, started=0, clock_start=0, policy_hash="e" * 12)
            remember_standings(connection, REF, (Standing(policy="p", episode=running),), before=())
            before = update(schema.policy_text).where(schema.policy_text.c.hash == "f" * 12)
            connection.execute(before.values(last_ran=None))  # as the version before wrote it
        assert left_after(100) == list("abcdef")
        assert left_after(101) == list("bcde")
        assert left_after(151) == list("cde")
        assert left_after(161) == list("de")
        assert left_after(171) == ["e"]
        with store.reading() as connection:
            assert forgetting.read_policy_text(connection, "e" * 12) == "name = 'e'"
        with store.writing() as connection:
            remember_standings(connection, REF, (), before=(Standing(policy="p", episode=running),))
        assert counted == [0, 2, 1, 1, 1]


def test_the_text_of_a_policy_in_force_stays_however_long_it_rests(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        store, (policy,) = one.service.parts.store, one.service.parts.rules().policies.policies
        for _ in range(5):
            one.clock.advance(300 * DAY)
            one.service._forget()
        with store.reading() as connection:
            assert forgetting.read_policy_text(connection, policy.hash) == policy.text


def test_news_goes_after_a_week(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round()
        assert forgotten(one, 6).news == 0
        assert forgotten(one, 2).news >= 1


def test_a_ticket_that_is_over_goes_after_a_year_and_the_ledger_stays(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        one.desk.agent_changes(1, "Ann", status="solved")
        one.round(1)
        assert forgotten(one, 364).tickets == 0
        assert forgotten(one, 2).tickets == 1
        assert one.lines()


def test_the_ledger_goes_after_three_years(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        many = len(one.lines())
        assert many > 2
        assert forgotten(one, 1094).lines == 0
        assert forgotten(one, 2).lines >= many
        assert one.lines() == []


def test_an_open_ticket_stays(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.round(31)
        assert forgotten(one, 400).tickets == 0


def test_what_people_wrote_is_in_no_table(tmp_path: Path) -> None:
    with beside(tmp_path) as one:
        one.desk.customer_says(1, "My password is hunter2")
        one.round(31)
        one.round(95)
        path = one.service.parts.store.path
        kept = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
    assert b"hunter2" not in kept
    assert b"It burns" not in kept
    assert forgetting.NEWS > DAY
