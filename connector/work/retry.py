"""How often a write is tried and a read repeated, and how long each rests in between. A try is a sending that the
helpdesk did not apply."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from adapters.base import TryLater
from connector.clock import Clock
from policies.model import Seconds

WAITS: tuple[Seconds, ...] = (1, 5, 15, 60, 300, 900, 1800)
"""Between the tries of one part of a level, however many looks they take."""

TRIES = len(WAITS) + 1
"""After so many a part is refused, and a human is told."""


def wait_after(tries: int) -> Seconds:
    """How long after so many tries the next one is made."""
    return WAITS[min(max(tries, 1), len(WAITS)) - 1]


P = ParamSpec("P")
R = TypeVar("R")

PATIENCE: Seconds = 20  # a thread that waits longer than this is missed elsewhere
FIRST_WAIT = 0.5
READ_TRIES = 5


class Read:
    """Calls an adapter's reading methods: `read(adapter.load, ref, needs)`. Any thread may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The call's answer. On TryLater waits exactly as long as it says and calls again.

        Raises that TryLater, so that the work is scheduled for later, after five tries or where waiting would
        bring the whole above 20 seconds.
        """
        began = self._clock.monotonic()

        def enough(state: RetryCallState) -> bool:
            spent = self._clock.monotonic() - began
            return state.attempt_number >= READ_TRIES or spent + state.upcoming_sleep > PATIENCE

        retrying = Retrying(
            retry=retry_if_exception_type(TryLater),
            wait=_wait,
            stop=enough,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(call, *args, **kwargs)


def _wait(state: RetryCallState) -> float:
    """What the vendor said; where it said nothing, twice as long each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TryLater) and error.wait > 0:
        return error.wait
    return FIRST_WAIT * float(2 ** (state.attempt_number - 1))
