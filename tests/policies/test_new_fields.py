"""Fields about moves between groups, the customer's rating and recent tickets, in policies."""

import pytest

from policies.model import Need, Recent, Satisfaction, Status, Who
from policies.present.explain import traced
from policies.rules.observe import could_hold
from tests.policies.lives import Life, policy, rules


def holds(life: Life, minutes: float = 9) -> bool:
    """Whether the one policy holds at this minute."""
    return traced(life.plan(minutes))[0].holds


MOVES = policy(when="group_moves = { at_least = 2 }")
BOUNCES = policy(when="group_bounces = { at_least = 1 }")


def test_group_moves_count_people_from_one_group_to_another() -> None:
    life = Life(MOVES).customer(0).change(1, "group", "g2")
    assert not holds(life)
    assert holds(life.change(2, "group", "g3"))


@pytest.mark.parametrize("who", [Who.BOT, Who.AUTOMATION])
def test_moves_by_rules_and_by_us_do_not_count(who: Who) -> None:
    assert not holds(Life(MOVES).customer(0).change(1, "group", "g2").change(2, "group", "g3", who=who))


def test_from_no_group_and_to_none_is_no_move() -> None:
    life = Life(MOVES).customer(0).change(1, "group", None).change(2, "group", "g2").change(3, "group", "g3")
    assert not holds(life)
    assert life.ticket.counts.group_moves == 1


def test_a_group_bounce_returns_to_the_group_before_last() -> None:
    life = Life(BOUNCES).customer(0).change(1, "group", "g2")
    assert not holds(life)
    assert not holds(Life(BOUNCES).customer(0).change(1, "group", "g2").change(2, "group", "g3"))
    assert holds(life.change(2, "group", "g1"))


def test_a_change_of_assignee_in_between_does_not_hide_a_group_bounce() -> None:
    life = Life(BOUNCES).customer(0).change(1, "group", "g2").change(2, "assignee", "ben")
    assert holds(life.change(3, "group", "g1"))
    assert life.ticket.counts.bounces == 0


RATED = policy(when='status = "solved"\nsatisfaction = "bad"')


@pytest.mark.parametrize(
    ("rating", "held"), [(Satisfaction.BAD, True), (Satisfaction.GOOD, False), (None, False)]
)
def test_a_bad_rating_is_found_on_a_solved_ticket(rating: Satisfaction | None, held: bool) -> None:
    assert holds(Life(RATED).with_fields(status=Status.SOLVED, satisfaction=rating).customer(0)) is held


def test_without_asking_for_solved_a_rating_of_a_solved_ticket_is_not_seen() -> None:
    life = Life(policy(when='satisfaction = "bad"')).customer(0)
    assert not holds(life.with_fields(status=Status.SOLVED, satisfaction=Satisfaction.BAD))
    assert holds(life.with_fields(status=Status.OPEN))


def test_no_rating_is_missing_not_something_else() -> None:
    life = Life(policy(when='satisfaction = { not = "good" }')).customer(0)
    assert not holds(life)
    assert holds(life.with_fields(satisfaction=Satisfaction.BAD))


AGAIN = policy(when="requester.recent_tickets = { at_least = 3 }")
MANY = policy(when="organization_recent_tickets = { at_least = 3 }")


@pytest.mark.parametrize("text", [AGAIN, MANY])
@pytest.mark.parametrize(("number", "held"), [(2, False), (3, True), (None, False)])
def test_recent_tickets_are_a_number(text: str, number: int | None, held: bool) -> None:
    recent = Recent(of_requester=number, of_organization=number)
    assert holds(Life(text).customer(0).with_fields(recent=recent)) is held


def test_they_are_counted_only_if_a_policy_asks() -> None:
    assert Need.RECENT in rules(AGAIN).needs
    assert Need.RECENT in rules(MANY).needs
    assert Need.RECENT not in rules(policy()).needs


def test_a_row_that_was_not_counted_may_match() -> None:
    bare = Life().with_fields(loaded=frozenset()).ticket
    assert could_hold(rules(AGAIN).policies[0], bare)
