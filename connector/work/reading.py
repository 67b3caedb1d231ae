"""Reads, repeated when the vendor asks to come back shortly. A write is never repeated here."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from adapters.base import TryLater
from connector.clock import Clock
from policies.model import Seconds

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE: Seconds = 20  # a thread that waits longer than this is missed elsewhere
FIRST_WAIT = 0.5
TRIES = 5


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
            return state.attempt_number >= TRIES or spent + state.upcoming_sleep > PATIENCE

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
