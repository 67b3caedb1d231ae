"""Where each clock starts, or why it is absent. Clocks only read the history; calendars measure from there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from policies.facts import OVER, Fact, History, enters, leaves_over
from policies.memory import Wrote
from policies.model import Change, Instant, Need, Ticket, Who

UNTOLD = "this helpdesk does not tell what was changed"
HIDDEN = "hidden from this user"

READS: Mapping[str, frozenset[str]] = {
    "created": frozenset({"created"}),
    "customer_waiting": frozenset({"messages"}),
    "since_agent_reply": frozenset({"messages"}),
    "assignee_silent": frozenset({"assignee", "changes", "messages"}),
    "in_status": frozenset({"status"}),
    "untouched": frozenset({"messages", "changes"}),
    "matching": frozenset(),
    "first_reply": frozenset({"targets"}),
    "next_reply": frozenset({"targets"}),
    "resolution": frozenset({"targets"}),
}
"""What of a ticket each clock reads, in the words of `Ticket.hidden`."""

PAUSES_READ = frozenset({"status", "changes"})
"""What `pause_on` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A clock as read. `start` may be None on a deadline whose helpdesk never tells it; `due` is the deadline's.

    `sequence` is that of the fact which started the clock, if a fact did. `achieved` says that the target was
    met. `wait` is the sequence of the customer message that a target without a start belongs to. `look_again` is when
    a target that is null right after a write should be read again.
    """

    start: Instant | None = None
    sequence: int | None = None
    because: str = ""
    why_absent: str | None = None
    due: Instant | None = None
    achieved: bool = False
    wait: int | None = None
    look_again: Instant | None = None


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


def veiled(ticket: Ticket, names: frozenset[str]) -> Reading | None:
    """The absent clock of a ticket of which the helpdesk does not show one of these."""
    lost = sorted(names & ticket.hidden)
    return Reading(why_absent=f"{' and '.join(lost)} {HIDDEN}") if lost else None


def created(sight: Sight) -> Reading:
    if hidden := veiled(sight.ticket, READS["created"]):
        return hidden
    opening = next(iter(sight.history.facts), None)
    sequence = opening.act.sequence if opening and belongs_to_creation(opening, sight.history) else -1
    return Reading(start=sight.ticket.created, sequence=sequence, because="the ticket was created")


def belongs_to_creation(fact: Fact, history: History) -> bool:
    """Whether the first fact is the creation itself."""
    return fact.act.at <= history.created or (not isinstance(fact, Change) and history.is_opening(fact))


def customer_waiting(sight: Sight) -> Reading:
    """A wait begins with a customer message, ends with a qualifying reply or solving, and may begin again at a
    reopening: if a message was unanswered when the ticket was solved, and still is."""
    since: Fact | None = None
    unanswered = False
    history = sight.history
    for fact in history.facts:
        if history.is_customers(fact):
            since = since or fact
        elif history.is_reply(fact):
            since, unanswered = None, False
        elif isinstance(fact, Change) and fact.field == "status":
            if leaves_over(fact):
                since = since or (fact if unanswered else None)
            elif fact.after in OVER:
                since, unanswered = None, unanswered or since is not None
    if since is None:
        return Reading(why_absent="no customer is waiting for a reply")
    return started_by(
        since, "the customer wrote" if history.is_customers(since) else "the ticket was reopened"
    )


def since_agent_reply(sight: Sight) -> Reading:
    replies = [fact for fact in sight.history.facts if sight.history.is_reply(fact)]
    if not replies:
        return Reading(why_absent="no agent has replied yet")
    return started_by(replies[-1], "an agent replied")


def assignee_silent(sight: Sight) -> Reading:
    """Restarts with each change of the assignee that is not this episode's, and with each act of whoever has
    the ticket then."""
    if sight.ticket.assignee is None:
        return Reading(why_absent="nobody is assigned")
    if Need.CHANGES not in sight.ticket.loaded:
        return Reading(why_absent=UNTOLD)
    history = sight.history
    moves = list(history.changes("assignee"))
    holder = moves[0].before if moves else sight.ticket.assignee.id
    reading = created_with_assignee(sight)
    for fact in history.facts:
        if isinstance(fact, Change) and fact.field == "assignee" and fact.before != fact.after:
            holder = fact.after
            reading = reading if sight.is_own(fact) else started_by(fact, "the assignee changed")
        elif fact.act.person == holder and holder is not None and history.is_human(fact):
            reading = started_by(fact, "the assignee last acted")
    return reading


def created_with_assignee(sight: Sight) -> Reading:
    """The start for an assignee who was there from the creation on."""
    return replace(created(sight), because="the ticket was created with its assignee")


def in_status(sight: Sight) -> Reading:
    """The helpdesk's own word on since when counts only where the history does not tell."""
    status = sight.ticket.status
    entered = [each for each in sight.history.changes("status") if enters(each, status)]
    entered = [each for each in entered if not sight.is_own(each)]
    if entered:
        return started_by(entered[-1], f"the status became {status}")
    if sight.ticket.status_since is not None:
        return Reading(start=sight.ticket.status_since, because=f"the status became {status}")
    if Need.CHANGES not in sight.ticket.loaded:
        return Reading(why_absent=UNTOLD)
    if hidden := veiled(sight.ticket, frozenset({"changes"})):
        return hidden
    return replace(created(sight), because=f"the ticket was created as {status}")


def untouched(sight: Sight) -> Reading:
    """Where nobody tells who made a change, any that is not ours touches the ticket."""
    acts = [fact for fact in sight.history.facts if sight.history.touches(fact)]
    reading = started_by(acts[-1], "a person last acted") if acts else created(sight)
    if sight.touched is not None and (reading.start is None or reading.start < sight.touched):
        return Reading(start=sight.touched, because="somebody last changed the ticket")
    return reading


def matching(sight: Sight) -> Reading:
    start = sight.ticket.updated if sight.matching_since is None else sight.matching_since
    return Reading(start=start, because="the ticket was first seen to match")


def started_by(fact: Fact, because: str) -> Reading:
    """A clock that this fact started."""
    return Reading(start=fact.act.at, sequence=fact.act.sequence, because=because)


CLOCKS: Mapping[str, Callable[[Sight], Reading]] = {
    clock.__name__: clock
    for clock in (
        created,
        customer_waiting,
        since_agent_reply,
        assignee_silent,
        in_status,
        untouched,
        matching,
    )
}
"""Every clock that is not a deadline, by the name a policy says."""
