"""Levels that act in open hours only, acknowledgement by a tag, and what people order, on the model alone."""

from policies.orders import Order
from tests.policies.lives import AFTER_30, AFTER_120, Life, at, policy

NIGHT = 20 * 60
WAITING = "customer_waiting"
OFFICE = 'after = "30m"\nwithin = "office"\nowner = "Tier 2"\ntags = ["escalated"]'
OTHERWISE = f'{OFFICE}\notherwise = {{ owner = "Duty" }}'


def test_in_open_hours_a_gated_level_fires_when_it_is_due() -> None:
    life = Life(policy(OFFICE, clock=WAITING)).customer(10 * 60)
    life.look(10 * 60 + 29)
    assert life.lines("fired") == 0
    life.look(10 * 60 + 30)
    assert life.lines("fired") == 1


def test_in_closed_hours_it_waits_for_the_opening_to_the_minute() -> None:
    life = Life(policy(OFFICE, clock=WAITING)).customer(NIGHT)
    plan = life.look(NIGHT + 30)
    assert life.lines("fired") == 0
    assert plan.next_look == at(24 * 60 + 9 * 60)
    life.look(33 * 60 - 1 / 60)
    assert life.lines("fired") == 0
    life.look(33 * 60)
    assert life.lines("fired") == 1


def test_or_does_what_it_says_otherwise() -> None:
    life = Life(policy(OTHERWISE, clock=WAITING)).customer(NIGHT)
    life.look(NIGHT + 30)
    assert life.lines("fired") == 1
    episode = life.standing().episode
    assert episode is not None
    assert episode.owner is not None
    assert episode.owner.name == "Duty"


def test_a_tag_of_a_person_acknowledges() -> None:
    life = Life(policy(AFTER_30, AFTER_120, more='acknowledge_tags = ["taken"]')).customer(0)
    life.look(30)
    life.change(40, "tags", ("escalated", "taken"), by="ann")
    life.look(60)
    assert life.lines("acknowledged") == 1


def test_another_tag_and_one_that_was_there_do_not() -> None:
    life = Life(policy(AFTER_30, AFTER_120, more='acknowledge_tags = ["taken"]')).customer(0)
    life.look(30)
    life.change(40, "tags", ("escalated", "other"), by="ann")
    life.look(60)
    assert life.lines("acknowledged") == 0


def test_a_snooze_ends_to_the_second() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.look(10)
    plan = life.look(20, orders=(Order(verb="snooze", who="dana", at=at(20), until=at(50)),))
    assert plan.next_look == at(50)
    life.look(49)
    assert life.lines("fired") == 0
    life.look(50)
    assert life.lines("fired") == 1


def test_an_order_for_another_policy_is_not_for_this_one() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.look(10)
    life.look(11, orders=(Order(verb="escalate", who="dana", at=at(11), policy="other"),))
    assert life.lines("fired") == 0


def test_a_stale_write_leaves_the_order_standing() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.look(10)
    life.look(11, "stale", orders=(Order(verb="escalate", who="dana", at=at(11), policy="p"),))
    assert life.lines("fired") == 0
    plan = life.look(12)
    assert life.lines("fired") == 1
    assert any("escalated by dana" in str(wanted.action) for wanted in plan.wanted)
