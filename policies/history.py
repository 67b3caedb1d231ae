"""The history of a ticket as rule 2 reads it: who acted, replies, customer messages, and counts of what
people did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from policies.model import Act, Change, Counts, Instant, Message, Status, Ticket, Value, Who
from policies.state import Wrote

Fact = Message | Change

OVER = frozenset({Status.SOLVED, Status.CLOSED})
OPENING = 1
"""How many seconds after the creation the opening message may be stamped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to a ticket, oldest first. Of one audit, messages come before changes, the status last.

    `opening` is the message that made the ticket, `newest` the sequence of the newest fact, -1 if there is none;
    `by_field` has the real changes of each field. These three are told by the facts.
    """

    facts: tuple[Fact, ...]
    created: Instant
    requester: str | None
    reply_kinds: frozenset[str]
    acknowledging_tags: frozenset[str] = frozenset()
    assignment_acknowledges: bool = True
    opening: Message | None = field(init=False, repr=False, compare=False)
    newest: int = field(init=False, repr=False, compare=False)
    by_field: Mapping[str, Sequence[Change]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_field: dict[str, list[Change]] = {}
        first: Message | None = None
        for fact in self.facts:
            if isinstance(fact, Change):
                if fact.before != fact.after:
                    by_field.setdefault(fact.field, []).append(fact)
            elif first is None:
                first = fact
        opens = first is not None and first.act.at <= self.created + OPENING
        object.__setattr__(self, "opening", first if opens else None)
        object.__setattr__(self, "newest", max((fact.act.sequence for fact in self.facts), default=-1))
        object.__setattr__(self, "by_field", by_field)

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
        # the vendor's order; within one audit the messages, then the changes, then the change of status
        status = [each for each in ticket.changes if each.field == "status"]
        others = (each for each in ticket.changes if each.field != "status")
        return cls(
            facts=tuple(sorted((*ticket.messages, *others, *status), key=attrgetter("act.sequence"))),
            created=ticket.created,
            requester=ticket.requester.id if ticket.requester else None,
            reply_kinds=counts_as_reply or frozenset({"public"}),
            acknowledging_tags=acknowledging_tags,
            assignment_acknowledges=assignment_acknowledges,
        )

    def is_opening(self, message: Message) -> bool:
        """Whether this message made the ticket."""
        return message is self.opening

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
        return by_agent and not message.auto_reply and message is not self.opening

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
        return not self.acknowledging_tags.isdisjoint(tags(change.after) - tags(change.before))

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
        act = change.act
        took = change.field == "assignee" and change.after == act.person and change.before != change.after
        return took and act.person is not None and act.who is Who.AGENT

    def acknowledges(self, fact: Fact, after: int) -> bool:
        """Whether a human agent took up the ticket behind this sequence, in the order of events (rule 10)."""
        if fact.act.sequence <= after:
            return False
        if isinstance(fact, Message):
            return self.is_agents(fact)
        return self.takes(fact) or self.adds_acknowledging_tag(fact)

    def changes(self, field: str) -> Sequence[Change]:
        """The real changes of a field, oldest first; the same value set again is none."""
        return self.by_field.get(field, ())

    def sequence_at(self, at: Instant) -> int:
        """The sequence of the newest fact no later than this instant, -1 if there is none. For starts that no
        fact tells, such as an SLA target's."""
        return max((fact.act.sequence for fact in self.facts if fact.act.at <= at), default=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one policy sees of one ticket: `ticket` with its own writes hidden, and the history behind it.

    `own` are the episodes whose writes are not seen, `wrote` what was their part of them; `matching_since` is when
    `when` was first seen to hold, `touched` the newest change by anybody but us where nobody tells who made it.
    """

    ticket: Ticket
    history: History
    own: frozenset[str] = frozenset()
    wrote: tuple[Wrote, ...] = ()
    matching_since: Instant | None = None
    touched: Instant | None = None

    def is_own(self, change: Change) -> bool:
        """Whether the policy does not see this change, because its running episode asked for it."""
        return is_part_of(change, self.own, self.wrote)


def is_part_of(change: Change, own: frozenset[str], wrote: tuple[Wrote, ...]) -> bool:
    """Whether these episodes asked for this change. Of a write that was made for several, each owns its part only."""
    if change.act.who is not Who.OURS or own.isdisjoint(change.act.episodes):
        return False
    mine = (each for each in wrote if each.field == change.field)
    return any(each.fact == change.act.id or each.after == change.after for each in mine)


def tags(value: Value) -> frozenset[str]:
    """A list of tags, as it stands in a change, as a set."""
    return frozenset(value) if isinstance(value, tuple) else frozenset()


def leaves_over(change: Change) -> bool:
    """Whether a change of status reopens a solved or closed ticket."""
    return change.before in OVER and change.after not in OVER


def enters(change: Change, status: Status) -> bool:
    """Whether a change of status sets this one."""
    return change.after == status and change.before != status


PEOPLE = frozenset({Who.AGENT, Who.CUSTOMER})
PUBLIC = frozenset({"public"})


def counted(ticket: Ticket) -> Counts:
    """All counts, from a ticket whose messages and changes are loaded."""
    history = History.of(ticket, PUBLIC)
    reassignments, bounces = moves_of(ticket.changes, "assignee")
    group_moves, group_bounces = moves_of(ticket.changes, "group")
    return Counts(
        replies=sum(map(history.is_reply, history.facts)),
        reopens=sum(map(is_reopening, ticket.changes)),
        reassignments=reassignments,
        bounces=bounces,
        group_moves=group_moves,
        group_bounces=group_bounces,
    )


def moves_of(changes: Iterable[Change], field: str) -> tuple[int, int]:
    """How often people moved a ticket from one assignee, or group, to another, and how often back to the one before
    last, both brought by people. That nobody had it in between does not count."""
    moves = [each for each in changes if each.field == field and each.before != each.after]
    moved = sum(None not in (each.before, each.after) and each.act.who in PEOPLE for each in moves)
    held: list[tuple[Value, bool]] = [(moves[0].before, False)] if moves and moves[0].before else []
    for move in moves:
        if move.after is not None and (not held or held[-1][0] != move.after):
            held.append((move.after, move.act.who in PEOPLE))
    triples = zip(held, held[1:], held[2:], strict=False)
    return moved, sum(first[0] == last[0] and middle[1] and last[1] for first, middle, last in triples)


def is_reopening(change: Change) -> bool:
    """Whether a person took the ticket back out of solved."""
    return change.field == "status" and leaves_over(change) and change.act.who in PEOPLE


Receipts = Mapping[str, frozenset[str]]
"""A vendor's fact id, a revision (`by_revision`), or the mark of one of our writes, to the keys of the episodes that
asked for it."""


def by_revision(revision: str) -> str:
    """The name, as in `Act.id`, of whatever made this revision, where the helpdesk tells no facts."""
    return f"revision {revision}"


def with_moves(new: Ticket, old: Ticket | None) -> Ticket:
    """Where actors are hidden, the ticket with what two readings of it show of its assignee: the moves that `old` knew,
    and one by nobody knows whom if somebody else has the ticket now."""
    if old is None or not new.actors_hidden:
        return new
    acts = [*(each.act for each in new.messages), *(each.act for each in new.changes)]
    told = [each for each in acts if not each.id.startswith(by_revision(""))]

    def behind(act: Act) -> Act:
        """Behind all that is no later: a history that is read afterwards tells of more, our own writes too."""
        earlier = (each.sequence for each in told if each.at <= act.at)
        return replace(act, sequence=max(act.sequence, 1 + max(earlier, default=0)))

    moves = [
        replace(each, act=behind(each.act))
        for each in old.changes
        if each.field == "assignee" and each.act.id.startswith(by_revision(""))
    ]
    before, after = (each.assignee.id if each.assignee else None for each in (old, new))
    if before != after and "assignee" not in old.hidden | new.hidden:
        at = 1 + max((each.act.sequence for each in moves), default=0)
        act = Act(sequence=at, id=by_revision(new.revision), at=new.updated, who=Who.UNKNOWN)
        moves.append(Change(act=behind(act), field="assignee", before=before, after=after))
    ours = {each.act.id for each in moves}
    kept = (each for each in new.changes if each.act.id not in ours)
    return replace(new, changes=tuple(sorted((*kept, *moves), key=lambda each: each.act.sequence)))


def recognise(ticket: Ticket, receipts: Receipts) -> Ticket:
    """The ticket with every act by BOT settled as OURS, with its episodes, or AUTOMATION, and an UNKNOWN one as OURS if
    we have a receipt for it. Where actors are hidden, `touched` says whether somebody else made this revision."""
    ours = by_revision(ticket.revision) in receipts
    touched = ticket.updated if ticket.actors_hidden and not ours else None
    acts = chain((each.act for each in ticket.messages), (each.act for each in ticket.changes))
    if ticket.touched == touched and UNSETTLED.isdisjoint(act.who for act in acts):
        return ticket
    return replace(
        ticket,
        messages=tuple(with_settled(each, receipts) for each in ticket.messages),
        changes=tuple(with_settled(each, receipts) for each in ticket.changes),
        touched=touched,
    )


UNSETTLED = frozenset({Who.BOT, Who.UNKNOWN})
"""Who an adapter could not tell."""

F = TypeVar("F", Message, Change)


def with_settled(fact: F, receipts: Receipts) -> F:
    """The fact as a rule may meet it; most are so already."""
    act = settled(fact.act, receipts)
    return fact if act is fact.act else replace(fact, act=act)


def settled(act: Act, receipts: Receipts) -> Act:
    """The act as a rule may meet it."""
    if act.who not in UNSETTLED:
        return act
    episodes = receipts.get(act.id) or receipts.get(act.mark or "") or frozenset()
    if episodes:
        return replace(act, who=Who.OURS, episodes=episodes)
    return act if act.who is Who.UNKNOWN else replace(act, who=Who.AUTOMATION, unreceipted=True)
