"""Only our share of the vendor's requests is used, deadlines come before back-fill, a pause is kept."""

from collections import Counter
from contextlib import suppress
from threading import Thread

import pytest

from adapters.base import Gate, Limit, TryLater
from connector.clock import ManualClock
from connector.work.budget import Budget, Lane

START = 1_764_000_000


def limit(bucket: str = "account", total: int = 100, remaining: int = 99, **more: int) -> Limit:
    return Limit(bucket=bucket, total=total, remaining=remaining, window=60, **more)


def count_until_refused(budget: Budget, *buckets: str, most: int = 1_000) -> tuple[int, TryLater]:
    """How many requests are let through at this instant, and the refusal after them."""
    for sent in range(most):
        try:
            budget.enter(buckets)
        except TryLater as refused:
            return sent, refused
    raise AssertionError(f"{most} requests and no refusal")


def at_once(clock: ManualClock, share: float = 0.5) -> Budget:
    """A budget that never waits, only refuses."""
    return Budget("acme", share, clock, patience={"deadline": 0, "backfill": 0})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def budget(clock: ManualClock) -> Budget:
    made = at_once(clock)
    made.learn((limit(),))
    return made


def test_it_is_a_gate(budget: Budget) -> None:
    gate: Gate = budget
    gate.enter(("account",))


def test_only_our_share_is_used_and_the_wait_is_exact(budget: Budget, clock: ManualClock) -> None:
    budget.enter(("account",))
    clock.advance(10)
    sent, refused = count_until_refused(budget, "account")
    assert sent == 49
    assert refused.wait == 51, "a second more, because now() is rounded down"
    clock.advance(50)
    with pytest.raises(TryLater):
        budget.enter(("account",))
    clock.advance(1)
    assert count_until_refused(budget, "account")[0] == 1


def test_no_window_however_it_lies_holds_more_than_our_share(budget: Budget, clock: ManualClock) -> None:
    sent_at: list[int] = []
    for _ in range(200):
        try:
            while True:
                budget.enter(("account",))
                sent_at.append(clock.now())
        except TryLater:
            clock.advance(7)
    assert max(sum(1 for at in sent_at if start <= at < start + 60) for start in sent_at) == 50


def test_backfill_leaves_room_for_deadlines(budget: Budget, clock: ManualClock) -> None:
    with budget.lane("backfill"):
        assert count_until_refused(budget, "account")[0] == 35
    assert count_until_refused(budget, "account")[0] == 14
    clock.advance(122)
    assert count_until_refused(budget, "account")[0] == 50, "nobody back-fills, so nothing is spared"


def test_what_deadlines_used_counts_for_backfill_too(budget: Budget) -> None:
    for _ in range(40):
        budget.enter(("account",))
    with budget.lane("backfill"):
        assert count_until_refused(budget, "account")[0] == 1, "what deadlines spare, not 35"


def test_the_lane_ends_with_its_block_and_is_not_another_threads(budget: Budget) -> None:
    for _ in range(36):
        budget.enter(("account",))
    with budget.lane("backfill"):
        count_until_refused(budget, "account")
    refused: list[bool] = []

    def ask() -> None:
        try:
            budget.enter(("account",))
        except TryLater:
            refused.append(True)
        else:
            refused.append(False)

    with budget.lane("backfill"):
        ask()
        other = Thread(target=ask)
        other.start()
        other.join()
    ask()
    assert refused == [True, False, False]


def test_a_bucket_that_refuses_takes_nothing_from_the_others(budget: Budget, clock: ManualClock) -> None:
    budget.learn((limit("search", total=4),))
    assert count_until_refused(budget, "account", "search")[0] == 2
    assert count_until_refused(budget, "account")[0] == 48


def test_nothing_is_withheld_before_the_vendor_has_told(clock: ManualClock) -> None:
    unknown = at_once(clock)
    for _ in range(500):
        unknown.enter(("account",))


@pytest.mark.parametrize("told", [limit(total=0), Limit(bucket="account", total=5, remaining=0, window=0)])
def test_a_limit_that_makes_no_sense_is_passed_over(told: Limit, clock: ManualClock) -> None:
    budget = at_once(clock)
    budget.learn((told,))
    budget.enter(("account",))


