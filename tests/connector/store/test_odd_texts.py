"""Half characters and NUL from anywhere are made storable on both databases, in every place that keeps text."""

import io
import json
import logging
from dataclasses import replace

import pytest
import structlog

from adapters.http import clean
from connector import logs
from connector.clock import ManualClock
from connector.store import accounts, codec, inbox, ledger, tickets
from connector.store.database import Store, advisory_lock
from connector.store.ledger import LedgerEntry
from policies.model import Directory, Group, Ticket, TicketRef
from tests.connector.store.samples import a_ticket, an_arrival

HALF = "hello \ud83d"
ODD = [HALF, "\ude00\ud83d", "a\0b", "\ud83d\0"]


@pytest.mark.parametrize("odd", ODD)
def test_a_ticket_odd_in_every_text_is_kept_and_read_again(store: Store, odd: str) -> None:
    plain = a_ticket("1")
    ticket = replace(
        plain,
        subject=odd,
        description=odd,
        tags=frozenset({odd}),
        custom={"topic": odd, odd: odd},
        group=Group(id="9", name=odd),
        organization=odd,
        revision=odd,
        requester=replace(plain.requester, name=odd) if plain.requester else None,
        messages=tuple(replace(one, body=odd) for one in plain.messages),
    )
    with store.writing() as connection:
        tickets.record_snapshots(connection, [ticket], 1000)
        inbox.put_news(connection, [replace(an_arrival(f"d{odd}"), hint=odd)])
        ledger.append(
            connection,
            [LedgerEntry(at=1, account="acme", ticket="1", what="odd", text=odd, data={"said": [odd]})],
        )
        inbox.start_timer(connection, ticket.ref, 2000, odd)
        accounts.save_cursor(connection, "acme", "poll", odd, 1000)
        accounts.ensure(connection, "acme", 1000)
        accounts.pause(connection, "acme", odd, 1000)
        people = Directory(account="acme", groups=(Group(id="9", name=odd),))
        accounts.save_directory(connection, people, 1000)
        advisory_lock(connection, f"acme/{odd}")
    with store.reading() as connection:
        known = tickets.known(connection, ticket.ref)
        (line,) = ledger.of_ticket(connection, ticket.ref)
        assert accounts.read_directory(connection, "acme") is not None
        assert accounts.read_cursor(connection, "acme", "poll") == clean(odd)
    assert known is not None
    known.ticket.subject.encode()
    line.text.encode()
    assert line.text == clean(odd)


def test_a_name_that_is_odd_is_found_by_what_became_of_it(store: Store) -> None:
    ref = TicketRef("acme", HALF)
    with store.writing() as connection:
        tickets.record_snapshots(connection, [replace(a_ticket("1"), ref=ref)], 1000)
    with store.reading() as connection:
        assert tickets.known(connection, ref) is not None


def test_json_of_a_ticket_with_half_a_character_is_whole() -> None:
    text = codec.dump(Ticket, replace(a_ticket("1"), subject=HALF))
    text.encode()
    assert codec.load(Ticket, text).subject == "hello \ufffd"


@pytest.mark.parametrize("odd", ODD)
def test_a_log_line_is_json_that_everybody_reads(odd: str) -> None:
    out = io.StringIO()
    logs.configure(logs.Masker(), ManualClock(0), out)
    structlog.get_logger().warning("odd", reason=odd, inner={"said": [odd], odd: 1})
    logging.getLogger("library").warning(odd)
    for line in out.getvalue().splitlines():
        json.dumps(json.loads(line), ensure_ascii=False).encode()
