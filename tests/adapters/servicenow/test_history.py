"""The journal and the audit: who did what, in which order, and what nobody shows us."""

import pytest

from adapters.base import Gone, NotAllowed, TryLater
from adapters.servicenow.history import updates
from policies.language.phrases import found, shipped
from policies.model import Counts, Metric, Need, Stage, Status, TicketRef, Who
from tests.adapters.recording import START
from tests.adapters.servicenow.world import ALL, World, world

MOMENT = "2026-11-25 10:00:00"


def pass_by(acme: World, seconds: int = 10) -> None:
    acme.clock.at += seconds


def test_who_said_what(acme: World) -> None:
    key = acme.printer.id
    for act in (
        lambda: acme.desk.customer_says(key, "Hello?"),
        lambda: acme.desk.agent_says(key, "Ann", "Looking", public=True),
        lambda: acme.desk.agent_says(key, "Ann", "Odd one", public=False),
        lambda: acme.desk.customer_says(key, "Me too", author="Dan"),
        lambda: acme.desk.agent_says(key, "Dan", "From a lead", public=False),
        lambda: acme.desk.rule_says(key, "We got it"),
        lambda: acme.desk.agent_says(key, "Uptier", "By hand", public=False),
    ):
        pass_by(acme)
        act()
    said = acme.load(Need.MESSAGES).messages
    assert [(each.act.who, each.public, each.auto_reply, each.body) for each in said] == [
        (Who.CUSTOMER, True, False, "It burns"),
        (Who.CUSTOMER, True, False, "Hello?"),
        (Who.AGENT, True, False, "Looking"),
        (Who.AGENT, False, False, "Odd one"),
        (Who.CUSTOMER, True, False, "Me too"),
        (Who.AGENT, False, False, "From a lead"),
        (Who.AUTOMATION, True, True, "We got it"),
        (Who.BOT, False, False, "By hand"),
    ]
    assert [each.act.person for each in said[1:3]] == [acme.user("Cleo"), acme.user("Ann")]
    assert [each.act.sequence for each in said] == sorted({each.act.sequence for each in said})
    assert said[-1].act.person == acme.bot


def test_phrases_are_found_in_what_the_customer_said_and_not_in_what_we_said(acme: World) -> None:
    pass_by(acme)
    acme.desk.agent_says(acme.printer.id, "Ann", "This is unacceptable, says Cleo")
    assert found(acme.load(*ALL), shipped().values()) == {}
    pass_by(acme)
    acme.desk.customer_says(
        acme.printer.id, "Let me speak to your manager.\n\n> This is unacceptable, says Cleo"
    )
    assert found(acme.load(*ALL), shipped().values()) == {"asks_for_manager": "speak to your manager"}


def test_an_incident_that_nobody_asked_for_waits_for_nobody(acme: World) -> None:
    key = acme.desk.open(subject="Disk full", description="90 %")
    (opening,) = acme.adapter.load(TicketRef("acme", key), ALL).messages
    assert (opening.act.who, opening.auto_reply) == (Who.AUTOMATION, True)


def test_a_status_is_made_of_state_and_reason(acme: World) -> None:
    key = acme.printer.id
    for fields in (
        {"state": "2"},
        {"state": "3", "hold_reason": "4"},
        {"hold_reason": "1"},
        {"state": "2"},
        {"state": "6", "close_code": "x", "close_notes": "y"},
        {"state": "2"},
    ):
        pass_by(acme)
        acme.desk.agent_changes(key, "Ann", **fields)
    ticket = acme.load(Need.CHANGES)
    assert [(each.before, each.after) for each in ticket.changes if each.field == "status"] == [
        (Status.NEW, Status.OPEN),
        (Status.OPEN, Status.ON_HOLD),
        (Status.ON_HOLD, Status.PENDING),
        (Status.PENDING, Status.OPEN),
        (Status.OPEN, Status.SOLVED),
        (Status.SOLVED, Status.OPEN),
    ]
    assert ticket.counts == Counts(reopens=1, reassignments=0, bounces=0, group_moves=0, group_bounces=0)