def test_the_smallest_share_is_one_request(clock: ManualClock) -> None:
    budget = at_once(clock, 0.01)
    budget.learn((limit(total=10),))
    with budget.lane("backfill"):
        assert count_until_refused(budget, "account")[0] == 1


def test_when_others_have_used_all_we_wait_for_the_reset(budget: Budget, clock: ManualClock) -> None:
    budget.learn((limit(remaining=0, resets_in=17),))
    assert count_until_refused(budget, "account")[1].wait == 17
    clock.advance(17)
    budget.enter(("account",))


def test_without_a_reset_an_empty_budget_is_asked_again_when_its_window_is_over(
    budget: Budget, clock: ManualClock
) -> None:
    clock.advance(70)
    budget.learn((limit(remaining=60),))
    clock.advance(20)
    budget.learn((limit(remaining=0),))
    assert count_until_refused(budget, "account")[1].wait == 40
    budget.learn((limit(remaining=2),))  # an answer that was overtaken begins no window
    budget.learn((limit(remaining=0),))
    clock.advance(40)
    budget.enter(("account",))
    budget.learn((limit(remaining=99),))
    budget.learn((limit(remaining=0),))
    assert count_until_refused(budget, "account")[1].wait == 60


def test_the_vendors_last_requests_are_not_for_backfill(budget: Budget) -> None:
    budget.learn((limit(remaining=15, resets_in=30),))
    with budget.lane("backfill"):
        assert count_until_refused(budget, "account")[0] == 1, "what deadlines spare"
    budget.enter(("account",))


def test_a_pause_holds_its_bucket_and_the_longest_counts(budget: Budget, clock: ManualClock) -> None:
    budget.hold("incremental", 30)
    budget.hold("incremental", 5)
    budget.enter(("account",))
    with pytest.raises(TryLater) as refused:
        budget.enter(("account", "incremental"))
    assert refused.value.wait == 31, "a second more, because now() is rounded down"
    clock.advance(31)
    budget.enter(("account", "incremental"))


def test_under_any_load_the_share_is_used_and_both_lanes_go_on(clock: ManualClock) -> None:
    """Ten times what may be sent is asked for during ten minutes, in both lanes."""
    budget = at_once(clock)
    budget.learn((limit(total=200),))
    sent: list[tuple[int, Lane]] = []
    for _ in range(600):
        for lane in ("deadline", "backfill") * 8:
            with budget.lane(lane), suppress(TryLater):
                budget.enter(("account",))
                sent.append((clock.now(), lane))
        clock.advance(1)
    minutes = range(START, START + 540)
    assert max(sum(start <= at < start + 60 for at, _ in sent) for start in minutes) <= 100
    assert len(sent) >= 0.95 * 100 * 10
    counted = Counter(lane for _, lane in sent)
    assert counted["deadline"] > counted["backfill"] >= 0.02 * len(sent)


def test_a_thread_waits_for_room_so_that_what_it_read_is_not_thrown_away(clock: ManualClock) -> None:
    budget = Budget("acme", 0.5, clock)
    budget.learn((limit(),))
    for _ in range(200):
        budget.enter(("account",))
    assert clock.now() == START + 3 * 61


def test_backfill_gives_its_place_to_others_instead(clock: ManualClock) -> None:
    budget = Budget("acme", 0.5, clock)
    budget.learn((limit(),))
    with budget.lane("backfill"):
        assert count_until_refused(budget, "account")[1].wait == 61


def test_a_limit_told_once_holds_nobody_up_behind_its_reset(clock: ManualClock) -> None:
    """ServiceNow tells a rule with each answer that it is about; one that is gone is told no more."""
    budget = at_once(clock)
    for _ in range(300):
        budget.enter(("account",))
    budget.learn((Limit(bucket="account", total=100, remaining=0, window=3600, resets_in=2),))
    with pytest.raises(TryLater):
        budget.enter(("account",))
    clock.advance(3)
    budget.enter(("account",))
    budget.learn((Limit(bucket="account", total=100, remaining=99, window=3600, resets_in=3600),))
    assert count_until_refused(budget, "account")[0] == 49, "and what is told anew counts at once"
