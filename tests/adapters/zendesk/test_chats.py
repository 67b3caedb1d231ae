"""Messaging tickets: the conversation stands in the audits, or nowhere that can be read."""

import pytest

from policies.history import History, Sight
from policies.language.clocks import customer_waiting
from policies.model import Need, Ticket, TicketRef, Who
from tests.adapters.zendesk.world import ALL, World, world

MESSAGES = frozenset({Need.MESSAGES})


def chat(acme: World) -> int:
    """A ticket by WhatsApp on which the customer and an agent write in turns."""
    (number,) = acme.desk.seed(
        tickets=[{"requester": "Dan", "subject": "Conversation with Dan", "channel": "whatsapp"}]
    )["tickets"]
    for author, text in ((None, "Hello?"), ("Ann", "Hi Dan"), (None, "It still burns")):
        acme.clock.at += 60
        acme.desk.chat_says(number, text, author=author)
    return number


def loaded(acme: World, number: int, needs: frozenset[Need] = ALL) -> Ticket:
    return acme.adapter.load(TicketRef("acme", str(number)), needs)


def waits_since(ticket: Ticket) -> int | None:
    return customer_waiting(Sight(ticket=ticket, history=History.of(ticket, frozenset({"public"})))).start


def test_what_the_customer_says_in_a_chat_counts_and_so_does_the_answer(acme: World) -> None:
    number = chat(acme)
    began = acme.clock.at
    ticket = loaded(acme, number)
    assert [(each.act.who, each.body, each.public) for each in ticket.messages[1:]] == [
        (Who.CUSTOMER, "Hello?", True),
        (Who.AGENT, "Hi Dan", True),
        (Who.CUSTOMER, "It still burns", True),
    ]
    assert (waits_since(ticket), ticket.counts.replies, ticket.hidden) == (began, 1, frozenset())
    acme.clock.at += 60
    acme.desk.chat_says(number, "On my way", author="Ann")
    assert waits_since(loaded(acme, number, MESSAGES)) is None


def test_a_chat_and_what_was_done_meanwhile_stand_in_one_order(acme: World) -> None:
    number = chat(acme)
    acme.clock.at += 60
    acme.desk.agent_changes(number, "Ann", assignee="Ann", group="Tier 1", status="solved")
    assert waits_since(loaded(acme, number)) is None
    acme.clock.at += 60
    acme.desk.chat_says(number, "No, it still does")
    assert waits_since(loaded(acme, number)) == acme.clock.at


def test_the_transcript_after_the_end_says_nothing_new() -> None:
    with world(chat_transcript=True) as acme:
        number = chat(acme)
        acme.clock.at += 60
        acme.desk.chat_says(number, "Done, good bye", author="Ann")
        acme.clock.at += 60
        acme.desk.chat_ends(number)
        ticket = loaded(acme, number)
        assert waits_since(ticket) is None
        assert ticket.counts.replies == 2
        assert [each.auto_reply for each in ticket.messages if "It still burns" in each.body] == [False, True]


@pytest.mark.parametrize("shape", ["unsigned", "absent"])
def test_where_nothing_tells_who_wrote_last_the_messages_are_hidden(shape: str) -> None:
    with world(chat_history=shape) as acme:
        ticket = loaded(acme, chat(acme))
        assert (ticket.hidden, ticket.messages, ticket.counts.replies) == (frozenset({"messages"}), (), None)
        assert ticket.changes
        assert ticket.counts.reassignments == 0


def test_a_messaging_ticket_without_any_chat_event_hides_its_messages(acme: World) -> None:
    (number,) = acme.desk.seed(
        tickets=[{"requester": "Dan", "subject": "Hi", "channel": "native_messaging"}]
    )["tickets"]
    assert "messages" in loaded(acme, number, MESSAGES).hidden


def test_a_ticket_by_mail_needs_no_audits_for_its_messages(acme: World) -> None:
    loaded(acme, 1, MESSAGES)
    assert not [row for row in acme.desk.log if "audits" in row.path]