def test_people_are_counted_and_rules_are_not(acme: World) -> None:
    key = acme.printer.id
    for who in ("Ann", "Ben", "Ann"):
        pass_by(acme)
        acme.desk.agent_changes(key, "Ann", assignee=who)
    pass_by(acme)
    acme.desk.rule_changes(key, assignee="Ben")
    pass_by(acme)
    acme.desk.agent_says(key, "Ann", "Hi", public=True)
    acme.desk.agent_says(key, "Ann", "internal", public=False)
    acme.desk.rule_says(key, "auto")
    ticket = acme.load(*ALL)
    assert ticket.counts == Counts(
        replies=1, reopens=0, reassignments=2, bounces=1, group_moves=0, group_bounces=0
    )
    moves = [each for each in ticket.changes if each.field == "assignee"]
    assert [each.act.who for each in moves] == [Who.AGENT] * 3 + [Who.AUTOMATION]
    assert (moves[0].before, moves[0].after) == (None, acme.user("Ann"))
    assert moves[0].act.person == acme.user("Ann")


def test_moves_between_groups_are_counted_as_far_as_people_made_them(acme: World) -> None:
    key = acme.printer.id
    for group in ("Tier 2", "Tier 1"):
        pass_by(acme)
        acme.desk.agent_changes(key, "Ann", group=group)
    pass_by(acme)
    acme.desk.rule_changes(key, group="Tier 2")
    counts = acme.load(*ALL).counts
    assert (counts.group_moves, counts.group_bounces) == (2, 1)


def test_the_callers_own_changes_are_the_customers(acme: World) -> None:
    acme.desk.agent_changes(acme.printer.id, "Cleo", u_product="X3")
    (change,) = acme.load(Need.CHANGES).changes
    assert (change.field, change.before, change.after) == ("custom.product", "X100", "X3")
    assert change.act.who is Who.CUSTOMER


@pytest.mark.parametrize("checkpoints", [True, False])
def test_facts_of_one_second_keep_their_order(checkpoints: bool) -> None:
    with world(audit_checkpoints=checkpoints) as acme:
        for number in range(3):
            acme.desk.agent_says(acme.printer.id, "Ann", f"m{number}", state=str(number % 2 + 1))
        ticket = acme.load(*ALL)
        last = max(each.act.sequence for each in ticket.messages)
        assert all(each.act.sequence > last for each in ticket.changes)
        names = [each.act.id for each in ticket.changes]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("backwards", [False, True])
def test_updates_of_one_second_without_numbers_are_one_and_lead_from_first_to_last(backwards: bool) -> None:
    """A published log has many of one minute; an instance may leave out the number that tells them apart."""
    steps = [("1", "2"), ("2", "3"), ("3", "6")]
    rows = [
        {"fieldname": "state", "oldvalue": old, "newvalue": new, "user": "ann", "sys_created_on": MOMENT}
        for old, new in steps
    ]
    (update,) = updates(reversed(rows) if backwards else rows)
    assert update.columns == {"state": ("1", "6")}
    back = [rows[0], rows[0] | {"oldvalue": "2", "newvalue": "1"}]
    assert updates(back)[0].columns == {"state": ("1", "1")}


@pytest.mark.parametrize("called", ["user_name", "name"])
def test_our_own_changes_are_known_by_either_name(called: str) -> None:
    with world(audit_users=called) as acme:
        acme.desk.agent_changes(acme.printer.id, "uptier.bot", u_product="X2")
        acme.clock.at += 5
        acme.desk.agent_changes(acme.printer.id, "Ann", u_product="X3")
        assert [each.act.who for each in acme.load(Need.CHANGES).changes] == [Who.BOT, Who.AGENT]


def test_an_instance_that_audits_inserts_changes_nothing(acme: World) -> None:
    with world(audits_inserts=True) as other:
        first = other.load(Need.CHANGES).changes
        assert {each.field for each in first} == {"status", "group", "custom.product"}
        assert all(each.act.at == START for each in first)
    assert acme.load(Need.CHANGES).changes == ()


@pytest.mark.parametrize("gate", ["forbidden", "hidden"])
def test_without_the_audit_a_ticket_comes_without_its_changes(gate: str) -> None:
    with world(audit=gate) as acme:
        acme.desk.agent_changes(acme.printer.id, "Ann", assignee="Ann")
        ticket = acme.load(*ALL)
        assert ticket.loaded == ALL - {Need.CHANGES}
        assert ticket.changes == ()
        assert ticket.messages
        assert (ticket.counts.reassignments, ticket.counts.bounces, ticket.counts.reopens) == (
            None,
            None,
            None,
        )
        assert ticket.counts.replies == 0


