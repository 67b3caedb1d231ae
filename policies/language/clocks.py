"""Every clock that a policy can count on, in one table: what it means, what it reads, in words, and where it starts,
or why it is absent (rules 1 and 2)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from policies.history import OVER, Fact, History, Sight, enters, leaves_over
from policies.model import Change, Instant, Metric, Need, Phrase, Ticket

UNTOLD = Phrase("this helpdesk does not tell what was changed")
HIDDEN = "hidden from this user"

PAUSES_READ = frozenset({"status", "changes"})
"""What `pause_on` reads, in the words of `Ticket.hidden`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A clock as read. `start` may be None on a deadline whose helpdesk never tells it; `due` is the deadline's.

    `sequence` is that of the fact which started the clock, if a fact did. `achieved` says that the target was
    met. `wait` is the sequence of the customer message that a target without a start belongs to. `look_again` is when
    a target that is null right after a write should be read again.
    """

    start: Instant | None = None
    sequence: int | None = None
    because: Phrase | None = None
    why_absent: Phrase | None = None
    due: Instant | None = None
    achieved: bool = False
    wait: int | None = None
    look_again: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock. `phrase` says what it has counted, `cause` what a report calls an escalation by it, `absent` when
    nothing fires.

    `reads` is what of a ticket it reads, in the words of `Ticket.hidden`, `needs` what must be loaded beyond the
    ticket's own row. A deadline has a `metric`; then `start` is that of a target of an `[sla]` table, which reads
    `table_reads`. `pausable` says whether `pause_on` can stop it.
    """

    name: str
    meaning: str
    absent: str
    phrase: str
    cause: str
    reads: frozenset[str]
    start: Callable[[Sight], Reading] = field(compare=False, repr=False)
    metric: Metric | None = None
    table_reads: frozenset[str] = frozenset()
    pausable: bool = True

    @property
    def needs(self) -> frozenset[Need]:
        """What must be loaded to read it, and to see replies, stops and acknowledgements."""
        told = frozenset({Need.MESSAGES, Need.CHANGES})
        return told | {Need.TARGETS} if self.metric else told


def veiled(ticket: Ticket, names: frozenset[str]) -> Reading | None:
    """The absent clock of a ticket of which the helpdesk does not show one of these."""
    lost = sorted(names & ticket.hidden)
    return Reading(why_absent=Phrase(f"{{}} {HIDDEN}", (tuple(lost),))) if lost else None


def created(sight: Sight) -> Reading:
    if hidden := veiled(sight.ticket, frozenset({"created"})):
        return hidden
    opening = next(iter(sight.history.facts), None)
    sequence = opening.act.sequence if opening and belongs_to_creation(opening, sight.history) else -1
    return Reading(start=sight.ticket.created, sequence=sequence, because=Phrase("the ticket was created"))


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
        return Reading(why_absent=Phrase("no customer is waiting for a reply"))
    return started_by(
        since, Phrase("the customer wrote" if history.is_customers(since) else "the ticket was reopened")
    )


def since_agent_reply(sight: Sight) -> Reading:
    replies = [fact for fact in sight.history.facts if sight.history.is_reply(fact)]
    if not replies:
        return Reading(why_absent=Phrase("no agent has replied yet"))
    return started_by(replies[-1], Phrase("an agent replied"))


def assignee_silent(sight: Sight) -> Reading:
    """Restarts with each change of the assignee that is not this episode's, and with each act of whoever has
    the ticket then."""
    if sight.ticket.assignee is None:
        return Reading(why_absent=Phrase("nobody is assigned"))
    if Need.CHANGES not in sight.ticket.loaded:
        return Reading(why_absent=UNTOLD)
    history = sight.history
    moves = list(history.changes("assignee"))
    holder = moves[0].before if moves else sight.ticket.assignee.id
    reading = created_with_assignee(sight)
    for fact in history.facts:
        if isinstance(fact, Change) and fact.field == "assignee" and fact.before != fact.after:
            holder = fact.after
            reading = reading if sight.is_own(fact) else started_by(fact, Phrase("the assignee changed"))
        elif fact.act.person == holder and holder is not None and history.is_human(fact):
            reading = started_by(fact, Phrase("the assignee last acted"))
    return reading


def created_with_assignee(sight: Sight) -> Reading:
    """The start for an assignee who was there from the creation on."""
    return replace(created(sight), because=Phrase("the ticket was created with its assignee"))


def in_status(sight: Sight) -> Reading:
    """The helpdesk's own word on since when counts only where the history does not tell."""
    status = sight.ticket.status
    entered = [each for each in sight.history.changes("status") if enters(each, status)]
    entered = [each for each in entered if not sight.is_own(each)]
    if entered:
        return started_by(entered[-1], Phrase("the status became {}", (status,)))
    if sight.ticket.status_since is not None:
        return Reading(start=sight.ticket.status_since, because=Phrase("the status became {}", (status,)))
    if Need.CHANGES not in sight.ticket.loaded:
        return Reading(why_absent=UNTOLD)
    if hidden := veiled(sight.ticket, frozenset({"changes"})):
        return hidden
    return replace(created(sight), because=Phrase("the ticket was created as {}", (status,)))


