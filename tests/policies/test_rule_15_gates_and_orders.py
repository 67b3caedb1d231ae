"""Rule 15: levels that act in open hours only, or once a person approves, and what people order."""

from typing import Any

from policies.model import Order, Priority, Verb
from policies.plan import Assign, ChangeTags, Plan, PutBackPriority, Say
from policies.rules.orders import refusal
from tests.policies.lives import AFTER_30, AFTER_120, DUTY, TIER1, TIER2, Life, at, policy

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


def given(verb: Verb, minutes: float, **more: Any) -> tuple[Order, ...]:
    """An order of Dana's."""
    return (Order(verb=verb, who="dana", at=at(minutes), **more),)


def said(plan: Plan, what: str) -> list[str]:
    """What the ledger is told of one kind."""
    return [each.text for each in plan.occurrences if each.what == what]


# --- within, judged when the level acts ----------------------------------------------------------------------


def test_due_in_open_hours_and_first_seen_in_closed_ones_it_waits() -> None:
    life = Life(policy(OFFICE)).customer(0).with_fields(created=at(10 * 60))
    assert life.look(20 * 60).next_look == at(33 * 60)
    assert life.fired() == []
    life.look(33 * 60)
    assert life.fired() == ["one"]


def test_so_it_does_after_a_snooze_and_a_later_level_may_overtake_it() -> None:
    life = Life(policy(OFFICE, 'after = "12h"\nnote = "handoff"')).with_fields(created=at(10 * 60))
    life.look(10 * 60)
    life.look(10 * 60 + 5, orders=given("snooze", 10 * 60 + 5, until=at(18 * 60)))
    assert life.look(18 * 60).next_look == at(22 * 60)
    plan = life.look(22 * 60)
    assert life.passed() == {"one": "overtaken", "two": "fired"}
    assert not any(isinstance(each.action, ChangeTags) for each in plan.wanted), "it lends nothing of its day"


def test_its_repeats_wait_for_the_opening_too() -> None:
    level = f'{OFFICE}\nnote = "handoff"\nrepeat = {{ every = "1h", times = 3 }}'
    life = Life(policy(level)).with_fields(created=at(15 * 60))
    life.look(15 * 60 + 30)
    life.look(16 * 60 + 30)
    assert life.lines("repeated") == 1
    assert life.plan(16 * 60 + 31).next_look == at(33 * 60)
    assert life.look(20 * 60).wanted == ()
    life.look(33 * 60)
    assert life.lines("repeated") == 2


def test_otherwise_is_instead_of_all_but_the_name_and_owner() -> None:
    level = (
        f'{OFFICE}\nassign = {{ group = "Duty" }}\npriority = {{ at_least = "urgent" }}\nreply = "handoff"\n'
        'repeat = { every = "10m", times = 3 }\nnote = "handoff"\notherwise = { note = "handoff" }'
    )
    life = Life(policy(level, clock=WAITING)).customer(NIGHT)
    plan = life.look(NIGHT + 30)
    (wanted,) = plan.wanted
    assert isinstance(wanted.action, Say)
    assert (wanted.action.public, wanted.action.owner) == (False, "Tier 2")
    assert life.plan(NIGHT + 31).next_look is None, "what it did instead is not repeated"


# --- approval ------------------------------------------------------------------------------------------------

GATE = f'{AFTER_30}\nowner = "Duty"\nassign = {{ group = "Duty" }}\napproval = {{ note = "handoff" }}'


def test_a_first_level_asks_in_the_name_of_its_owner_and_does_nothing_else() -> None:
    life = Life(policy(GATE)).customer(0)
    plan = life.look(30)
    assert [each.action.kind for each in plan.wanted] == ["say"]
    assert [each.owner for each in plan.occurrences if each.what == "approval asked"] == ["Duty"]
    assert life.passed() == {}
    assert life.look(31).occurrences == ()
    life.look(32, orders=given("approve", 32))
    assert life.passed() == {"one": "fired"}


def test_a_question_whose_write_was_not_applied_is_asked_again() -> None:
    life = Life(policy(GATE)).customer(0)
    life.look(30, "stale")
    assert [each.what for each in life.look(31).occurrences] == ["approval asked"]


def test_two_levels_that_need_approval_ask_once_each() -> None:
    life = Life(policy(GATE, GATE.replace("30m", "1h"))).customer(0)
    life.look(30)
    life.look(60)
    assert life.look(61).occurrences == ()
    assert life.lines("approval asked") == 2
    life.look(62, orders=given("approve", 62))
    assert life.passed() == {"one": "overtaken", "two": "fired"}


def test_what_was_overtaken_is_neither_approved_nor_rejected() -> None:
    repeating = f'{AFTER_120}\nrepeat = {{ every = "10m", times = 3 }}'
    life = Life(policy(GATE, repeating)).customer(0)
    life.look(30)
    life.look(120)
    for minute, verb in ((121, "approve"), (122, "reject")):
        plan = life.look(minute, orders=given(verb, minute))  # type: ignore[arg-type]
        assert said(plan, "order refused") == [f"{verb} by dana; no level waits for approval"]
    life.look(130)
    assert life.lines("repeated") == 1, "a late rejection ends no repeats"


def test_a_rejected_level_is_passed_and_keeps_the_owner() -> None:
    life = Life(policy(AFTER_30 + '\nowner = "Tier 2"', GATE.replace("30m", "1h"), AFTER_120)).customer(0)
    life.look(30)
    life.look(60)
    plan = life.look(61, orders=given("reject", 61))
    assert life.passed() == {"one": "fired", "two": "rejected"}
    assert plan.owner is not None
    assert plan.owner.name == "Tier 2"


