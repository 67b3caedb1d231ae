"""A read is repeated as the vendor asks, as long as a thread may wait for it."""

from collections.abc import Callable

import pytest
from tenacity import Retrying

from adapters.base import AccessLost, HelpdeskError, TryLater
from connector.clock import ManualClock
from connector.work.context import Read

START = 1_000


def answers(
    *outcomes: HelpdeskError | str,
) -> tuple[Callable[..., str], list[tuple[tuple[int, ...], dict[str, int]]]]:
    """A call that goes through the outcomes, and the arguments it was given each time."""
    left, asked = list(outcomes), []

    def call(*args: int, **kwargs: int) -> str:
        asked.append((args, kwargs))
        outcome = left.pop(0)
        if isinstance(outcome, HelpdeskError):
            raise outcome
        return outcome

    return call, asked


def test_an_answer_comes_back_at_once() -> None:
    clock = ManualClock(START)
    call, asked = answers("yes")
    assert Read(clock)(call, 1, limit=2) == "yes"
    assert asked == [((1,), {"limit": 2})]
    assert clock.now() == START


def test_the_wait_is_exactly_what_the_vendor_said() -> None:
    clock = ManualClock(START)
    call, asked = answers(TryLater("busy", 7), TryLater("busy", 13), "yes")
    assert Read(clock)(call, 1) == "yes"
    assert asked == [((1,), {})] * 3
    assert clock.monotonic() == START + 20


def test_without_a_wait_it_grows() -> None:
    clock = ManualClock(START)
    call, _ = answers(TryLater("busy", 0), TryLater("busy", 0), TryLater("busy", 0), "yes")
    assert Read(clock)(call) == "yes"
    assert clock.monotonic() == START + 0.5 + 1 + 2


@pytest.mark.parametrize("wait", [21, 301])
def test_a_wait_too_long_for_a_thread_is_for_the_caller(wait: int) -> None:
    clock = ManualClock(START)
    call, asked = answers(TryLater("busy", wait), "yes")
    with pytest.raises(TryLater) as later:
        Read(clock)(call)
    assert (later.value.wait, len(asked), clock.now()) == (wait, 1, START)


def test_patience_ends_after_twenty_seconds_in_all() -> None:
    clock = ManualClock(START)
    call, asked = answers(*[TryLater("busy", 9)] * 9)
    with pytest.raises(TryLater, match="busy"):
        Read(clock)(call)
    assert (len(asked), clock.now()) == (3, START + 18)


def test_time_spent_in_slow_answers_counts() -> None:
    clock = ManualClock(START)

    def slow() -> str:
        clock.advance(15)
        raise TryLater("timeout", 5)

    with pytest.raises(TryLater):
        Read(clock)(slow)
    assert clock.now() == START + 15 + 5 + 15


def test_five_tries_are_enough() -> None:
    call, asked = answers(*[TryLater("busy", 1)] * 9)
    with pytest.raises(TryLater):
        Read(ManualClock(START))(call)
    assert len(asked) == 5


def test_other_errors_are_not_repeated() -> None:
    call, asked = answers(AccessLost("no"), "yes")
    with pytest.raises(AccessLost):
        Read(ManualClock(START))(call)
    assert len(asked) == 1


def test_it_goes_through_tenacity(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []
    inner = Retrying.__call__

    def watched(self: Retrying, *args: object, **kwargs: object) -> object:
        used.append(self)
        return inner(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Retrying, "__call__", watched)
    call, _ = answers("yes")
    assert Read(ManualClock(START))(call) == "yes"
    assert len(used) == 1
