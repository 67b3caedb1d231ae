"""What is known of a ticket, from feeds and from looks, whichever comes last."""

from sqlalchemy import Connection

from connector.store import tickets
from connector.store.tickets import KnownTicket
from policies.model import (
    Act,
    Change,
    Counts,
    Message,
    Need,
    Person,
    Satisfaction,
    Status,
    Ticket,
    TicketRef,
    Who,
)
from policies.rules.judgement import Judgement, Ruling
from tests.connector.store.samples import REF, a_ticket

JUDGED = (Judgement(policy="p", mode="enforce", holds=True, ruling=Ruling(came="fires", level="one"), now=9),)


def known(connection: Connection) -> KnownTicket:
    found = tickets.known(connection, REF)
    assert found is not None
    return found


def look(connection: Connection, ticket: Ticket, now: int = 110) -> bool:
    return tickets.record_look(
        connection, ticket, JUDGED, now=now, next_look=500, matched=True, owner="Tier 2", policy_hash="h1"
    )


def test_a_snapshot_is_known_without_a_look(connection: Connection) -> None:
    tickets.record_snapshots(connection, [a_ticket()], 111)
    assert known(connection) == KnownTicket(
        ticket=a_ticket(),
        judged=(),
        seen_at=111,
        next_look=None,
        matched=False,
        owner=None,
        policy_hash=None,
    )
    assert tickets.known(connection, TicketRef("acme", "2")) is None


def test_a_newer_snapshot_brings_facts_and_keeps_the_look(connection: Connection) -> None:
    look(connection, a_ticket())
    newer = a_ticket(updated=200, revision="r200", status=Status.PENDING)
    tickets.record_snapshots(connection, [newer], 201)
    assert known(connection) == KnownTicket(
        ticket=newer,
        judged=JUDGED,
        seen_at=201,
        next_look=500,
        matched=True,
        owner="Tier 2",
        policy_hash="h1",
    )


def test_an_older_snapshot_changes_nothing(connection: Connection) -> None:
    look(connection, a_ticket())
    before = known(connection)
    tickets.record_snapshots(connection, [a_ticket(updated=99, revision="r99", subject="Old")], 300)
    assert known(connection) == before


def test_of_a_page_the_newest_of_a_ticket_stays(connection: Connection) -> None:
    page = [a_ticket(updated=200, revision="r200"), a_ticket(), a_ticket(updated=150, revision="r150")]
    tickets.record_snapshots(connection, page, 201)
    assert known(connection).ticket.revision == "r200"


def test_a_look_tells_whether_a_feed_was_quicker(connection: Connection) -> None:
    assert look(connection, a_ticket())
    tickets.record_snapshots(connection, [a_ticket(updated=200, revision="r200")], 201)
    assert not look(connection, a_ticket(subject="Old"), now=202)
    assert known(connection).ticket.revision == "r200"
    assert known(connection).judged == JUDGED
    assert look(connection, a_ticket(updated=200, revision="r200", subject="New"), now=203)
    assert known(connection).ticket.subject == "New"


def test_only_a_revision_that_stood_a_while_is_settled(connection: Connection) -> None:
    look(connection, a_ticket(updated=100, read_at=101))
    assert tickets.settled_revisions(connection, "acme", ["1", "2"]) == {}
    look(connection, a_ticket(updated=100, read_at=102))
    assert tickets.settled_revisions(connection, "acme", ["1", "2"]) == {"1": "r100"}
    assert tickets.settled_revisions(connection, "beta", ["1"]) == {}


def test_gone_is_remembered(connection: Connection) -> None:
    look(connection, a_ticket())
    tickets.record_snapshots(connection, [a_ticket(gone="merged")], 120)
    assert known(connection).ticket.gone == "merged"


def test_open_tickets_come_in_pages(connection: Connection) -> None:
    page = [a_ticket(str(number)) for number in range(1, 6)]
    page += [a_ticket("6", status=Status.SOLVED), a_ticket("7", status=Status.CLOSED)]
    page += [a_ticket("8", gone="deleted"), a_ticket("9", account="beta")]
    tickets.record_snapshots(connection, page, 111)
    first = tickets.open_tickets(connection, "acme", limit=3)
    assert [each.ref.id for each in first] == ["1", "2", "3"]
    rest = tickets.open_tickets(connection, "acme", after=first[-1].ref.id, limit=3)
    assert [each.ref.id for each in rest] == ["4", "5"]
    tickets.record_snapshots(connection, [a_ticket("2", updated=300)], 400)
    late = tickets.open_tickets(connection, "acme", seen_since=400)
    assert [each.ref.id for each in late] == ["2"]


def test_loads_count_open_tickets_and_a_write_of_ours_at_once(connection: Connection) -> None:
    ann = Person(id="7", name="Ann")
    some = [a_ticket(str(number), assignee=ann) for number in range(3)]
    solved = a_ticket("9", assignee=ann, status=Status.SOLVED)
    tickets.record_snapshots(connection, [*some, solved, a_ticket("8")], 100)
    assert tickets.loads(connection, "acme", {"7", "8", "9"}) == {"7": 3}
    tickets.assign(connection, some[0].ref, "8")
    assert tickets.loads(connection, "acme", {"7", "8"}) == {"7": 2, "8": 1}
    assert tickets.loads(connection, "acme", {"8"}) == {"8": 1}
    assert set(tickets.assigned_to(connection, "acme", frozenset({"7"}))) == {each.ref for each in some[1:]}


def test_a_row_of_a_feed_leaves_the_history_that_was_loaded(connection: Connection) -> None:
    act = Act(sequence=1, id="1", at=60, who=Who.AGENT, person="7")
    told = frozenset({Need.MESSAGES, Need.CHANGES})
    whole = a_ticket(
        messages=(Message(act=act, public=True, body=""),),
        changes=(Change(act=act, field="status", before="new", after="open"),),
        counts=Counts(replies=1),
        satisfaction=Satisfaction.GOOD,
        loaded=told,
    )
    look(connection, whole)
    tickets.record_snapshots(connection, [a_ticket(updated=200, revision="r200", status=Status.CLOSED)], 201)
    kept = known(connection).ticket
    assert (kept.status, kept.updated, kept.loaded) == (Status.CLOSED, 200, told)
    assert (kept.messages, kept.changes, kept.counts) == (whole.messages, whole.changes, whole.counts)
    assert kept.satisfaction is Satisfaction.GOOD