def untouched(sight: Sight) -> Reading:
    """Where nobody tells who made a change, any that is not ours touches the ticket."""
    acts = [fact for fact in sight.history.facts if sight.history.touches(fact)]
    reading = started_by(acts[-1], Phrase("a person last acted")) if acts else created(sight)
    if sight.touched is not None and (reading.start is None or reading.start < sight.touched):
        return Reading(start=sight.touched, because=Phrase("somebody last changed the ticket"))
    return reading


def matching(sight: Sight) -> Reading:
    start = sight.ticket.updated if sight.matching_since is None else sight.matching_since
    return Reading(start=start, because=Phrase("the ticket was first seen to match"))


def started_by(fact: Fact, because: Phrase) -> Reading:
    """A clock that this fact started."""
    return Reading(start=fact.act.at, sequence=fact.act.sequence, because=because)


def first_reply(sight: Sight) -> Reading:
    """From the first customer message to the first qualifying reply after it."""
    history = sight.history
    asked = next((fact for fact in history.facts if history.is_customers(fact)), None)
    if asked is None:
        return Reading(why_absent=Phrase("no customer has written yet"))
    if replied_after(sight, asked.act.sequence):
        return Reading(why_absent=Phrase("the first reply is given"), achieved=True)
    return started_by(asked, Phrase("the customer first wrote"))


def next_reply(sight: Sight) -> Reading:
    """The customer's wait, once the first reply was given."""
    waiting = customer_waiting(sight)
    if waiting.why_absent is None and first_reply(sight).why_absent is None:
        return Reading(why_absent=Phrase("the first reply is not given yet"))
    return waiting


def resolution(sight: Sight) -> Reading:
    """From the creation until the ticket is solved; a reopening changes nothing about the start."""
    if sight.ticket.status in OVER:
        return Reading(why_absent=Phrase("the ticket is {}", (sight.ticket.status,)))
    return created(sight)


def replied_after(sight: Sight, sequence: int) -> bool:
    """Whether a qualifying reply came after this fact."""
    facts = sight.history.facts
    return any(sight.history.is_reply(fact) and fact.act.sequence > sequence for fact in facts)


TABLE = (
    Clock(
        name="created",
        meaning="From the creation of the ticket.",
        absent="while it is hidden from Uptier's user, as every clock is whose facts are",
        phrase="open for {}",
        cause="open since its creation",
        reads=frozenset({"created"}),
        start=created,
    ),
    Clock(
        name="customer_waiting",
        meaning="From the customer's first message that nobody has answered yet.",
        absent="while nobody waits",
        phrase="customer waiting for {}",
        cause="customer waiting",
        reads=frozenset({"messages"}),
        start=customer_waiting,
        pausable=False,
    ),
    Clock(
        name="since_agent_reply",
        meaning="From the last reply of an agent.",
        absent="before the first reply",
        phrase="last agent reply was {} ago",
        cause="silent since the agent's reply",
        reads=frozenset({"messages"}),
        start=since_agent_reply,
    ),
    Clock(
        name="assignee_silent",
        meaning="From the assignment, and from each act of the assignee.",
        absent="while nobody is assigned",
        phrase="assignee silent for {}",
        cause="assignee silent",
        reads=frozenset({"assignee", "changes", "messages"}),
        start=assignee_silent,
    ),
    Clock(
        name="in_status",
        meaning="From entering the present status.",
        absent="never",
        phrase="in this status for {}",
        cause="too long in one status",
        reads=frozenset({"status"}),
        start=in_status,
    ),
    Clock(
        name="untouched",
        meaning="From the newest act of a person, agent or customer.",
        absent="never",
        phrase="untouched for {}",
        cause="untouched",
        reads=frozenset({"messages", "changes"}),
        start=untouched,
    ),
    Clock(
        name="matching",
        meaning="From the first look at which the conditions held.",
        absent="while they do not hold",
        phrase="matching for {}",
        cause="conditions held",
        reads=frozenset(),
        start=matching,
    ),
    Clock(
        name="first_reply",
        meaning="The deadline for the first reply.",
        absent="while it is paused, achieved or unknown",
        phrase="first reply {}",
        cause="first reply due",
        reads=frozenset({"targets"}),
        start=first_reply,
        metric=Metric.FIRST_REPLY,
        table_reads=frozenset({"messages", "priority"}),
        pausable=False,
    ),
    Clock(
        name="next_reply",
        meaning="The deadline for the next reply.",
        absent="while it is paused, achieved or unknown",
        phrase="next reply {}",
        cause="next reply due",
        reads=frozenset({"targets"}),
        start=next_reply,
        metric=Metric.NEXT_REPLY,
        table_reads=frozenset({"messages", "priority"}),
        pausable=False,
    ),
    Clock(
        name="resolution",
        meaning="The deadline for the resolution.",
        absent="while it is paused, achieved or unknown",
        phrase="resolution {}",
        cause="resolution due",
        reads=frozenset({"targets"}),
        start=resolution,
        metric=Metric.RESOLUTION,
        table_reads=frozenset({"created", "status", "priority"}),
        pausable=False,
    ),
)

CLOCKS: dict[str, Clock] = {each.name: each for each in TABLE}
