"""Where each clock starts, or why it is absent, and counting from there with pauses left out (rules 1 and 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from policies.history import OVER, Fact, History, enters, leaves_over
from policies.language.policy import SlaSpec
from policies.model import Change, Instant, Metric, Need, Seconds, Stage, Target, Ticket, Who, spell
from policies.rules.calendars import ALWAYS, Calendar, Day, opening
from policies.state import Wrote

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


READ_AGAIN = (15, 30, 60)
"""Seconds after a write at which a target that was null is read again."""


def deadline(
    sight: Sight, metric: Metric, slas: tuple[SlaSpec, ...], calendars: Mapping[str, Calendar], now: Instant
) -> Reading:
    """The deadline of this metric. The vendor's own target wins, also when it is achieved."""
    targets = [each for each in sight.ticket.targets if each.metric is metric]
    if targets:
        return from_vendor(chosen(targets), sight, now)
    serving = (each for each in slas if each.serves(sight.ticket.ref.account) and metric in each.targets)
    sla = next(serving, None)
    if sla is None:
        return Reading(why_absent=f"there is no {metric} target")
    return from_table(sight, metric, sla, calendars)


def chosen(targets: list[Target]) -> Target:
    """Of several targets of one metric, the active one that is due first, else the last told."""
    active = [each for each in targets if each.stage is Stage.ACTIVE and each.due is not None]
    return min(active, key=lambda each: each.due or 0) if active else targets[-1]


def from_vendor(target: Target, sight: Sight, now: Instant) -> Reading:
    """The helpdesk's target. One that is not known yet is read again a little after the write that hid it. A target
    for the next reply belongs to the message that began the present wait."""
    metric, updated = target.metric, sight.ticket.updated
    if target.stage is Stage.ACTIVE and target.due is not None:
        wait = customer_waiting(sight).sequence if metric is Metric.NEXT_REPLY else None
        because = f"the {metric} target was set"
        return Reading(start=target.start, due=target.due, because=because, wait=wait)
    if target.stage is Stage.PAUSED:
        return Reading(why_absent=f"the {metric} target is paused")
    if target.stage is Stage.ACHIEVED:
        return Reading(why_absent=f"the {metric} target is achieved", achieved=True)
    again = next((updated + wait for wait in READ_AGAIN if updated + wait > now), None)
    return Reading(why_absent=f"the helpdesk does not tell the {metric} target now", look_again=again)


def from_table(sight: Sight, metric: Metric, sla: SlaSpec, calendars: Mapping[str, Calendar]) -> Reading:
    """The target of an `[sla]` table, for the ticket's priority."""
    if hidden := veiled(sight.ticket, TABLE_READS[metric]):
        return hidden
    started = STARTS[metric](sight)
    if started.why_absent is not None or started.start is None:
        return started
    priority = sight.ticket.priority
    if priority is None:
        return Reading(why_absent="the ticket has no priority, so no target")
    span = sla.targets.get(metric.value, {}).get(priority)
    if span is None:
        return Reading(why_absent=f"sla.{sla.name} has no {metric} target for priority {priority}")
    calendar = ALWAYS if sla.calendar is None else calendars[sla.calendar]
    due = calendar.add(started.start, span)
    return Reading(start=started.start, sequence=started.sequence, because=started.because, due=due)


def first_reply(sight: Sight) -> Reading:
    """From the first customer message to the first qualifying reply after it."""
    history = sight.history
    asked = next((fact for fact in history.facts if history.is_customers(fact)), None)
    if asked is None:
        return Reading(why_absent="no customer has written yet")
    if replied_after(sight, asked.act.sequence):
        return Reading(why_absent="the first reply is given", achieved=True)
    return Reading(start=asked.act.at, sequence=asked.act.sequence, because="the customer first wrote")


def next_reply(sight: Sight) -> Reading:
    """The customer's wait, once the first reply was given."""
    waiting = customer_waiting(sight)
    if waiting.why_absent is None and first_reply(sight).why_absent is None:
        return Reading(why_absent="the first reply is not given yet")
    return waiting


def resolution(sight: Sight) -> Reading:
    """From the creation until the ticket is solved; a reopening changes nothing about the start."""
    if sight.ticket.status in OVER:
        return Reading(why_absent=f"the ticket is {sight.ticket.status}")
    return created(sight)


def replied_after(sight: Sight, sequence: int) -> bool:
    """Whether a qualifying reply came after this fact."""
    facts = sight.history.facts
    return any(sight.history.is_reply(fact) and fact.act.sequence > sequence for fact in facts)


STARTS = {Metric.FIRST_REPLY: first_reply, Metric.NEXT_REPLY: next_reply, Metric.RESOLUTION: resolution}

