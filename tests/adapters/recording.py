"""A clock moved by hand, and a gate that remembers, for the adapters' own tests."""

from dataclasses import dataclass, field

from adapters.base import Limit

START = 1_790_000_000


class Clock:
    """The helpdesk's time, moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


@dataclass
class Ledger:
    """A gate that lets everything through and remembers."""

    entered: list[tuple[str, ...]] = field(default_factory=list)
    learned: list[Limit] = field(default_factory=list)
    held: list[tuple[str, int]] = field(default_factory=list)

    def enter(self, buckets: tuple[str, ...]) -> None:
        self.entered.append(buckets)

    def learn(self, limits: tuple[Limit, ...]) -> None:
        self.learned.extend(limits)

    def hold(self, bucket: str, wait: int) -> None:
        self.held.append((bucket, wait))
