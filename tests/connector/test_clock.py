"""Time comes from one place and can be put into a test's hands."""

import threading
import time

import pytest

from connector.clock import Clock, ManualClock, SystemClock


def test_the_system_clock_reads_the_machine() -> None:
    clock: Clock = SystemClock()
    before = int(time.time())
    assert before <= clock.now() <= int(time.time())
    first = clock.monotonic()
    clock.sleep(-1)
    assert clock.monotonic() >= first


def test_the_system_clock_stops_waiting_when_the_event_comes() -> None:
    event = threading.Event()
    assert not SystemClock().wait(event, 0)
    event.set()
    assert SystemClock().wait(event, 60)


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(1_000)
    assert (clock.now(), clock.monotonic()) == (1_000, 1_000.0)
    clock.advance(1.5)
    clock.sleep(1)
    clock.sleep(-5)
    assert (clock.now(), clock.monotonic()) == (1_002, 1_002.5)


def test_a_manual_clock_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock(0).advance(-1)


def test_a_thread_waits_until_others_have_moved_the_time() -> None:
    clock, seen = ManualClock(0), []
    waiter = threading.Thread(target=lambda: seen.append(clock.wait(threading.Event(), 60)))
    waiter.start()
    clock.advance(59)
    waiter.join(0.05)
    assert waiter.is_alive()
    clock.advance(1)
    waiter.join(10)
    assert seen == [False]


def test_an_event_ends_the_wait_though_time_stands_still() -> None:
    event = threading.Event()
    event.set()
    assert ManualClock(0).wait(event, 60)
