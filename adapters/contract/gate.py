"""A gate that remembers, for the contract and for an adapter's own tests."""

from dataclasses import dataclass, field

from adapters.base import Limit, TryLater
from policies.model import Seconds


@dataclass
class RecordingGate:
    """Lets everything through and remembers it; with `closed` nothing, and says to come back after so long."""

    entered: list[tuple[str, ...]] = field(default_factory=list)
    learned: list[Limit] = field(default_factory=list)
    held: list[tuple[str, Seconds]] = field(default_factory=list)
    closed: Seconds = 0

    def enter(self, buckets: tuple[str, ...]) -> None:
        if self.closed:
            raise TryLater("the gate is closed", self.closed)
        self.entered.append(buckets)

    def learn(self, limits: tuple[Limit, ...]) -> None:
        self.learned.extend(limits)

    def hold(self, bucket: str, wait: Seconds) -> None:
        self.held.append((bucket, wait))
