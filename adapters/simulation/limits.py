"""Counting requests against limits."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Window:
    """What was used since `begun` (epoch seconds)."""

    begun: int
    used: int = 0


class Windows:
    """A window of some seconds for each name; the next begins with the first request after its end."""

    def __init__(self) -> None:
        self.windows: dict[str, Window] = {}

    def at(self, name: str, now: int, span: int, *, by_the_clock: bool = False) -> Window:
        """The window of this name that is open now; one by the clock begins at a multiple of its span."""
        window = self.windows.get(name)
        if window is None or now >= window.begun + span:
            begun = now // span * span if by_the_clock else now
            window = self.windows[name] = Window(begun=begun)
        return window
