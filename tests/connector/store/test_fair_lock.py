"""Turns are taken in order, the priority lane first, and one at a time."""

import threading
import time

import pytest

from connector.store.sqlite import FairLock


def queue_up(turns: FairLock, order: list[str], name: str, *, priority: bool = False) -> threading.Thread:
    """Start a thread that takes a turn, and come back once it stands in line."""
    waiting = len(turns._first) + len(turns._others)

    def take() -> None:
        with turns.turn(priority=priority):
            order.append(name)

    thread = threading.Thread(target=take, name=name)
    thread.start()
    until = time.monotonic() + 10
    while len(turns._first) + len(turns._others) == waiting:
        assert time.monotonic() < until, "the thread did not queue up"
        time.sleep(0.001)
    return thread


def test_first_come_first_served_but_for_the_priority_lane() -> None:
    turns, order = FairLock(), list[str]()
    with turns.turn():
        threads = [
            queue_up(turns, order, "first"),
            queue_up(turns, order, "second"),
            queue_up(turns, order, "receiver", priority=True),
            queue_up(turns, order, "third"),
        ]
    for thread in threads:
        thread.join(10)
    assert order == ["receiver", "first", "second", "third"]


def test_one_at_a_time() -> None:
    turns, inside, most = FairLock(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns.turn():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (inside, most) == (0, 1)


def test_a_turn_inside_a_turn_is_an_error_and_not_a_deadlock() -> None:
    turns = FairLock()
    with turns.turn(), pytest.raises(RuntimeError, match="writing already"), turns.turn():
        pass
    with turns.turn():
        pass


def test_an_exception_passes_the_turn_on() -> None:
    turns = FairLock()
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass
