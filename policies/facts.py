"""The history of a ticket as rule 2 reads it: replies, customer messages, who acted, in the vendor's order."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.model import Act, Change, Instant, Message, Status, Ticket, Value, Who

Fact = Message | Change

OVER = frozenset({Status.SOLVED, Status.CLOSED})
OPENING = 1
"""How many seconds after the creation the opening message may be stamped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a ticket, oldest first. Of one audit, messages come before changes, the status last."""

    facts: tuple[Fact, ...]
    created: Instant
    requester: str | None
    reply_kinds: frozenset[str]
    acknowledging_tags: frozenset[str] = frozenset()
    assignment_acknowledges: bool = True

    @classmethod
    def of(
        cls,
        ticket: Ticket,
        counts_as_reply: frozenset[str],
        acknowledging_tags: frozenset[str] = frozenset(),
        *,
        assignment_acknowledges: bool = True,
    ) -> "History":
        """The history with the policy's idea of what counts as a reply, and as an acknowledgement. The last says
        whether a change to an assignee by nobody knows whom is taken for that person's own doing."""
        return cls(
            facts=tuple(sorted((*ticket.messages, *ticket.changes), key=order)),
            created=ticket.created,
            requester=ticket.requester.id if ticket.requester else None,
            reply_kinds=counts_as_reply or frozenset({"public"}),
            acknowledging_tags=acknowledging_tags,
            assignment_acknowledges=assignment_acknowledges,
        )

    def is_opening(self, message: Message) -> bool:
        """Whether this message made the ticket."""
        first = next((fact for fact in self.facts if isinstance(fact, Message)), None)
        return message is first and message.act.at <= self.created + OPENING

    def is_by_requester(self, message: Message) -> bool:
        """Whether the requester wrote it, agent or not."""
        return message.act.person is not None and message.act.person == self.requester

    def is_reply(self, fact: Fact) -> bool:
        """A qualifying reply: by a human agent, of a kind that counts, and not the opening of the ticket."""
        if not isinstance(fact, Message) or not self.is_agents(fact):
            return False
        return ("public" if fact.public else "internal") in self.reply_kinds

    def is_agents(self, message: Message) -> bool:
        """A reply or note that a human agent added to the ticket, as an agent."""
        by_agent = message.act.who is Who.AGENT and not self.is_by_requester(message)
        return by_agent and not message.auto_reply and not self.is_opening(message)

    def is_customers(self, fact: Fact) -> bool:
        """A customer message: public, by a non-agent or by the requester, not an auto-reply."""
        if not isinstance(fact, Message) or not fact.public or fact.auto_reply:
            return False
        by_agent_who_asked = fact.act.who is Who.AGENT and self.is_by_requester(fact)
        return fact.act.who is Who.CUSTOMER or by_agent_who_asked

    def adds_acknowledging_tag(self, change: Change) -> bool:
        """Whether a human agent added a tag by which the policy is acknowledged."""
        if change.field != "tags" or change.act.who is not Who.AGENT:
            return False
        return not self.acknowledging_tags.isdisjoint(set(listed(change.after)) - set(listed(change.before)))

    def is_human(self, fact: Fact) -> bool:
        """Whether a person did it; an auto-reply is nobody's act."""
        if isinstance(fact, Message) and fact.auto_reply:
            return False
        return fact.act.who in (Who.AGENT, Who.CUSTOMER)

    def touches(self, fact: Fact) -> bool:
        """Whether a person did it, or somebody of whom the helpdesk does not tell who it was."""
        return self.is_human(fact) or fact.act.who is Who.UNKNOWN

    def moves_by_hand(self, fact: Fact) -> bool:
        """Whether a person changed the assignee."""
        is_move = isinstance(fact, Change) and fact.field == "assignee" and fact.before != fact.after
        unknown = fact.act.who is Who.UNKNOWN and self.assignment_acknowledges
        return is_move and (unknown or self.is_human(fact))

    def takes(self, change: Change) -> bool:
        """Whether an agent took the ticket; where nobody tells who did it, whether it was given to one."""
        if change.act.who is Who.UNKNOWN:
            return self.moves_by_hand(change) and change.after is not None
        return assigns_to_self(change)

    def changes(self, field: str) -> Iterator[Change]:
        """The real changes of a field, oldest first; the same value set again is none."""
        for fact in self.facts:
            if isinstance(fact, Change) and fact.field == field and fact.before != fact.after:
                yield fact

    def newest(self) -> int:
        """The sequence of the newest fact, -1 if there is none."""
        return max((fact.act.sequence for fact in self.facts), default=-1)

    def sequence_at(self, at: Instant) -> int:
        """The sequence of the newest fact no later than this instant, -1 if there is none. For starts that no
        fact tells, such as an SLA target's."""
        return max((fact.act.sequence for fact in self.facts if fact.act.at <= at), default=-1)


def listed(value: Value) -> tuple[str, ...]:
    """A list of tags as it stands in a change."""
    return value if isinstance(value, tuple) else ()


def order(fact: Fact) -> tuple[int, int]:
    """The vendor's order; within one audit the messages, then the changes, then the change of status."""
    if isinstance(fact, Message):
        return fact.act.sequence, 0
    return fact.act.sequence, 2 if fact.field == "status" else 1


def leaves_over(change: Change) -> bool:
    """Whether a change of status reopens a solved or closed ticket."""
    return change.before in OVER and change.after not in OVER


def enters(change: Change, status: Status) -> bool:
    """Whether a change of status sets this one."""
    return change.after == status and change.before != status


def assigns_to_self(change: Change) -> bool:
    """Whether a human agent took the ticket."""
    act: Act = change.act
    took = change.field == "assignee" and change.after == act.person and change.before != change.after
    return took and act.person is not None and act.who is Who.AGENT
