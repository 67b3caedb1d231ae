"""How often a write is tried, and how long it rests in between. A try is a sending that the helpdesk did not
apply."""

from policies.model import Seconds

WAITS: tuple[Seconds, ...] = (1, 5, 15, 60, 300, 900, 1800)
"""Between the tries of one part of a level, however many looks they take."""

TRIES = len(WAITS) + 1
"""After so many a part is refused, and a human is told."""


def wait_after(tries: int) -> Seconds:
    """How long after so many tries the next one is made."""
    return WAITS[min(max(tries, 1), len(WAITS)) - 1]