TABLE_READS = {
    Metric.FIRST_REPLY: frozenset({"messages", "priority"}),
    Metric.NEXT_REPLY: frozenset({"messages", "priority"}),
    Metric.RESOLUTION: frozenset({"created", "status", "priority"}),
}
"""What of a ticket a target of an `[sla]` table reads, in the words of `Ticket.hidden`."""


SHOWN_DAYS = 14
"""How many days of a sum are written out; those in the middle of a longer one are summed in one line."""

Stretch = tuple[Instant, Instant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Time that counts on a calendar, except while the ticket was paused. `paused` are ascending; the last
    ends at `now` while the ticket is still paused. `calendars` are all there are, by name."""

    calendar: Calendar
    paused: tuple[Stretch, ...]
    now: Instant
    is_paused: bool
    calendars: Mapping[str, Calendar]

    def opens(self, name: str, at: Instant) -> Instant:
        """`at` if this calendar is open then, else when it next opens."""
        return opening(self.calendars[name], at)

    def is_open(self, name: str) -> bool:
        """Whether this calendar is open now."""
        return self.calendars[name].is_open(self.now)

    def elapsed(self, start: Instant) -> Seconds:
        """What has been counted from `start` to now."""
        return sum(self.calendar.between(*stretch) for stretch in self.running(start))

    def due(self, start: Instant, span: Seconds) -> Instant | None:
        """The first instant at which `span` has been counted; None while a pause keeps it from being known."""
        if span <= 0:
            return start
        for at, end in self.running(start):
            counted = self.calendar.between(at, end)
            if counted >= span:
                return self.calendar.add(at, span)
            span -= counted
        return None if self.is_paused else self.calendar.add(max(start, self.now), span)

    def running(self, start: Instant) -> list[Stretch]:
        """The stretches from `start` to now in which nothing was paused."""
        stretches: list[Stretch] = []
        at = start
        for pause, resume in self.paused:
            if at < pause:
                stretches.append((at, pause))
            at = max(at, resume)
        return [*stretches, (at, self.now)] if at < self.now else stretches

    def steps(self, start: Instant, because: str) -> tuple[str, ...]:
        """The sum in sentences: the start, each day, each pause, the total."""
        zone = self.calendar.timezone
        name = f" on calendar {self.calendar.name}" if self.calendar.name else ""
        first = f"counts from {moment(start, zone)}: {because}"
        days = [day for stretch in self.running(start) for day in self.calendar.days(*stretch)]
        pauses = [
            f"paused from {moment(max(pause, start), zone)} to {moment(resume, zone)}"
            for pause, resume in self.paused
            if resume > start
        ]
        total = f"counted until {moment(self.now, zone)}: {spell(self.elapsed(start))}{name}"
        return (first, *written_out(days), *pauses, total)


def pauses(ticket: Ticket, history: History, pause_on: frozenset[str], now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which the ticket stood in one of these statuses, up to now."""
    if not pause_on:
        return ()
    changes = [(each.act.at, each.before, each.after) for each in history.changes("status")]
    status = changes[0][1] if changes else ticket.status.value
    at, stretches = ticket.created, list[Stretch]()
    for change_at, _, after in (*changes, (now, None, None)):
        if status in pause_on and at < change_at:
            stretches.append((at, change_at))
        at, status = max(at, change_at), after
    return tuple(stretches)


def count(
    ticket: Ticket,
    history: History,
    pause_on: frozenset[str],
    calendar: Calendar,
    now: Instant,
    calendars: Mapping[str, Calendar],
) -> Count:
    """How this policy counts on this ticket. `calendars` are for levels that act in open hours only."""
    paused = pauses(ticket, history, pause_on, now)
    return Count(
        calendar=calendar,
        paused=paused,
        now=now,
        is_paused=ticket.status in pause_on,
        calendars=calendars,
    )


def written_out(days: list[Day]) -> list[str]:
    """A line for each day; a long middle is one line."""
    if len(days) <= SHOWN_DAYS:
        return [of_day(day) for day in days]
    head, middle, tail = (
        days[: SHOWN_DAYS // 2],
        days[SHOWN_DAYS // 2 : -SHOWN_DAYS // 2],
        days[-SHOWN_DAYS // 2 :],
    )
    total = spell(sum(day.counted for day in middle))
    between = f"{middle[0].date} to {middle[-1].date}: {total} in {len(middle)} days"
    return [*map(of_day, head), between, *map(of_day, tail)]


def of_day(day: Day) -> str:
    """`2026-11-26: 0m (holiday)`."""
    kind = f" ({KINDS[day.kind]})" if day.kind else ""
    return f"{day.date}: {spell(day.counted)}{kind}"


KINDS = {"holiday": "holiday", "closed": "closed by the calendar", "open": "special hours"}


def moment(at: Instant, zone: tzinfo) -> str:
    """An instant for people: `2026-11-25 14:00 EST`, with seconds where there are some."""
    local = datetime.fromtimestamp(at, zone)
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{local.date().isoformat()} {clock} {local.tzname()}"