CLOSED = ["forbidden", "query", "missing"]


@pytest.mark.parametrize("gate", CLOSED)
@pytest.mark.parametrize(
    ("switch", "need"), [("journal", Need.MESSAGES), ("slas", Need.TARGETS), ("audit", Need.CHANGES)]
)
def test_a_table_that_is_refused_hides_what_is_in_it_and_nothing_else(
    gate: str, switch: str, need: Need
) -> None:
    with world(**{switch: gate}) as acme:
        acme.desk.agent_says(acme.printer.id, "Ann", "Hi", public=True, assignee="Ann")
        acme.desk.set_target(acme.printer.id, due=START + 60)
        ticket = acme.load(*ALL)
        assert (ticket.hidden, ticket.loaded) == ({need.value}, ALL - {need})
        assert (ticket.subject, ticket.assignee is not None) == ("Printer", True)
        assert bool(ticket.messages) is (need is not Need.MESSAGES)
        assert bool(ticket.changes) is (need is not Need.CHANGES)
        assert bool(ticket.targets) is (need is not Need.TARGETS)


@pytest.mark.parametrize("counts_hidden", [True, False])
def test_a_journal_that_is_hidden_is_not_an_empty_one(counts_hidden: bool) -> None:
    with world(journal="hidden", total_counts_hidden=counts_hidden) as acme:
        assert acme.load(Need.MESSAGES).messages
        acme.desk.customer_says(acme.printer.id, "Hello?")
        ticket = acme.load(Need.MESSAGES)
        assert (ticket.messages, ticket.loaded, ticket.hidden) == ((), frozenset(), {"messages"})
        assert ticket.counts.replies is None


def test_an_update_without_words_asks_and_believes(acme: World) -> None:
    acme.desk.agent_changes(acme.printer.id, "Ann", state="2")
    assert len(acme.load(Need.MESSAGES).messages) == 1


def test_targets_come_with_their_start(acme: World) -> None:
    acme.desk.set_target(acme.printer.id, "resolution", due=START + 3600)
    acme.desk.set_target(acme.printer.id, "response", stage="completed", due=START + 60)
    acme.desk.set_target(acme.printer.id, "response", kind="OLA", due=START + 5)
    found = {each.metric: each for each in acme.load(Need.TARGETS).targets}
    assert (found[Metric.RESOLUTION].due, found[Metric.RESOLUTION].start) == (START + 3600, START)
    assert found[Metric.FIRST_REPLY].stage is Stage.ACHIEVED
    assert acme.load().targets == ()


def test_a_deleted_ticket_is_gone(acme: World) -> None:
    acme.desk.delete(acme.printer.id)
    with pytest.raises(Gone):
        acme.load()


def test_a_hidden_ticket_is_gone(acme: World) -> None:
    acme.desk.hide(acme.printer.id)
    with pytest.raises(Gone):
        acme.load()


def test_a_404_that_the_list_denies_is_not_believed(acme: World) -> None:
    acme.fault("answer", status=404)
    with pytest.raises(TryLater, match="lists"):
        acme.load()


def test_a_404_of_a_table_we_may_no_longer_read_closes_nothing(acme: World) -> None:
    acme.fault("answer", status=404)
    acme.fault("answer", status=403)
    with pytest.raises(NotAllowed):
        acme.load()


@pytest.mark.parametrize("odd", ["a^active=true", "../x", "", "é", "x" * 33])
def test_what_is_no_sys_id_is_gone_unasked(acme: World, odd: str) -> None:
    with pytest.raises(Gone):
        acme.adapter.load(TicketRef("acme", odd), ALL)
    assert not acme.desk.log


def test_a_user_name_full_of_marks_stays_a_user_name(acme: World) -> None:
    acme.desk.add_user(name="Eve", user_name="eve^ORactive=true", groups=["Tier 1"])
    acme.desk.agent_says(acme.printer.id, "Eve", "Hi", public=True)
    (_, said) = acme.load(Need.MESSAGES).messages
    assert (said.act.who, said.act.person) == (Who.AGENT, acme.user("Eve"))
