"""The queue's rules: once a ticket, never twice at once, urgent first, accounts in turn."""

from hypothesis import given
from hypothesis import strategies as st

from connector.engine.local import WorkQueue
from policies.model import TicketRef


def ref(text: str) -> TicketRef:
    return TicketRef.parse(text)


def taken(queue: WorkQueue, most: int = 100) -> list[str]:
    """Take what may start, and leave it under way."""
    found: list[str] = []
    while len(found) < most and (one := queue.take()):
        found.append(str(one))
    return found


def test_a_ticket_stands_in_line_once() -> None:
    queue = WorkQueue(per_account=9)
    for _ in range(3):
        queue.join(ref("a/1"), urgent=True)
        queue.offer(ref("a/1"), urgent=True)
    assert taken(queue) == ["a/1"]


def test_urgent_goes_before_back_fill_also_of_another_account() -> None:
    queue = WorkQueue(per_account=9)
    queue.join(ref("a/1"), urgent=False)
    queue.join(ref("a/2"), urgent=True)
    queue.join(ref("b/3"), urgent=True)
    assert taken(queue) == ["a/2", "b/3", "a/1"]


def test_back_fill_that_becomes_urgent_moves_up_and_stays_up() -> None:
    queue = WorkQueue(per_account=9)
    for number in ("a/1", "a/2"):
        queue.join(ref(number), urgent=False)
    queue.join(ref("a/2"), urgent=True)
    queue.join(ref("a/2"), urgent=False)
    assert taken(queue) == ["a/2", "a/1"]


def test_accounts_take_turns() -> None:
    queue = WorkQueue(per_account=9)
    for number in ("a/1", "a/2", "a/3", "b/1", "c/1"):
        queue.join(ref(number), urgent=True)
    assert taken(queue) == ["a/1", "b/1", "c/1", "a/2", "a/3"]


def test_an_account_at_its_bound_waits_and_others_go_on() -> None:
    queue = WorkQueue(per_account=2)
    for number in ("a/1", "a/2", "a/3", "b/1"):
        queue.join(ref(number), urgent=True)
    assert taken(queue) == ["a/1", "b/1", "a/2"]
    queue.done(ref("b/1"))
    assert taken(queue) == []
    queue.done(ref("a/1"))
    assert taken(queue) == ["a/3"]


def test_urgent_at_the_bound_does_not_keep_back_another_accounts_back_fill() -> None:
    queue = WorkQueue(per_account=1)
    queue.join(ref("a/1"), urgent=True)
    queue.join(ref("a/2"), urgent=True)
    queue.join(ref("b/1"), urgent=False)
    assert taken(queue) == ["a/1", "b/1"]


def test_joining_during_a_look_asks_for_one_more_after_it() -> None:
    queue = WorkQueue(per_account=9)
    queue.join(ref("a/1"), urgent=True)
    assert taken(queue) == ["a/1"]
    queue.join(ref("a/1"), urgent=False)
    queue.join(ref("a/1"), urgent=True)
    assert taken(queue) == []
    queue.join(ref("b/1"), urgent=False)
    queue.done(ref("a/1"))
    assert taken(queue) == ["a/1", "b/1"], "asked for as urgent once, so it goes first"
    queue.done(ref("a/1"))
    assert taken(queue) == []


def test_an_offer_during_a_look_is_declined() -> None:
    queue = WorkQueue(per_account=9)
    queue.join(ref("a/1"), urgent=True)
    assert taken(queue) == ["a/1"]
    queue.offer(ref("a/1"), urgent=True)
    queue.done(ref("a/1"))
    assert queue.idle()


def test_idle_is_neither_waiting_nor_under_way() -> None:
    queue = WorkQueue(per_account=9)
    assert queue.idle()
    queue.join(ref("a/1"), urgent=True)
    assert (queue.idle(), queue.waiting(), queue.running()) == (False, 1, 0)
    queue.take()
    assert (queue.idle(), queue.waiting(), queue.running()) == (False, 0, 1)
    queue.done(ref("a/1"))
    assert queue.idle()


refs = st.builds(TicketRef, st.sampled_from("abc"), st.sampled_from("123"))
steps = st.lists(
    st.tuples(st.sampled_from(["join", "offer", "take", "done"]), refs, st.booleans()), max_size=60
)


@given(steps)
def test_no_ticket_is_lost_or_under_way_twice(steps: list[tuple[str, TicketRef, bool]]) -> None:
    queue, running, owed = WorkQueue(per_account=2), list[TicketRef](), set[TicketRef]()

    def take() -> None:
        if found := queue.take():
            assert found not in running
            assert found in owed
            running.append(found)
            owed.discard(found)
            assert sum(one.account == found.account for one in running) <= 2

    for what, one, urgent in steps:
        if what == "take":
            take()
        elif what == "done" and running:
            queue.done(running.pop(0))
        elif what == "join":
            queue.join(one, urgent=urgent)
            owed.add(one)
        elif what == "offer":
            queue.offer(one, urgent=urgent)
            if one not in running:
                owed.add(one)
    for _ in range(len(owed) + len(running) + 1):
        take()
        while running:
            queue.done(running.pop())
    assert owed == set()
    assert queue.idle()


def test_the_longest_overdue_goes_first_whenever_it_came() -> None:
    queue = WorkQueue(per_account=9)
    for number, due in (("a/1", 300), ("a/2", 100), ("a/3", 200), ("a/4", 100)):
        queue.join(ref(number), urgent=False, due=due)
    queue.offer(ref("a/1"), urgent=False, due=50)
    queue.offer(ref("a/2"), urgent=False, due=900)
    assert taken(queue) == ["a/1", "a/2", "a/4", "a/3"]


def test_back_fill_that_becomes_urgent_keeps_since_when_it_is_due() -> None:
    queue = WorkQueue(per_account=9)
    queue.join(ref("a/1"), urgent=False, due=100)
    queue.join(ref("a/2"), urgent=True, due=200)
    queue.join(ref("a/1"), urgent=True, due=300)
    assert taken(queue) == ["a/1", "a/2"]
