"""A helpdesk that does not tell who changed what: two readings show that somebody else has the ticket now."""

from pathlib import Path

from connector.store import ledger, tickets
from connector.store.database import Store
from policies.model import Change, TicketRef, Who
from tests.connector.beside import LADDER
from tests.connector.beside_freshdesk import BesideFreshdesk, beside_freshdesk

REF = TicketRef("acme", "1")


def moves(one: BesideFreshdesk) -> list[tuple[object, object, Who]]:
    """The changes of the assignee that are remembered: before, after and by whom."""
    store: Store = one.service.parts.store
    with store.reading() as connection:
        known = tickets.known(connection, REF)
    assert known is not None
    changes: tuple[Change, ...] = known.ticket.changes
    return [(each.before, each.after, each.act.who) for each in changes if each.field == "assignee"]


def test_a_new_assignee_is_a_change_by_nobody_knows_whom_and_stays_one(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.round()
        assert moves(one) == []
        one.desk.agent_changes(1, "Ann", assignee="Ann")
        ann = str(one.desk.people.agent("Ann")["id"])
        one.round(2)
        assert moves(one) == [(None, ann, Who.UNKNOWN)]
        one.desk.agent_says(1, "Ann", "Soon", public=False)
        one.round(2)
        assert moves(one) == [(None, ann, Who.UNKNOWN)]
        one.desk.agent_changes(1, "Ann", assignee=None)
        one.round(2)
        assert moves(one) == [(None, ann, Who.UNKNOWN), (ann, None, Who.UNKNOWN)]


def test_what_we_assigned_is_no_move_of_somebody_elses(tmp_path: Path) -> None:
    with beside_freshdesk(tmp_path) as one:
        one.desk.agent_changes(1, "Ann", assignee="Ann")
        one.round()
        one.round(31)
        assert one.group() == "Tier 2"
        one.desk.agent_says(1, "Ann", "Soon", public=False)
        one.round(2)
        assert [who for *_, who in moves(one) if who is Who.UNKNOWN] == []


def test_somebody_who_is_given_the_ticket_after_a_level_has_taken_it(tmp_path: Path) -> None:
    policy = LADDER.replace(
        'stop_on = ["agent_reply", "acknowledged", "assigned"]', 'stop_on = ["acknowledged"]'
    )
    with beside_freshdesk(tmp_path, policy) as one:
        one.round()
        one.round(31)
        assert one.group() == "Tier 2"
        one.clock.advance(60)
        one.desk.agent_changes(1, "Ben", assignee="Ben")
        one.round(2)
        with one.service.parts.store.reading() as connection:
            said = [line.what for line in ledger.of_ticket(connection, REF)]
        assert "acknowledged" in said


def test_a_row_that_tells_enough_to_say_no_costs_no_look(tmp_path: Path) -> None:
    with beside_freshdesk(
        tmp_path, LADDER.replace("[policy.when]", '[policy.when]\npriority = "urgent"'), tickets=100
    ) as one:
        one.round()
        one.desk.agent_changes(7, "Ann", priority=4)
        one.round(2)
        looked = {row.path for row in one.desk.log if "/tickets/" in row.path}
        assert looked == {"/api/v2/tickets/7", "/api/v2/tickets/7/conversations"}
        assert sum(row.method == "GET" for row in one.desk.log) < 40