# --- orders --------------------------------------------------------------------------------------------------


def test_a_snooze_is_the_tickets_whatever_begins_meanwhile_and_always_leaves_a_line() -> None:
    urgent = policy(AFTER_30, name="q", when='priority = "urgent"')
    life = Life(policy(AFTER_30, when='priority = "low"') + urgent).customer(0)
    plan = life.look(10, orders=given("snooze", 10, until=at(100)))
    assert said(plan, "snoozed") == ["by dana"]
    life.change(40, "priority", "urgent")
    assert life.look(40).next_look == at(100)
    assert life.fired("q") == []
    life.look(100)
    assert life.fired("q") == ["one"]


def test_an_escalation_is_newer_than_a_snooze_and_ends_it() -> None:
    life = Life(policy(AFTER_30, AFTER_120)).customer(0)
    life.look(10, orders=given("snooze", 10, until=at(500)))
    life.look(20, orders=given("escalate", 20))
    assert life.fired() == ["one"]
    life.look(120)
    assert life.fired() == ["one", "two"]


def test_of_one_kind_in_one_look_the_last_counts_and_each_leaves_a_line() -> None:
    life = Life(policy(AFTER_30, AFTER_120, AFTER_120.replace("2h", "3h"))).customer(0)
    life.look(10)
    plan = life.look(11, orders=given("escalate", 11, level="one") + given("escalate", 11, level="two"))
    assert life.passed() == {"one": "overtaken", "two": "fired"}
    assert len(said(plan, "order refused")) == 1


def test_an_order_is_carried_out_after_the_facts() -> None:
    life = Life(policy(AFTER_30, AFTER_120, more='stop_on = ["agent_reply"]')).customer(0)
    life.look(30)
    life.agent(40)
    plan = life.look(40, orders=given("acknowledge", 40))
    assert said(plan, "order refused") == ["acknowledge by dana; no such escalation runs"]


def test_without_a_policy_it_goes_to_all_that_can_and_is_refused_once_if_none_can() -> None:
    life = Life(policy(AFTER_30) + policy(AFTER_120, name="q")).customer(0)
    life.look(30)
    plan = life.look(31, orders=given("acknowledge", 31))
    assert [each.policy for each in plan.occurrences if each.what == "acknowledged"] == ["p"]
    assert said(plan, "order refused") == []
    assert len(said(life.look(32, orders=given("approve", 32)), "order refused")) == 1


def test_what_can_be_ordered_now_is_one_rule() -> None:
    life = Life(policy(GATE, AFTER_120)).customer(0)
    life.look(0)

    def can(verb: Verb, **more: Any) -> bool:
        return refusal(given(verb, 0, **more)[0], life.standings, life.policies.policies) is None

    assert (can("acknowledge"), can("approve"), can("escalate"), can("snooze")) == (False, False, True, True)
    life.look(30)
    assert (can("approve"), can("reject"), can("approve", level="two")) == (True, True, False)
    life.look(120)
    assert (can("approve"), can("escalate"), can("acknowledge"), can("deescalate")) == (
        False,
        False,
        True,
        True,
    )
    assert not can("deescalate", policy="nobody")


# --- taking back ---------------------------------------------------------------------------------------------

UP = (
    f'{AFTER_30}\nassign = {{ group = "Tier 2", agent = "least_loaded" }}\n'
    'priority = { at_least = "urgent" }\ntags = ["up"]'
)


def test_everything_goes_back_and_the_episode_is_over() -> None:
    life = Life(policy(UP)).customer(0)
    life.look(30)
    life.look(40, orders=given("deescalate", 40))
    life.look(41)
    assert (life.ticket.group, life.ticket.assignee, life.ticket.tags) == (TIER1, None, frozenset())
    assert life.reasons() == ["deescalated"]


def test_group_and_assignee_go_back_together_or_not_at_all() -> None:
    life = Life(policy(UP)).customer(0)
    life.look(30)
    life.change(35, "assignee", "cat", by="cat")
    plan = life.look(40, orders=given("deescalate", 40))
    assert not any(isinstance(each.action, Assign) for each in plan.wanted)
    assert life.ticket.group == TIER2


def test_also_if_the_group_was_moved_there_and_back() -> None:
    life = Life(policy(UP)).customer(0)
    life.look(30)
    life.change(34, "group", DUTY.id, by="cat").change(35, "group", TIER2.id, by="cat")
    plan = life.look(40, orders=given("deescalate", 40))
    assert not any(isinstance(each.action, Assign) for each in plan.wanted)


def test_a_priority_that_was_missing_cannot_go_back_and_that_is_said() -> None:
    life = Life(policy(UP)).customer(0).with_fields(priority=None)
    life.look(30)
    plan = life.look(40, orders=given("deescalate", 40))
    assert [(each.what, each.policy) for each in plan.left_out] == [("priority", "p")]
    assert len(said(plan, "left out")) == 1
    assert life.ticket.priority is Priority.URGENT
    assert not any(isinstance(each.action, PutBackPriority) for each in plan.wanted)


def test_a_policy_that_only_observes_by_now_takes_nothing_back() -> None:
    life = Life(policy(UP)).customer(0)
    life.look(30)
    life.under(policy(UP, more='mode = "observe"'))
    assert life.look(40, orders=given("deescalate", 40)).wanted == ()
    assert life.reasons() == ["deescalated"]
