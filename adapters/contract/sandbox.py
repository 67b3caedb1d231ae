"""What the contract asks of a simulated helpdesk, and a gate that remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from adapters.base import HookRequest, Limit, TryLater
from adapters.contract.ticket import OneTicket
from policies.model import Seconds, TicketRef


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


class Sandbox(OneTicket, Protocol):
    """A simulated helpdesk. `agent` is the label of somebody in the group `second`, which is not the ticket's; `gate`
    is the one the adapter was made with; `custom` is a configured field and a value that it does not have."""

    gate: RecordingGate
    second: str
    agent: str
    custom: tuple[str, str]

    def open(self, subject: str) -> TicketRef:
        """A customer writes one more ticket."""

    def every_kind(self) -> Iterator[TicketRef]:
        """Tickets in every status and priority that the vendor has, the empty ones included."""

    def customer_says(self, ref: TicketRef, text: str) -> None:
        """The requester writes."""

    def agent_says(self, ref: TicketRef, text: str) -> None:
        """An agent answers in public."""

    def agent_tags(self, ref: TicketRef, tag: str) -> None:
        """An agent adds a tag; where agents cannot, an agent changes some other field."""

    def delete(self, ref: TicketRef) -> None:
        """The ticket goes away for good."""

    def drop_reply(self, *, applied: bool) -> None:
        """The next write's connection breaks; `applied` says whether the write was carried out."""

    def busy(self, wait: Seconds) -> None:
        """The next request is told to come back later."""

    def broken(self) -> None:
        """Every request is answered with an error of the server, until the test ends."""

    def refuse(self) -> None:
        """The next write breaks a rule of the helpdesk."""

    def revoke(self) -> None:
        """Our credentials are no longer good."""

    def requests(self) -> int:
        """How many requests came in so far."""

    def written(self) -> int:
        """How many writes were carried out so far."""

    def hook(self, ref: TicketRef) -> HookRequest:
        """What the helpdesk posts when the requester writes, as it comes in."""
