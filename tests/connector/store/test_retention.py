"""What is forgotten and what stays."""

from pathlib import Path

from connector.store import retention, writes
from connector.store.retention import Forgotten
from connector.store.writes import State
from tests.connector.beside import Beside, beside

DAY = 86400


def forgotten(one: Beside, days: int) -> Forgotten:
    one.clock.advance(days * DAY)
    return one.service.forget()


def requests(one: Beside) -> list[str]:
    with one.service._parts.store.reading() as connection:
        return [str(dict(kept.write.request)) for kept in writes.everywhere(connection, State.DONE)]


def kinds(one: Beside) -> list[list[str]]:
    with one.service._parts.store.reading() as connection:
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
        path = one.service._parts.store.path
        kept = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
    assert b"hunter2" not in kept
    assert b"It burns" not in kept
    assert retention.NEWS > DAY
